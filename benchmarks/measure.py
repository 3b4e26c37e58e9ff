"""What was measured, and how it is told beside what another server did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Row = tuple["Measure", "Measure"]


@dataclass(frozen=True)
class Measure:
    """One number; `more` says whether more is better. NaN where it was not reached."""

    name: str
    value: float
    more: bool = False


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them is; NaN of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else math.nan


def shown(value: float) -> str:
    """Three digits, and no powers of ten."""
    if math.isnan(value):
        return "not reached"
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def ratio(theirs: Measure, ours: Measure) -> str:
    """How many times better the second is."""
    better, worse = (ours.value, theirs.value) if ours.more else (theirs.value, ours.value)
    return f"{better / worse:.1f} ×" if worse and math.isfinite(better / worse) else "–"


def table(baseline: str, rows: Sequence[Row]) -> str:
    """Both columns, and how many times better the second is."""
    lines = [f"| | {baseline} | this Flower | better by |", "| --- | ---: | ---: | ---: |"]
    for theirs, ours in rows:
        lines.append(f"| {ours.name} | {shown(theirs.value)} | {shown(ours.value)} | {ratio(theirs, ours)} |")
    return "\n".join(lines)
