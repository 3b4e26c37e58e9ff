"""Times on pages: `<time>` elements that read without script and that script keeps fresh."""

from __future__ import annotations

import time
from datetime import datetime, tzinfo
from functools import lru_cache
from html import escape

from flower.utils.template import iso_time, natural_time
from flower.utils.texts import Html

STYLES = {
    "full": "%Y-%m-%d %H:%M:%S",
    "short": "%H:%M:%S",
    "minute": "%Y-%m-%d %H:%M",
}
"""Style -> format; `full` and `short` are followed by milliseconds. `relative` says how long ago."""


def time_text(seconds: float, zone: tzinfo, style: str) -> str:
    """The time as text: static/js/time.js writes the same."""
    if style == "relative":
        return natural_time(seconds)
    milliseconds = round(seconds * 1000)
    text = _local_text(milliseconds // 1000, zone, STYLES[style])
    return text if style == "minute" else f"{text}.{milliseconds % 1000:03}"


@lru_cache(maxsize=4096)
def _local_text(second: int, zone: tzinfo, form: str) -> str:
    """The tasks of a list share their seconds, and a page drawn anew shows most of them again."""
    return datetime.fromtimestamp(second, zone).strftime(form)


def clock_text(seconds: float, zone: tzinfo, now: float | None = None) -> str:
    """`10:32:05`, with the date when that is not today."""
    local = datetime.fromtimestamp(seconds, zone)
    today = datetime.fromtimestamp(time.time() if now is None else now, zone).date()
    return local.strftime("%H:%M:%S" if local.date() == today else "%Y-%m-%d %H:%M:%S")


def time_element(seconds: float | None, zone: tzinfo, style: str = "full") -> Html:
    """A `<time>` element as safe HTML; a dash for no time at all.

    Its title tells the other way of reading it: how long ago, or the exact time.
    """
    if not seconds:
        return Html('<span class="faint">–</span>')
    try:
        text = clock_text(seconds, zone) if style == "clock" else time_text(seconds, zone, style)
        title = f"{time_text(seconds, zone, 'full')} {zone}" if style == "relative" else natural_time(seconds)
    except (OverflowError, ValueError, OSError):
        return Html(escape(str(seconds)))
    return Html(
        f'<time datetime="{iso_time(seconds)}" data-at="{seconds:.3f}" data-style="{style}"'
        f' title="{escape(title)}">{escape(text)}</time>'
    )
