"""What charts and sparklines are drawn from; static/js/chart.js draws the former, in the browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

Values = Sequence[float | None]

WIDTH, HEIGHT = 96.0, 24.0
"""The units of a sparkline; its size on the page is that of the style sheet."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line, area or row of bars; None where nothing is known.

    `tone` is good, bad, warn, info, low, muted, or c1 to c8. `link` leads to what is behind a value: `{start}`
    and `{end}` in it become the span of the point. `kind` differs from that of the chart where it is given.
    """

    name: str
    label: str
    tone: str
    values: Values
    link: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart for the template chart.html: `x` are the beginnings of steps of `step` seconds.

    `source` is where its JSON is asked for again, `explained` says what is counted and how, `zoom` is the page
    of another span. Values in `unit` "s" are durations.
    """

    slug: str
    title: str
    start: float
    end: float
    step: float
    x: Sequence[float]
    series: Sequence[Series]
    unit: str = ""
    kind: str = "line"
    stacked: bool = False
    log: bool = False
    height: int = 180
    source: str = ""
    zoom: str = ""
    sync: str = ""
    explained: str = ""
    note: str = ""
    empty: str = ""
    on: str = "tasks"
    rows: list[tuple[float, list[float | None]]] = field(init=False)
    """The newest first."""

    def __post_init__(self) -> None:
        rows = [(start, [series.values[at] for series in self.series]) for at, start in enumerate(self.x)]
        object.__setattr__(self, "rows", rows[::-1])

    def shape(self) -> dict[str, Any]:
        """The JSON of the chart."""
        return {
            "start": self.start,
            "end": self.end,
            "step": self.step,
            "unit": self.unit,
            "x": list(self.x),
            "series": [_series(series) for series in self.series],
        }

    def embedded(self) -> str:
        """The JSON as it may stand in a `<script type="application/json">`."""
        return json.dumps(self.shape(), separators=(",", ":")).replace("<", "\\u003c")


def _series(series: Series) -> dict[str, Any]:
    told = {"name": series.name, "label": series.label, "tone": series.tone, "values": list(series.values)}
    return told | {key: getattr(series, key) for key in ("link", "kind") if getattr(series, key)}


def sparkline(
    values: Values, label: str = "", tone: str = "info", kind: str = "area", most: float | None = None
) -> str:
    """A small chart without axes, as safe HTML: an SVG from 0 to the greatest value, or to `most`.

    `kind` is `area` or `bars`; None leaves a gap. `label` is read to those who do not see it.
    """
    top = max([value for value in values if value is not None] + [most or 0.0]) or 1.0
    width = WIDTH / max(1, len(values))
    if kind == "bars":
        drawn = "".join(_bar(at * width, width, value / top) for at, value in enumerate(values) if value)
    else:
        drawn = "".join(_area(points) for points in _runs(values, width, top))
    told = f'role="img" aria-label="{escape(label)}"' if label else 'aria-hidden="true"'
    return (
        f'<svg class="spark tone-{escape(tone)}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}" preserveAspectRatio="none" {told}>'
        f"{drawn}</svg>"
    )


def _runs(values: Values, width: float, top: float) -> list[list[tuple[float, float]]]:
    """The points between gaps."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(((at + 0.5) * width, HEIGHT - 1 - (HEIGHT - 2) * value / top))
    return [run for run in runs if run]


def _area(points: list[tuple[float, float]]) -> str:
    if len(points) == 1:
        points = [(points[0][0] - 1, points[0][1]), (points[0][0] + 1, points[0][1])]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    first, last = points[0][0], points[-1][0]
    area = f'<path class="spark-area" d="M{first:.1f} {HEIGHT:g}L{line}L{last:.1f} {HEIGHT:g}Z"/>'
    return f'{area}<path class="spark-line" d="M{line}"/>'


def _bar(x: float, width: float, share: float) -> str:
    height = max(1.0, share * HEIGHT)
    place = f'x="{x:.1f}" y="{HEIGHT - height:.1f}" width="{width * 0.8:.2f}" height="{height:.1f}"'
    return f'<rect class="spark-bar" {place}/>'
