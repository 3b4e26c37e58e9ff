"""How texts are compared: the one rule that the Python predicate and SQL share.

An ASCII needle is compared without regard to ASCII case only, as SQLite's LIKE does; any other
needle is compared with `str.casefold` on both sides.
"""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_UPPER = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_UNSAFE = dict.fromkeys((0, *range(0xD800, 0xE000)), "\ufffd")


def ascii_lower(text: str) -> str:
    """`text` with A-Z made small and everything else untouched."""
    return text.lower() if text.isascii() else text.translate(_LOWER)


def ascii_upper(text: str) -> str:
    """`text` with a-z made big and everything else untouched."""
    return text.translate(_UPPER)


def fold(text: str | None) -> str | None:
    """`text` case-folded; None stays None (the SQL function `flower_fold`)."""
    return None if text is None else str(text).casefold()


def fold_needle(needle: str) -> str:
    """`needle` as it is compared."""
    return ascii_lower(needle) if needle.isascii() else needle.casefold()


def contains(text: str, needle: str) -> bool:
    """Whether `needle` occurs in `text`, without regard to case."""
    folded = ascii_lower(text) if needle.isascii() else text.casefold()
    return fold_needle(needle) in folded


def storable(text: str) -> str:
    """`text` with what no database keeps (NUL, lone surrogates) replaced by U+FFFD, length unchanged."""
    return text.translate(_UNSAFE)


@lru_cache(maxsize=256)
def pair_spellings(key: str, value: str) -> tuple[str, ...]:
    """Every way in which `key` with exactly `value` is written in the text of keyword arguments.

    Covers Celery's `saferepr` (always single quotes), Python's repr and JSON (clients in other
    languages); a number, True or a list stands unquoted and is followed by a comma or bracket.
    """
    spellings: dict[str, None] = {}
    styles = (
        (_single_quoted(key), ": ", _single_quoted(value)),
        (repr(key), ": ", repr(value)),
        (json.dumps(key, ensure_ascii=False), ": ", json.dumps(value, ensure_ascii=False)),
        (json.dumps(key, ensure_ascii=False), ":", json.dumps(value, ensure_ascii=False)),
    )
    for name, separator, quoted in styles:
        for written in (quoted, f"{value},", f"{value}}}"):
            spellings[f"{name}{separator}{written}"] = None
    return tuple(spellings)


def _single_quoted(text: str) -> str:
    return "'" + text.replace("'", "\\'") + "'"


def text_of(task: Any, column: str) -> str | None:
    """The text of one fact of a task, which is a mapping or an object with attributes; None when it has none."""
    value = task.get(column) if isinstance(task, Mapping) else getattr(task, column, None)
    if value is None or isinstance(value, str):
        return value
    if column == "worker":
        return text_of(value, "hostname")
    return str(value)


def number_of(task: Any, column: str) -> float | None:
    """The number of one fact of a task; None when it has none."""
    value = task.get(column) if isinstance(task, Mapping) else getattr(task, column, None)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


SQL_FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {"flower_fold": (1, fold)}
"""What a store registers on each of its connections: name -> (number of arguments, function)."""
