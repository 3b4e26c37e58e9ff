"""Payload texts of events turned back into the values they were made of, where nothing was lost."""

from __future__ import annotations

import json
import re
from copy import copy
from typing import Any

from flower.utils.notation import literal_value, simple_value

PARSED_AT_MOST = 65_536
_ESCAPE = re.compile(r"\\(?!')|\n")
_ESCAPED = {"\\": r"\\", "\n": r"\n"}
_FREQUENT: dict[str, Any] = {"()": [], "[]": [], "{}": {}, "None": None, "True": True, "False": False}
_QUOTES = re.compile(r"['\"\\]")


class _Lost(ValueError):
    """The text leaves something out."""


def readable(text: str) -> Any:
    """The JSON value for a payload text: `"(1, 'a')"` -> `[1, "a"]`; the text itself when it cannot be read."""
    if text in _FREQUENT:
        return copy(_FREQUENT[text])
    if len(text) > PARSED_AT_MOST:
        return text
    for read in (_simple, simple_value):
        try:
            return read(text)
        except ValueError:
            continue
    try:
        # Celery's saferepr escapes single quotes and nothing else (celery.utils.saferepr._format_chars).
        literal = _ESCAPE.sub(lambda match: _ESCAPED[match[0]], text) if "\\" in text or "\n" in text else text
        return _plain(literal_value(literal))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    try:
        # Clients in other languages send JSON.
        return _plain(json.loads(text))
    except (ValueError, RecursionError):
        return text


def _simple(text: str) -> Any:
    """The value of one plain text, one number or a row of numbers: most payloads, at a fifth of a parser's time."""
    first, inner, last = text[:1], text[1:-1], text[-1:]
    if len(text) > 1 and first == last == "'" and not _QUOTES.search(inner):
        return inner
    if _QUOTES.search(inner):
        raise ValueError
    return json.loads(f"[{inner.removesuffix(',')}]" if first == "(" and last == ")" else text)


def _plain(value: Any) -> Any:
    """`value` in JSON's types: tuples and sets are lists, keys are texts."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if value is ...:
        raise _Lost
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
