"""What a worker used of its machine, in units that people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flower.utils.template import format_count, format_duration, format_value, humanize

RUSAGE: dict[str, tuple[str, str]] = {
    "utime": ("Processor time, own code", "s"),
    "stime": ("Processor time, for the system", "s"),
    "maxrss": ("Largest memory", "kB"),
    "ixrss": ("Shared memory", ""),
    "idrss": ("Unshared data", ""),
    "isrss": ("Unshared stack", ""),
    "minflt": ("Page faults without reading", ""),
    "majflt": ("Page faults that read the disk", ""),
    "nswap": ("Times swapped out", ""),
    "inblock": ("Read from disk", "block"),
    "oublock": ("Written to disk", "block"),
    "msgsnd": ("Messages sent", ""),
    "msgrcv": ("Messages received", ""),
    "nsignals": ("Signals received", ""),
    "nvcsw": ("Waited for something", "times"),
    "nivcsw": ("Interrupted by the scheduler", "times"),
}
"""Member of `rusage` -> what it says and its unit (getrusage(2) on Linux)."""


def usage_of(stats: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a worker told of its use of the machine, as people read it."""
    usage = stats.get("rusage") or {}
    if not isinstance(usage, Mapping):
        return [("Resource usage", format_value(usage))]
    pairs = []
    spent, uptime = [usage.get(key) for key in ("utime", "stime")], stats.get("uptime")
    if isinstance(uptime, (int, float)) and uptime > 0 and all(isinstance(value, (int, float)) for value in spent):
        share = sum(float(value or 0) for value in spent) / uptime
        pairs.append(("Share of one processor", f"{share:.1%} since it started"))
    for key, value in usage.items():
        label, unit = RUSAGE.get(str(key), (humanize(str(key)), ""))
        pairs.append((label, _measured(value, unit)))
    return pairs


def _measured(value: Any, unit: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return format_value(value)
    if unit == "s":
        return format_duration(value)
    if unit in ("kB", "block"):
        kilobytes = value if unit == "kB" else value / 2
        return f"{kilobytes / 1024:,.1f} MB" if kilobytes >= 1024 else f"{kilobytes:,.0f} kB"
    return " ".join(filter(None, (format_count(value), unit)))
