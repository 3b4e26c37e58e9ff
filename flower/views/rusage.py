"""What a worker used of its machine, in units that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flower.utils.template import format_count, format_duration, format_value, humanize
from flower.utils.texts import say

RUSAGE: dict[str, str] = {
    "utime": "s",
    "stime": "s",
    "maxrss": "kB",
    "ixrss": "",
    "idrss": "",
    "isrss": "",
    "minflt": "",
    "majflt": "",
    "nswap": "",
    "inblock": "block",
    "oublock": "block",
    "msgsnd": "",
    "msgrcv": "",
    "nsignals": "",
    "nvcsw": "times",
    "nivcsw": "times",
}
"""Member of `rusage` -> its unit (getrusage(2) on Linux)."""


def usage_of(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a worker told of its use of the machine, as people read it."""
    usage = stats.get("rusage") or {}
    if not isinstance(usage, Mapping):
        return [(say("worker.usage"), format_value(usage))]
    pairs = []
    spent, uptime = [usage.get(key) for key in ("utime", "stime")], stats.get("uptime")
    if isinstance(uptime, (int, float)) and uptime > 0 and all(isinstance(value, (int, float)) for value in spent):
        share = sum(float(value or 0) for value in spent) / uptime
        pairs.append((say("worker.usage.share"), say("worker.usage.share.since", share=f"{share:.1%}")))
    for key, value in usage.items():
        unit = RUSAGE.get(str(key))
        label = humanize(str(key)) if unit is None else say(f"worker.usage.{key}")
        pairs.append((label, _measured(value, unit or "")))
    return pairs


def _measured(value: Any, unit: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return format_value(value)
    if unit == "s":
        return format_duration(value)
    if unit in ("kB", "block"):
        kilobytes = value if unit == "kB" else value / 2
        return f"{kilobytes / 1024:,.1f} MB" if kilobytes >= 1024 else f"{kilobytes:,.0f} kB"
    return say("worker.times", number=value) if unit == "times" else format_count(value)
