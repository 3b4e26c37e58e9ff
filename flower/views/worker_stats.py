"""What one worker did in the last hour, as a chart and by task name; read from the rollups."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flower.store import Store
from flower.store.sketch import percentile
from flower.store.stats import StatsQuery
from flower.utils.texts import say
from flower.views.charts import Chart, Series

SPAN_SECONDS = 3600
STEP_SECONDS = 60
NAMES = 12
"""Busiest names that are shown."""
OUTCOMES = (
    ("SUCCESS", say("worker.count.succeeded"), "good"),
    ("FAILURE", say("worker.count.failed"), "bad"),
    ("RETRY", say("worker.count.retried"), "warn"),
)


@dataclass(frozen=True, slots=True)
class Busy:
    """What a worker did for the tasks of one name."""

    name: str
    ended: int
    failed: int
    runtime: float | None
    """Median run time in seconds."""
    slowest: float | None
    """95 of 100 ran no longer, in seconds."""
    waiting: float | None
    """Median seconds from sent or received to started."""

    @property
    def failure_share(self) -> float | None:
        """Share of the ended ones that failed, 0 to 1."""
        return self.failed / self.ended if self.ended else None


def busiest(store: Store, worker: str, now: float) -> list[Busy]:
    """The names of which a worker ended most tasks in the last hour."""
    stats = store.stats(StatsQuery(now - SPAN_SECONDS, now, by="name", worker=worker))
    found = []
    for name, cell in stats.groups.items():
        failed, ended = (
            cell.states.get("FAILURE", 0),
            sum(cell.states.get(state, 0) for state in ("SUCCESS", "FAILURE")),
        )
        times = [percentile(cell.runtime, 0.5), percentile(cell.runtime, 0.95), percentile(cell.waiting, 0.5)]
        found.append(Busy(name, ended, failed, *times))
    return sorted((busy for busy in found if busy.ended), key=lambda busy: (-busy.ended, busy.name))[:NAMES]


def throughput(store: Store, worker: str, source: str, tasks: str, now: float | None = None) -> Chart:
    """Ends of tasks by the minute. `source` is the chart's own address, `tasks` the list of the worker's tasks."""
    now = time.time() if now is None else now
    query = StatsQuery(now - SPAN_SECONDS, now, by="state", worker=worker, step=STEP_SECONDS)
    stats = store.stats(query)
    points = list(stats.series.items())
    counted = stats.since if stats.since is not None else now
    return Chart(
        slug="throughput",
        title=say("worker.chart.ended"),
        start=query.first,
        end=query.beyond,
        step=STEP_SECONDS,
        x=[at for at, _ in points],
        series=[
            Series(
                state,
                label,
                tone,
                [None if at + STEP_SECONDS <= counted else cell.states.get(state, 0) for at, cell in points],
                link=f"{tasks}&state={state}&start={{start}}&end={{end}}",
            )
            for state, label, tone in OUTCOMES
        ],
        kind="bars",
        stacked=True,
        height=150,
        source=source,
        note=say("worker.chart.ended.note"),
        explained=say("worker.chart.ended.help"),
        empty=say("worker.chart.ended.none"),
    )
