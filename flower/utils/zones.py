"""The names of time zones."""

from __future__ import annotations

import functools
import os

import pytz


@functools.cache
def server_zone() -> str:
    """The zone of this machine by its name, `UTC` when it has none that others would know."""
    candidates = [os.environ.get("TZ", "").lstrip(":"), _linked("/etc/localtime"), _written("/etc/timezone")]
    found = next((name for name in candidates if name in pytz.all_timezones_set), "UTC")
    return "UTC" if found == "Etc/UTC" else found


def _linked(path: str) -> str:
    return os.path.realpath(path).partition("zoneinfo/")[2]


def _written(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(200).strip()
    except (OSError, UnicodeDecodeError):
        return ""
