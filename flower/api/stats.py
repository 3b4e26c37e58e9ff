"""`/api/stats`: what happened in a span of time, counted as it happened."""

from __future__ import annotations

import re
import time
from typing import Any, cast

from flower.api import BaseApiHandler
from flower.store.rollup_rows import Cell
from flower.store.rollups import RETENTION_SECONDS
from flower.store.sketch import Sketch, mean, percentile, size
from flower.store.stats import By, Stats, StatsQuery
from flower.utils.arguments import ArgumentError, moment, one_of

WINDOW = "1h"
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
GROUPS = ("name", "worker", "state")
POINTS_MOST = 1_500
"""Points of a series: more than a chart has room for."""
TIME_MOST = 1e11
SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


class GetStats(BaseApiHandler):
    """GET /api/stats"""

    permission = "view"
    in_flower_2 = False

    async def get(self) -> None:
        """Tasks that entered each state, rates, and percentiles of run times and waiting times."""
        now = time.time()
        await self.reply(self._answer, self._query(now), now)

    def _answer(self, query: StatsQuery, now: float) -> dict[str, Any]:
        told = shape(self.cluster.store.stats(query), query, now)
        away = self.cluster.store.interrupted
        within = away is not None and away[0] < told["to"] and away[1] > told["from"]
        return {**told, "interrupted": {"from": away[0], "to": away[1]} if away and within else None}

    def _query(self, now: float) -> StatsQuery:
        start, end = self._span(now)
        query = StatsQuery(
            start=start,
            end=end,
            by=cast(By, one_of("by", self.get_argument("by") or "name", GROUPS)),
            name=self.get_argument("name") or None,
            worker=self.get_argument("worker") or None,
            step=self._step(),
        )
        points = 0 if query.step is None else (query.beyond - query.first) // query.step + 1
        if points > POINTS_MOST:
            raise ArgumentError(f"Invalid step, it makes {points} points and at most {POINTS_MOST} are told", "step")
        return query

    def _span(self, now: float) -> tuple[float, float]:
        window, start, end = self.get_argument("window"), self._time("from"), self._time("to")
        if window and (start is not None or end is not None):
            raise ArgumentError("Invalid window, it cannot be combined with from and to", "window")
        if end is None:
            end = now
        if start is None:
            start = end - seconds("window", window or WINDOW)
        if start >= end:
            raise ArgumentError("Invalid from, it must be before to (which is now unless it is given)", "from")
        if end - start > RETENTION_SECONDS:
            name = "window" if window else "from"
            raise ArgumentError(f"Invalid {name}, statistics are kept for {RETENTION_SECONDS // 86_400} days", name)
        return start, end

    def _time(self, name: str) -> float | None:
        text = self.get_argument(name)
        if not text:
            return None
        at = moment(name, text)
        if not 0 <= at <= TIME_MOST:
            raise ArgumentError(f"Invalid {name} {text!r}, expected a time after 1970", name)
        return at

    def _step(self) -> int | None:
        text = self.get_argument("step")
        if not text:
            return None
        step = seconds("step", text)
        if step % 60:
            raise ArgumentError(f"Invalid step {text!r}, expected whole minutes, such as 1m or 300", "step")
        return step


def seconds(name: str, text: str) -> int:
    """A duration such as 5m, 1h, 7d or 300. Raises ArgumentError."""
    found = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", text)
    number = int(found[1]) * UNITS[found[2] or "s"] if found else 0
    if number <= 0:
        raise ArgumentError(f"Invalid {name} {text!r}, expected a duration such as 5m, 1h, 7d or seconds", name)
    return number


def shape(stats: Stats, query: StatsQuery, now: float) -> dict[str, Any]:
    """The answer. Rates are a second of the time in which something could be counted."""

    def covered(start: float, end: float) -> float:
        return min(end, now) - max(start, stats.since or 0)

    whole = covered(query.first, query.beyond)
    step = query.step
    series = None
    if step is not None:
        series = [{"at": at, **_figures(cell, covered(at, at + step))} for at, cell in stats.series.items()]
    return {
        "from": query.first,
        "to": min(query.beyond, now),
        "since": stats.since,
        "by": query.by,
        "step": step,
        "total": _figures(stats.total, whole),
        "groups": _states(stats.total, whole) if query.by == "state" else _groups(stats, query.by, whole),
        "series": series,
    }


def _groups(stats: Stats, by: str, covered: float) -> list[dict[str, Any]]:
    """The busiest first."""
    ordered = sorted(stats.groups.items(), key=lambda item: (-sum(item[1].states.values()), item[0]))
    return [{by: key, **_figures(cell, covered)} for key, cell in ordered]


def _states(cell: Cell, covered: float) -> list[dict[str, Any]]:
    ordered = sorted(cell.states.items(), key=lambda item: (-item[1], item[0]))
    return [{"state": state, "count": count, "rate": _rate(count, covered)} for state, count in ordered]


def _figures(cell: Cell, covered: float) -> dict[str, Any]:
    failed, succeeded = cell.states.get("FAILURE", 0), cell.states.get("SUCCESS", 0)
    return {
        "states": cell.states,
        "rates": {state: _rate(count, covered) for state, count in cell.states.items()},
        "failure_share": failed / (failed + succeeded) if failed + succeeded else None,
        "runtime": _durations(cell.runtime),
        "waiting": _durations(cell.waiting),
    }


def _durations(sketch: Sketch) -> dict[str, Any]:
    shares = {name: percentile(sketch, share) for name, share in SHARES.items()}
    return {"count": size(sketch), "mean": mean(sketch), **shares}


def _rate(count: int, covered: float) -> float:
    # The first second of all counts as a whole one, or a start would look like a burst.
    return count / max(1.0, covered)
