"""Tracebacks taken apart, whatever is in them."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.views.traceback import LINES_MOST, sections_of

CHAINED = """Traceback (most recent call last):
  File "/srv/shop/db.py", line 12, in connect
    raise OSError("refused")
OSError: refused

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/celery/app/trace.py", line 453, in trace_task
    R = retval = fun(*args, **kwargs)
                 ^^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/bank.py", line 9, in ask
    raise BankAway("no answer")
shop.bank.BankAway: no answer
"""


def test_chain() -> None:
    """Each exception of a chain has its frames and how it led to the next."""
    assert [("", "OSError: refused", 1), ("cause", "shop.bank.BankAway: no answer", 2)] == [
        (section.relation, section.exception, len(section.frames)) for section in sections_of(CHAINED)
    ]


def test_own_frames_are_apart() -> None:
    """Code of the application is told from that of libraries."""
    assert [(False, ["trace_task"]), (True, ["ask"])] == [
        (own, [frame.function for frame in frames]) for own, frames in sections_of(CHAINED)[1].runs
    ]


def test_source_without_its_margin() -> None:
    """The source and the marks under it keep their places towards each other."""
    frame = sections_of(CHAINED)[1].frames[0]
    assert "R = retval = fun(*args, **kwargs)\n             ^^^^^^^^^^^^^^^^^^^^" == frame.text


def test_only_library_frames_are_shown() -> None:
    """Where nothing is the application's, nothing is folded away."""
    text = CHAINED.replace("/srv/shop", "/usr/lib/python3.11/site-packages/shop")
    assert [[True], [True]] == [[own for own, _ in section.runs] for section in sections_of(text)]


def test_message_of_many_lines() -> None:
    """All lines of a message belong to it, also those that look like frames."""
    message = 'E: one\n  two\n  File "x", line 2, in y'
    text = f'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\n{message}\n'
    assert message == sections_of(text)[0].exception


def test_exception_group() -> None:
    """The first level of a group is understood, the rest is kept in the message."""
    text = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "a.py", line 1, in f\n  |     raise group\n  | ExceptionGroup: two (2 sub-exceptions)\n'
        '  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File "b.py"\n'
    )
    section = sections_of(text)[0]
    assert (1, True) == (len(section.frames), "two (2 sub-exceptions)" in section.exception)


def test_repeated_frames() -> None:
    """Deep recursion is told as Python tells it."""

    def deep(left: int) -> None:
        if left:
            deep(left - 1)
        raise ValueError("bottom")

    try:
        deep(50)
    except ValueError:
        text = traceback.format_exc()
    section = sections_of(text)[0]
    assert ("ValueError: bottom", True) == (
        section.exception,
        any("repeated" in frame.text for frame in section.frames),
    )


@pytest.mark.parametrize("text", ["", "boom", "Traceback (most recent call last):\n", 'File "x"', "\x00\n\x00"])
def test_no_traceback(text: str) -> None:
    """What has no frames is no traceback and is shown as it is."""
    assert [] == sections_of(text)


def test_endless_text() -> None:
    """A text of very many lines is not taken apart."""
    assert [] == sections_of('  File "a.py", line 1, in f\n' * (LINES_MOST + 1))


PIECES = st.sampled_from([*CHAINED.split("\n"), "  |  ", '  File "<script>", line 99999999999999, in <x>', "  + ", ""])


@given(st.lists(PIECES | st.text(max_size=30), max_size=40))
def test_nothing_is_lost(lines: list[str]) -> None:
    """Whatever the text: its lines are those of the sections, in order."""
    text = "\n".join(lines)
    sections = sections_of(text)
    assert sections == [] or text.split("\n") == [line for section in sections for line in section.lines]
