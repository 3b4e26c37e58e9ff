"""What happened in a span of time, read from the rollups; tasks themselves are never looked at.

Spans are whole minutes. Hours that are packed and wholly within are read by their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
import sqlalchemy as sa

from flower.store import sketch
from flower.store.rollup_rows import HOUR, MINUTE, Cell, unpack_minutes
from flower.store.schema import rollups as table

By = Literal["name", "worker", "state"]


@dataclass(frozen=True, slots=True)
class StatsQuery:
    """The span from `start` to before `end`, in seconds since the epoch, both widened to whole minutes.

    `by` says into which groups it falls, `name` and `worker` leave out all others. `step`, in seconds
    and a multiple of 60, asks for a series; `lines` asks for one of each group too.
    """

    start: float
    end: float
    by: By = "name"
    name: str | None = None
    worker: str | None = None
    step: int | None = None
    lines: bool = False

    @property
    def first(self) -> int:
        """The beginning of the first minute."""
        return int(self.start // MINUTE) * MINUTE

    @property
    def beyond(self) -> int:
        """The beginning of the first minute that is no longer within."""
        return -int(-self.end // MINUTE) * MINUTE

    @property
    def family(self) -> str:
        """Which rows answer it: the fewest that know what is asked."""
        if self.worker is not None:
            return "worker" if self.name is None and self.by != "name" else "pair"
        if self.name is not None:
            return "pair" if self.by == "worker" else "name"
        return "worker" if self.by == "worker" else "name"


@dataclass(frozen=True, slots=True)
class Stats:
    """`groups` by name or by worker (by state they are in `total.states`), `series` by the start of each step.

    `lines` is the series of states of each group, without the steps in which nothing happened.
    `since` is when counting began: None when nothing was counted yet.
    """

    total: Cell = field(default_factory=Cell)
    groups: dict[str, Cell] = field(default_factory=dict)
    series: dict[int, Cell] = field(default_factory=dict)
    lines: dict[str, dict[int, dict[str, int]]] = field(default_factory=dict)
    since: int | None = None


def read(connection: sa.Connection, query: StatsQuery) -> Stats:
    """The answer to the query."""
    stats = Stats(since=_since(connection))
    step = query.step
    if step is not None:
        stats.series.update((start, Cell()) for start in range(query.first // step * step, query.beyond, step))
    for start, name, worker, states, runtime, waiting in _parts(connection, query):
        group = worker if query.by == "worker" else name
        counted = orjson.loads(states)
        at = 0 if step is None else start // step * step
        cells = [stats.total if query.by == "state" else stats.groups.setdefault(group, Cell())]
        if step is not None:
            cells.append(stats.series[at])
        for cell in cells:
            for state, number in counted.items():
                cell.add_state(state, number)
        sketch.add_packed([cell.runtime for cell in cells], runtime)
        sketch.add_packed([cell.waiting for cell in cells], waiting)
        if query.lines:
            line = stats.lines.setdefault(group, {}).setdefault(at, {})
            for state, number in counted.items():
                line[state] = line.get(state, 0) + number
    for cell in stats.groups.values():
        stats.total.add(cell)
    return stats


def _since(connection: sa.Connection) -> int | None:
    # One look at the index for each; a minimum over both sorts would read every row.
    spans = [
        connection.execute(
            sa.select(sa.func.min(table.c.start)).where(table.c.seconds == seconds, table.c.family == "name")
        ).scalar()
        for seconds in (HOUR, MINUTE)
    ]
    return min((start for start in spans if start is not None), default=None)


def _parts(connection: sa.Connection, query: StatsQuery) -> Iterator[tuple[int, str, str, str, str | None, str | None]]:
    """(start, name, worker, states, runtime, waiting) of everything within, as it is stored."""
    for start, name, worker, states, runtime, waiting, minutes in connection.execute(_select(query)):
        if minutes is None:
            yield start, name, worker, states, runtime, waiting
            continue
        for minute in unpack_minutes(minutes):
            if query.first <= minute[0] < query.beyond:
                yield minute[0], name, worker, minute[1], minute[2], minute[3]


def _select(query: StatsQuery) -> sa.CompoundSelect[Any]:
    """Minutes and packed hours in one statement, so that an hour that is packed just now is read once."""
    first, beyond = query.first, query.beyond
    facts = (table.c.start, table.c.name, table.c.worker)
    counted = (table.c.states, table.c.runtime, table.c.waiting)
    where = [table.c.family == query.family]
    if query.name is not None:
        where.append(table.c.name == query.name)
    if query.worker is not None:
        where.append(table.c.worker == query.worker)
    whole = sa.and_(table.c.start >= first, table.c.start + HOUR <= beyond)
    if query.step is not None and query.step % HOUR:
        whole = sa.false()
    minutes = sa.select(*facts, *counted, sa.null().label("minutes")).where(
        table.c.seconds == MINUTE, table.c.start >= first, table.c.start < beyond, *where
    )
    hours = sa.select(*facts, *counted, sa.case((whole, sa.null()), else_=table.c.minutes)).where(
        table.c.seconds == HOUR, table.c.start > first - HOUR, table.c.start < beyond, *where
    )
    return sa.union_all(minutes, hours)
