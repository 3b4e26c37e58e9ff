"""The values behind the texts of arguments and results, for readers who want lists instead of `"[1, 2]"`."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from flower.utils.notation import literal_value, simple_value

MAX_PARSED = 20_000
"""Characters up to which a text is parsed; Celery itself cuts at 1,024. Parsing takes 100 times the memory."""
MAX_CACHED = 1_000
"""Characters up to which a parsed text is remembered."""

MAX_DIGITS = 32

_DIGITS = frozenset("-0123456789")
_OPENING = frozenset("'\"([{")
_WORDS: dict[str, bool | None] = {"None": None, "True": True, "False": False}
_SMALLEST_INTEGER, _GREATEST_INTEGER = -(2**63), 2**64 - 1

_NOT_A_VALUE = object()


def readable(text: str) -> Any:
    """The JSON-able value of which `text` is the complete Python literal, else `text` itself.

    Tuples become lists. A text with a backslash (but for `\\'`) stays text: Celery writes
    `C:\\temp` and a tab followed by `emp` in ways that cannot be told apart. Never raises.
    """
    if text == "()":
        return []
    if text == "{}":
        return {}
    first = text[:1]
    if first in _DIGITS:
        return _number(text)
    if first in _OPENING:
        if len(text) > MAX_PARSED:
            return text
        value = _remembered(text) if len(text) <= MAX_CACHED else _parse(text)
        return text if value is _NOT_A_VALUE else _plain(value)
    return _WORDS.get(text, text)


def _number(text: str) -> int | float | str:
    """The number that is written exactly so, else the text."""
    if len(text) > MAX_DIGITS:
        return text
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if repr(value) == text and _is_plain(value):
            return value
    return text


def _parse(text: str) -> Any:
    """The value, its tuples as they are or as lists; `_NOT_A_VALUE` when there is none that JSON can hold."""
    if "\\" in text.replace("\\'", ""):
        return _NOT_A_VALUE
    try:
        return simple_value(text)
    except ValueError:
        pass
    try:
        value = literal_value(_one_line(text))
        # Behind a # would be a comment, which is no part of the value.
        whole = "#" not in text or text.count("#") == repr(value).count("#")
        return value if whole and _is_plain(value) else _NOT_A_VALUE
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return _NOT_A_VALUE


_remembered = lru_cache(maxsize=4096)(_parse)


def _one_line(text: str) -> str:
    # Celery writes the line breaks within a string as they are.
    return text.replace("\n", "\\n").replace("\r", "\\r") if "\n" in text or "\r" in text else text


def _is_plain(value: Any) -> bool:
    """Whether JSON holds `value` without loss."""
    if value is None or isinstance(value, (str, bool)):
        return True
    if isinstance(value, int):
        return _SMALLEST_INTEGER <= value <= _GREATEST_INTEGER
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_plain, value.values()))
    return False


def _plain(value: Any) -> Any:
    """A copy, for the reader to change as he likes, with lists for tuples."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
