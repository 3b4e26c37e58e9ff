"""The options of `apply_async` as JSON has them: which there are, and what each may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from celery import Celery
from kombu import compression
from kombu.serialization import registry

from flower.control.classic import NEED_PYTHON, POLICY_MOST, tolerated
from flower.control.errors import BadArgument
from flower.control.operation import queue_name

LONGEST_SECONDS = 1e9
"""About 30 years: further on dates overflow somewhere on the way."""
FIRST_YEAR, LAST_YEAR = 1970, 9000
TIME = "ISO 8601 like 2026-11-21T10:30:00, with or without a zone, or 2026-11-21 10:30:00.000000"
CLASSIC = "Invalid option"

OWN_HEADERS = frozenset({"id", "task", "lang"})
"""Headers by which workers tell what the message is."""

Reader = Callable[[Celery, str, Any], Any]


def read_options(capp: Celery, given: Mapping[str, Any], classic: bool = False) -> dict[str, Any]:
    """The options for `apply_async`. Nulls are left out; unknown names and wrong values are a BadArgument.

    With `classic` unknown ones are left to Celery, as in Flower 2.x.
    """
    options: dict[str, Any] = {}
    for name, value in (tolerated(given) if classic else given).items():
        reader = OPTIONS.get(name)
        if reader is None:
            if not classic or name in NEED_PYTHON:
                raise BadArgument(name, _unknown(name))
            reader = _as_given
        if value is not None:
            options[name] = reader(capp, name, value)
    return options


def _as_given(_capp: Celery, _name: str, value: Any) -> Any:
    return value


def _unknown(name: str) -> str:
    near = get_close_matches(name, OPTIONS, n=1, cutoff=0.7)
    hint = f", did you mean {near[0]!r}?" if near else f", the options are {', '.join(OPTIONS)}"
    return f"Unknown option {name!r}{hint}"


def _wrong(name: str, value: Any, expected: str) -> BadArgument:
    return BadArgument(name, f"Invalid {name} {value!r}, expected {expected}"[:1000], CLASSIC)


def _text(_capp: Celery, name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or len(value) > 255:
        raise _wrong(name, value, "a text of 1 to 255 characters")
    return queue_name(name, value)


def _known_by(names: Callable[[], Any], what: str) -> Reader:
    def read(capp: Celery, name: str, value: Any) -> str:
        known = sorted(map(str, names()))
        if value not in known:
            raise _wrong(name, value, f"{what}: {', '.join(known)}")
        return str(value)

    return read


def _number(name: str, value: Any) -> float:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise _wrong(name, value, "a number of seconds") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(name, value, "a number of seconds")
    if not math.isfinite(value) or abs(value) > LONGEST_SECONDS:
        raise _wrong(name, value, f"a number of seconds of at most {LONGEST_SECONDS:g}")
    return value


def _seconds(_capp: Celery, name: str, value: Any) -> float:
    return _number(name, value)


def _positive(_capp: Celery, name: str, value: Any) -> float:
    seconds = _number(name, value)
    if seconds <= 0:
        raise _wrong(name, value, "a number of seconds greater than 0")
    return seconds


def _moment(capp: Celery, name: str, value: Any) -> datetime:
    """A time; without a zone it is in the application's."""
    if not isinstance(value, str):
        raise _wrong(name, value, TIME)
    text = value.strip()
    try:
        # Python 3.10 reads neither the Z of ISO 8601 nor a fraction that is not 3 or 6 digits long.
        moment = _read_time(text[:-1] + "+00:00" if text[-1:] in ("z", "Z") else text)
    except ValueError:
        raise _wrong(name, value, TIME) from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise _wrong(name, value, f"a year from {FIRST_YEAR} to {LAST_YEAR}")
    if moment.tzinfo:
        return moment
    # Celery 5.2 has pytz's zones, which are not to be put in place: that takes the first offset of their history.
    localize = getattr(capp.timezone, "localize", None)
    return localize(moment) if localize else moment.replace(tzinfo=capp.timezone)


def _read_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f")  # noqa: DTZ007  # its zone is added by the caller


def _expiry(capp: Celery, name: str, value: Any) -> float | datetime:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(name, value)
    if isinstance(value, str) and value.strip().replace(".", "", 1).isdecimal():
        return _number(name, value)
    if not isinstance(value, str):
        raise _wrong(name, value, f"a number of seconds, or {TIME}")
    return _moment(capp, name, value)


def _whole(least: int, most: int) -> Reader:
    def read(_capp: Celery, name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise _wrong(name, value, f"a whole number from {least} to {most}")
        return value

    return read


def _bool(_capp: Celery, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _headers(_capp: Celery, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(name, value, "an object")
    for header in OWN_HEADERS & value.keys():
        raise _wrong(name, header, "no header of Celery's own")
    return value


def _retry_policy(_capp: Celery, name: str, value: Any) -> dict[str, float]:
    allowed = ", ".join(f"{key} up to {limit}" for key, limit in POLICY_MOST.items())
    if not isinstance(value, dict):
        raise _wrong(name, value, f"an object of {allowed}")
    for key, number in value.items():
        fits = (
            isinstance(number, (int, float))
            and not isinstance(number, bool)
            and 0 <= number <= POLICY_MOST.get(key, -1)
        )
        if not fits:
            raise _wrong(name, {key: number}, f"an object of {allowed}")
    return value


def _signatures(_capp: Celery, name: str, value: Any) -> list[dict[str, Any]]:
    """Signatures as Celery writes them: objects with at least the name of the `task`."""
    expected = 'a signature like {"task": "tasks.add", "args": [1]}, or an array of them'
    items = value if isinstance(value, list) else [value]
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("task"), str):
            raise _wrong(name, value, expected)
    plain: dict[str, Any] = {"args": [], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
    return [plain | item for item in items]


OPTIONS: dict[str, Reader] = {
    "countdown": _seconds,
    "eta": _moment,
    "expires": _expiry,
    "queue": _text,
    "priority": _whole(0, 255),
    "task_id": _text,
    "routing_key": _text,
    "exchange": _text,
    "headers": _headers,
    "serializer": _known_by(lambda: registry._encoders, "a serializer"),
    "compression": _known_by(lambda: compression._aliases, "a compression"),
    "time_limit": _positive,
    "soft_time_limit": _positive,
    "ignore_result": _bool,
    "retry": _bool,
    "retry_policy": _retry_policy,
    "retries": _whole(0, 1_000_000),
    "delivery_mode": _whole(1, 2),
    "shadow": _text,
    "root_id": _text,
    "parent_id": _text,
    "group_id": _text,
    "group_index": _whole(0, 1_000_000),
    "reply_to": _text,
    "correlation_id": _text,
    "link": _signatures,
    "link_error": _signatures,
}
"""Every option that JSON can express: not those that need Python objects (`producer`, `connection`, ...)."""
