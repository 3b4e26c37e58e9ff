"""How many tasks of which state, name, worker and queue answer a query, in a bounded time.

Where an index tells the numbers of a whole column they are exact. Else the newest of the matching tasks
are counted: then each number is the least that there is. Any thread.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from flower.store.bounded import rows_within
from flower.store.kept import filters_of
from flower.store.plan import Clause
from flower.store.query import Count, TaskQuery
from flower.store.schema import ALWAYS
from flower.store.schema import tasks as table
from flower.store.where import conditions

FACETS = ("state", "name", "worker", "queue")
MOST = 10_000
"""Tasks that are counted one by one; beyond it is said that there are more."""
PAGE_SECONDS = 0.006
"""How long a page waits for a number that it could do without."""
FACET_SECONDS = 0.4


@dataclass(frozen=True, slots=True)
class Facet:
    """Value -> number of tasks, the greatest first; at least so many if not `whole`."""

    counts: dict[str, int] = field(default_factory=dict)
    whole: bool = True


Facets = dict[str, Facet]


def count(connection: sa.Connection, where: list[Clause], most: int = MOST, seconds: float = PAGE_SECONDS) -> Count:
    """How many match, at most `most` of them, and not longer than `seconds`: then at least those that were found."""
    matching = sa.select(sa.literal(1)).select_from(table).where(*where).limit(most + 1)
    counted = sa.select(sa.func.count()).select_from(matching.subquery())
    rows, _ = rows_within(connection, counted, seconds / 2)
    if rows:
        return Count(min(rows[0][0], most), rows[0][0] <= most)
    # Too many to be counted at once: one by one, to know of some of them when the time is over.
    rows, whole = rows_within(connection, matching, seconds / 2)
    return Count(min(len(rows), most), whole and len(rows) <= most)


def patience(query: TaskQuery) -> float:
    """For how many seconds its tasks may be counted: the few among which an index found them are soon gone through."""
    return PAGE_SECONDS if query.among is None else FACET_SECONDS


def read(connection: sa.Connection, query: TaskQuery, seconds: float = FACET_SECONDS) -> Facets:
    """Every facet, counted without regard to its own filter: what one would get for another choice."""
    until = time.monotonic() + seconds
    newest: dict[TaskQuery, Facets] = {}
    found: Facets = {}
    for name in FACETS:
        others = _without(filters_of(query), name)
        where = conditions(others, table)
        facet = None
        if not where and name in ALWAYS:
            facet = _whole(connection, name, until - time.monotonic())
        if facet is None:
            if others not in newest:
                newest[others] = _newest(connection, where, max(0.05, until - time.monotonic()))
            facet = newest[others][name]
        found[name] = facet
    return found


def _without(query: TaskQuery, name: str) -> TaskQuery:
    unset: dict[str, Any] = {name: None}
    return replace(query, **unset)


def _whole(connection: sa.Connection, name: str, seconds: float) -> Facet | None:
    """All values of an indexed column; None when there was no time for it."""
    column = table.c[name]
    rows, whole = rows_within(connection, sa.select(column, sa.func.count()).group_by(column), seconds)
    return _facet(Counter({value: number for value, number in rows if value}), True) if whole else None


def _newest(connection: sa.Connection, where: list[Clause], seconds: float) -> Facets:
    statement = sa.select(*(table.c[name] for name in FACETS)).where(*where)
    rows, whole = rows_within(connection, statement.order_by(table.c.received.desc()).limit(MOST + 1), seconds)
    whole = whole and len(rows) <= MOST
    columns = zip(*rows, strict=True) if rows else [()] * len(FACETS)
    return {name: _facet(Counter(filter(None, values)), whole) for name, values in zip(FACETS, columns, strict=True)}


def _facet(counted: Counter[str], whole: bool) -> Facet:
    return Facet(dict(sorted(counted.items(), key=lambda item: (-item[1], item[0]))), whole)
