"""Texts in Python's notation as values: the simple ones by the reader of JSON, at a fifth of the time."""

from __future__ import annotations

import ast
import re
import threading
from typing import Any

import orjson

DEEPEST = 90
"""Brackets that are open at most: somewhere beyond Python's own reader gives up, and it is to decide where."""

_OUTSIDE = re.compile(r"(?:['\[\]{}:, ]|None|True|False|-?\d{1,18}(?:\.\d{1,17})?(?![\d.]))*")
"""What may stand outside of quotes where Python and JSON mean the same by it, but for the three words."""
_reading = threading.RLock()


def simple_value(text: str) -> Any:
    """The value of a literal in single quotes and without escapes, tuples as lists; ValueError for any other text."""
    if '"' in text or "\\" in text:
        raise ValueError
    is_tuple = text[:1] == "(" and text[-1:] == ")"
    if is_tuple:
        # A single value in brackets is no tuple, and a comma alone nothing at all.
        text = f"[{text[1:-1]}]"
    pieces = text.split("'")
    outside = "'".join(pieces[::2])
    if len(pieces) % 2 == 0 or outside.count("[") + outside.count("{") > DEEPEST or not _OUTSIDE.fullmatch(outside):
        raise ValueError
    for word, same in (("None", "null"), ("True", "true"), ("False", "false")):
        outside = outside.replace(word, same)
    if is_tuple and outside.endswith(",]"):
        outside = outside[:-2] + "]"
    pieces[::2] = outside.split("'")
    value = orjson.loads('"'.join(pieces))
    if is_tuple and (len(value) == 1) != text.endswith(",]"):
        raise ValueError
    return value


def literal_value(text: str) -> Any:
    """As `ast.literal_eval`, in any thread.

    CPython counts the depth of what it reads for all threads together, and raises SystemError where a second one begins
    while the first collects garbage (github.com/python/cpython/issues/106905).
    """
    with _reading:
        return ast.literal_eval(text)
