"""Values from outside, made to fit: the wrong type becomes text, an impossible number unknown, a huge text cut."""

from __future__ import annotations

import math
from typing import Any

import orjson

TEXT_LIMIT = 65_536
"""Characters kept of one value; Celery itself cuts at about 1,000."""
NAME_LIMIT = 1024
"""Characters of a name or an id; no broker and no file system takes longer ones."""
CUT = "… [cut by Flower]"
TOO_DEEP = "… [nested too deeply]"


def encodable(value: Any) -> str:
    """`value` as text that every encoder takes: a lone surrogate becomes `?`."""
    try:
        words = str(value)
    except RecursionError:
        words = TOO_DEEP
    return words.encode("utf-8", "replace").decode()


def name_in(value: Any) -> str:
    """A name as text. Raises ValueError for none, and for one that is none."""
    name: str = value if value.__class__ is str and value.isascii() else encodable(value)
    if not value or len(name) > NAME_LIMIT:
        raise ValueError(f"its type, uuid or hostname is missing or has more than {NAME_LIMIT} characters")
    return name


def text(value: Any, limit: int = TEXT_LIMIT) -> str | None:
    """`value` as text of bounded length; None stays None."""
    if value is None:
        return None
    words = encodable(value) if isinstance(value, str) else _written(value)
    return words if len(words) <= limit else words[:limit] + CUT


def _written(value: Any) -> str:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return encodable(value)


def number(value: Any) -> float | None:
    """`value` as a finite float, else None."""
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None


def whole(value: Any) -> int | None:
    """`value` as an integer of at most 63 bits, else None."""
    if value.__class__ is not int:
        try:
            value = int(value)
        except (TypeError, ValueError, OverflowError):
            return None
    return value if -(2**63) < value < 2**63 else None
