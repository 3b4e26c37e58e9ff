"""From text such as `>=0.5s`, `1..5`, `2026-11-21` or `-1h` to the span of numbers it stands for."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any

from flower.utils.search.nodes import Bound

Moment = tuple[Bound, Bound]
"""The first value that a text stands for, and the end of the last one."""

UNITS = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "min": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
    "w": Decimal(604800),
}

_NUMBER = r"(?:\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})"
_DURATION = re.compile(rf"(?:{_NUMBER}(?:ms|min|[smhdw]))+", re.ASCII | re.IGNORECASE)
_PART = re.compile(rf"({_NUMBER})(ms|min|[smhdw])", re.ASCII | re.IGNORECASE)
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?(Z|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)


def span_of(text: str, read: Callable[[str], Moment]) -> tuple[Bound | None, Bound | None]:
    """The ends of the span that `text` describes; `read` knows the single values. Raises ValueError."""
    low, dots, high = text.partition("..")
    if dots:
        if not (low or high):
            raise ValueError(text)
        return (read(low)[0] if low else None), (read(high)[1] if high else None)
    sign, value = _comparison(text)
    first, last = read(value)
    if not sign and first.age:
        return first, None
    ends: dict[str, tuple[Bound | None, Bound | None]] = {
        "": (first, last if last.value > first.value else Bound(first.value)),
        ">": (Bound(first.value, False, first.age), None),
        ">=": (first, None),
        "<": (None, Bound(first.value, False, first.age)),
        "<=": (None, last),
    }
    return ends[sign]


def duration_span(text: str) -> tuple[Bound | None, Bound | None]:
    """Of seconds: `>5`, `>=0.5s`, `<100ms`, `1m30s`, `1..5`. A plain value stands for all that begin like it."""
    return _number_span(text, _seconds)


def number_span(text: str) -> tuple[Bound | None, Bound | None]:
    """Of a count: `3`, `>3`, `1..5`."""
    return _number_span(text, _plain_number)


def time_span(text: str, tz: tzinfo) -> tuple[Bound | None, Bound | None]:
    """Of times: a day, hour, minute or second, compared or not, or an age such as `-1h`."""
    return span_of(text, lambda value: _age(value) if value.startswith("-") else _time(value, tz))


def _number_span(text: str, read: Callable[[str], tuple[Decimal, Decimal]]) -> tuple[Bound | None, Bound | None]:
    def exactly(value: str) -> Moment:
        number = float(read(value)[0])
        return Bound(number), Bound(number)

    sign, _ = _comparison(text)
    if sign or ".." in text:
        return span_of(text, exactly)
    first, step = read(text)
    return Bound(float(first)), Bound(float(first + step), inclusive=False)


def _comparison(text: str) -> tuple[str, str]:
    for sign in (">=", "<=", ">", "<"):
        if text.startswith(sign):
            return sign, text[len(sign) :].strip()
    return "", text


def _plain_number(text: str) -> tuple[Decimal, Decimal]:
    if not re.fullmatch(_NUMBER, text, re.ASCII):
        raise ValueError(text)
    return _decimal(text)


def _seconds(text: str) -> tuple[Decimal, Decimal]:
    """A duration, and how much its last digit is worth."""
    if not _DURATION.fullmatch(text):
        return _plain_number(text)
    total, step = Decimal(0), Decimal(1)
    for number, unit in _PART.findall(text):
        scale = UNITS[unit.lower()]
        value, digit = _decimal(number)
        total, step = total + value * scale, digit * scale
    return total, step


def _decimal(text: str) -> tuple[Decimal, Decimal]:
    return Decimal(text), Decimal(1).scaleb(-len(text.partition(".")[2]))


def _age(text: str) -> Moment:
    if not _DURATION.fullmatch(text[1:]):
        raise ValueError(text)
    bound = Bound(float(_seconds(text[1:])[0]), age=True)
    return bound, bound


def _time(text: str, tz: tzinfo) -> Moment:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    day, hour, minute, second, fraction, zone = match.groups()
    start = datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")
    lasts = timedelta(days=1) if not hour else timedelta(hours=1) if not minute else timedelta(minutes=1)
    if second:
        lasts = timedelta(seconds=1)
    if fraction:
        start += timedelta(microseconds=int(fraction[:6].ljust(6, "0")))
        lasts = timedelta(microseconds=10 ** (6 - min(6, len(fraction))))
    place = _zone(zone) if zone else tz
    try:
        first, end = timestamp(start, place), timestamp(start + lasts, place)
    except OverflowError:
        raise ValueError(text) from None
    return Bound(first), Bound(end, inclusive=False)


def _zone(text: str) -> tzinfo:
    if text in "Zz":
        return timezone.utc
    hours, minutes = int(text[1:3]), int(text[-2:]) if len(text) > 3 else 0
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def timestamp(naive: datetime, tz: Any) -> float:
    """Seconds since the epoch of a wall-clock time in `tz`, which may be of pytz or zoneinfo."""
    if hasattr(tz, "localize"):
        return float(tz.localize(naive).timestamp())
    return naive.replace(tzinfo=tz).timestamp()
