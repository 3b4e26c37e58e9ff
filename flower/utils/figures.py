"""Numbers as summaries write them: three digits, read at a glance. static/js/figures.js does the same."""

from __future__ import annotations

_PAIRS = ((86_400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))


def format_short(seconds: float | None) -> str:
    """A duration: `340 µs`, `1.2 ms`, `4.5 s`, `1m 20s`, `2h 5m`; empty for None."""
    if seconds is None:
        return ""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms"), (60.0, 1.0, "s")):
        if seconds < limit:
            return f"{_three(seconds * factor)} {unit}"
    for size, name, small, small_name in _PAIRS:
        if seconds >= size:
            rest = int(seconds % size // small)
            return f"{int(seconds // size):,}{name}" + (f" {rest}{small_name}" if rest else "")
    return ""


def format_rate(per_second: float) -> str:
    """How often something happens, in the unit that has the fewest zeros: `12.4/s`, `3/min`, `2/h`."""
    for factor, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if per_second * factor >= 1:
            return f"{_three(per_second * factor)}/{unit}"
    return f"{_three(per_second * 3600)}/h"


def format_share(share: float | None) -> str:
    """A share of a whole: `0.4%`, `12%`, `<0.1%`; empty for None."""
    if share is None:
        return ""
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.1 else f"{share:.0%}"


def _three(value: float) -> str:
    """At most three digits that mean something; all of those before the point."""
    rounded = float(f"{value:.3g}") if value < 1000 else round(value)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:g}"
