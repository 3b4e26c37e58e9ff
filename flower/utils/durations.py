"""Spans of time as people write them in options: `90`, `45m`, `12h`, `30d`."""

from __future__ import annotations

import re

UNITS: dict[str, int] = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"(\d{1,9})\s*([smhdw]?)")


def seconds_in(text: str) -> int | None:
    """How many seconds the words stand for; None if that is no span of time, or none at all."""
    found = _SPAN.fullmatch(text.strip())
    return (int(found[1]) * UNITS[found[2]] or None) if found else None
