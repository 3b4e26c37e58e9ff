"""How values are written for people: times, durations, counts, names. Every function is a template's too.

Nothing here alters a value: what is not a plain key is shown as it is.
"""

from __future__ import annotations

import json
import re
import time as clock
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from html import escape
from typing import Any

import humanize as humanizing
import pytz

from flower.utils.texts import say

KEYWORDS_UP = ("api", "cpu", "eta", "id", "ip", "pid", "ssl", "uri", "url", "utc", "uuid")
"""Words of a key that are written in capitals where they stand first or alone name a thing."""

KEYWORDS_DOWN = ("id",)
"""Words of KEYWORDS_UP that stay small after another word: "Parent id", "Root id"."""

UUID_REGEX = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$", re.IGNORECASE)

KEY = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
CREDENTIALS = re.compile(r"(?<=://)([^\s/@:]*):([^\s/@]+)@")

NEVER = (None, "", 0)


def humanize(obj: Any, type: str | None = None, length: int | None = None) -> Any:
    """A value as people read it.

    `type` is `time[-Zone]`, `natural-time[-Zone]` or `duration`. Without it a key such as
    `max-concurrency` becomes "Max concurrency", None becomes "", a list of scalars is joined,
    anything else stays. A value longer than `length` characters is cut to that length, ending
    in " ..."; with `length` the value is taken as data, never as a key.
    """
    if type is not None:
        return _cut(_typed(obj, type), length)
    if obj is None:
        return ""
    if isinstance(obj, str):
        return _cut(obj, length) if length is not None else _label(obj)
    if isinstance(obj, (list, tuple)) and all(isinstance(item, (str, int, float, bool)) for item in obj):
        return _cut(", ".join(str(item) for item in obj), length)
    return obj if length is None else _cut(str(obj), length)


def _typed(obj: Any, kind: str) -> str:
    kind, _, zone = kind.partition("-") if not kind.startswith("natural-time") else ("natural-time", "", kind[13:])
    if kind == "duration":
        return format_duration(obj)
    if obj in NEVER:
        return ""
    tz = pytz.timezone(zone) if zone else pytz.utc
    seconds = float(obj)
    if kind == "natural-time" and abs(clock.time() - seconds) < timedelta(days=1).total_seconds():
        return natural_time(seconds)
    return format_time(seconds, tz)


def _label(text: str) -> str:
    if not KEY.fullmatch(text):
        return text
    words = re.split("[_-]", text)
    shown = [
        word.upper() if word in KEYWORDS_UP and (place == 0 or word not in KEYWORDS_DOWN) else word
        for place, word in enumerate(words)
    ]
    first = shown[0]
    return " ".join([first[:1].upper() + first[1:], *shown[1:]])


def _cut(text: str, length: int | None) -> str:
    if length is None or len(text) <= length:
        return text
    return text[: max(0, length - 4)] + " ..."


def format_time(time: float, tz: tzinfo) -> str:
    """`2001-09-09 01:46:40.000000 UTC`."""
    return datetime.fromtimestamp(time, tz).strftime("%Y-%m-%d %H:%M:%S.%f %Z")


def natural_time(seconds: float, now: float | None = None) -> str:
    """`2 minutes ago`, `in 5 seconds`."""
    now = clock.time() if now is None else now
    if abs(now - seconds) < 1:
        return say("time.now")
    span = _span(int(abs(now - seconds)))
    return say("time.ago" if now >= seconds else "time.ahead", span=span)


@lru_cache(maxsize=4096)
def _span(seconds: int) -> str:
    return humanizing.naturaldelta(timedelta(seconds=seconds))


def format_duration(seconds: float | None) -> str:
    """`500.00 ms`, `59.99 s`, `1m 01s`, `25h 01m 01s`; empty for None."""
    if seconds is None:
        return ""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    if round(seconds * 1000, 2) < 1000:
        return f"{sign}{seconds * 1000:.2f} ms"
    if round(seconds, 2) < 60:
        return f"{sign}{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}h {minutes:02}m {rest:02}s" if hours else f"{sign}{minutes}m {rest:02}s"


def format_age(seconds: float | None) -> str:
    """How old something is, short enough to stand beside it: `0.4 s`, `12 s`, `3 min`, `2 h`, `5 d`."""
    if seconds is None:
        return ""
    seconds = max(0.0, seconds)
    for limit, unit, name in ((10, 1, "s"), (60, 1, "s"), (3600, 60, "min"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{seconds:.1f} s" if limit == 10 else f"{int(seconds // unit)} {name}"
    return f"{int(seconds // 86_400)} d"


def format_count(v: Any) -> str:
    """`1,234,567`; empty for None, other values as they are."""
    if isinstance(v, bool) or not isinstance(v, (int, float)):
        return "" if v is None else str(v)
    return f"{v:,}" if isinstance(v, int) or v % 1 else f"{int(v):,}"


def format_value(v: Any) -> str:
    """A fact as text: yes and no for booleans, JSON for what has parts, everything else unaltered."""
    if v is None:
        return ""
    if isinstance(v, bool):
        return say("frame.yes" if v else "frame.no")
    if isinstance(v, (str, int, float)):
        return str(v)
    if isinstance(v, (bytes, bytearray)):
        return repr(v)
    if isinstance(v, Sequence) and all(isinstance(item, (str, int, float)) for item in v):
        return ", ".join(format_value(item) for item in v)
    if isinstance(v, (Mapping, Sequence)):
        return json.dumps(v, ensure_ascii=False, default=str)
    return str(v)


def task_link(url: str, uuid: str) -> str:
    """An anchor to a task, as escaped HTML for `{% raw %}`."""
    return f'<a href="{escape(url)}">{escape(uuid)}</a>'


def without_passwords(text: str) -> str:
    """The text with the password of every URL in it masked."""
    return CREDENTIALS.sub(lambda found: f"{found[1]}:********@", text)


def iso_time(seconds: float) -> str:
    """ISO 8601 in UTC with milliseconds, as machines and `<time datetime>` read it."""
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
