"""The values behind the texts of arguments and results."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.utils.literals import readable


@pytest.mark.parametrize(
    "text, value",
    [
        ("()", []),
        ("{}", {}),
        ("42", 42),
        ("-7", -7),
        ("0.25", 0.25),
        ("None", None),
        ("True", True),
        ("(2, 3)", [2, 3]),
        ("('a', [1, (None, True)])", ["a", [1, [None, True]]]),
        ("{'queue': 'priority', 'n': 1.5}", {"queue": "priority", "n": 1.5}),
        ("'hello'", "hello"),
        ("'it\\'s'", "it's"),
        ("'#1'", "#1"),
        ("'two\nlines'", "two\nlines"),
    ],
)
def test_a_complete_literal_becomes_its_value(text: str, value: object) -> None:
    """What Celery writes of plain values is read back, tuples as lists."""
    assert value == readable(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<Order 5>",
        "[1, 2, ...]",
        "{'a': 1, ...}",
        "('cut off...",
        "{1, 2}",
        "b'bytes'",
        "{1: 'not a JSON key'}",
        "[1] # with a comment",
        "1_000",
        "007",
        "1e999",
        "[1e999]",
        "18446744073709551616",
        "[18446744073709551616]",
        "'C:\\temp'",
        "'\\ud800'",
        "-" * 5000 + "1",
        "[" + "-" * 5000 + "1]",
        "(" * 300 + ")" * 300,
        "[" + "1+" * 9000 + "1]",
        "['" + "x" * 100_000 + "']",
        "'\x00'",
        "'\ud800'",
    ],
)
def test_everything_else_stays_text(text: str) -> None:
    """A text that is no complete literal, or whose value JSON cannot hold, is left as it is."""
    assert text == readable(text)


def test_a_value_may_be_changed_by_its_reader() -> None:
    """Two readers of one text do not share a list."""
    readable("[1, 2]").append(3)
    assert [1, 2] == readable("[1, 2]")


@settings(max_examples=150)
@given(st.text(alphabet="'\"([{}]),:#-.\\ \n0123456789TrueNonex_bé"))
def test_it_never_raises_and_gives_json(text: str) -> None:
    """Whatever the text, there is an answer that JSON can hold."""
    value = readable(text)
    assert value == orjson.loads(orjson.dumps(value))


_plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(alphabet="abc '\"é{}[](),:#", max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet="abc'", max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=150)
@given(_plain_values)
def test_what_celery_writes_is_read_back(value: Any) -> None:
    """The text that a worker makes of plain values stands for these values."""
    assert value == readable(saferepr(value, maxlen=None, maxlevels=20))
