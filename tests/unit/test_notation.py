"""Texts in Python's notation as values."""

from __future__ import annotations

import ast
import gc
import threading
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.utils.notation import literal_value, simple_value

TEXT = "{'tenant': 5, 'currency': ['EUR', ['a', ('b', {'c': 1})]], 'note': ('lorem',)}"


def plain(value: Any) -> Any:
    """Lists for tuples."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def is_simple(text: str) -> bool:
    """Whether it is not left to Python's reader."""
    try:
        simple_value(text)
    except ValueError:
        return False
    return True


def same_as_python(text: str) -> bool:
    """Whether it is left to Python's reader, or read as by it, types included."""
    return not is_simple(text) or repr(plain(ast.literal_eval(text))) == repr(simple_value(text))


@pytest.mark.parametrize(
    "text, value",
    [
        ("()", []),
        ("(1,)", [1]),
        ("(7, 'customer7@example.com')", [7, "customer7@example.com"]),
        ("{'tenant': 5, 'note': 'a, (b)', 'none': None}", {"tenant": 5, "note": "a, (b)", "none": None}),
        ("[True, False, -0.5, {}]", [True, False, -0.5, {}]),
        ("'None'", "None"),
        ("{'a': 1, 'b': 2, 'a': 3}", {"a": 3, "b": 2}),
    ],
)
def test_what_is_simple(text: str, value: Any) -> None:
    """Most payloads are read without Python's reader."""
    assert value == simple_value(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", "(", "(,)", "(1)", "('a')", "(1, (2, 3))", "[1, 2,]", "{1: 2}", "{'a', 'b'}", "{1, 2}", "1 2", "1-2"),
        *("b'a'", "'a' 'b'", "'a''b'", "f'a'", "('a'", "'it''", '"a"', "'a\\n'", "'a\nb'", "'\x00'", "'\ud800'"),
        *("(1, ...)", "nan", "1e5", "1_0", "007", "0x1", "1j", "12345678901234567890", "NoneNone", "null", "true"),
        *("[1] # one", "Ellipsis", "'a'.upper()", "[" * 100 + "]" * 100),
    ],
)
def test_what_is_left_to_python(text: str) -> None:
    """Whatever JSON cannot say, or says otherwise, is not simple."""
    assert not is_simple(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=8,
    )
)
def test_values_are_read_as_by_python(value: Any) -> None:
    """Of the text of any value there is one reading."""
    assert same_as_python(repr(value))


@given(
    st.lists(st.sampled_from(["'", "(", ")", "[", "]", "{", "}", ",", ":", " ", "-", "1", "0.5", "None", "a", "'b'"]))
)
def test_texts_are_read_as_by_python(parts: list[str]) -> None:
    """What Python refuses is never simple."""
    assert same_as_python("".join(parts))


def test_threads_read_at_a_time() -> None:
    """No thread is disturbed by another that begins to read while the first collects garbage."""
    errors: list[BaseException] = []

    class Garbage:
        """Lets other threads run when it is collected, as a cursor of SQLite does."""

        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            time.sleep(0.0005)

    def read() -> None:
        for _ in range(100):
            Garbage()
            try:
                literal_value(TEXT)
            except SystemError as error:
                errors.append(error)

    before = gc.get_threshold()
    gc.set_threshold(20)
    try:
        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*before)
    assert [] == errors
