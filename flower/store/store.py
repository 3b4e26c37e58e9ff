"""Every task that is kept, and every question about them.

Reading methods may be called from any thread; `write` and what else changes the store belong to the
one thread of `flower.store.saver`. All of them may block.
"""

from __future__ import annotations

import contextlib
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from flower.store import audit, depths, facets, keyset, lookup
from flower.store.condition import Condition
from flower.store.engine import Engine
from flower.store.errors import StoreError
from flower.store.family import Family
from flower.store.family import read as read_family
from flower.store.kept import Kept
from flower.store.merge import View, merged
from flower.store.narrow import is_in_order, narrowest
from flower.store.plan import Clause, checked, walking
from flower.store.query import Count, Cursor, Page, Slice, TaskQuery
from flower.store.retention import Ages, Retention
from flower.store.revision import Revision
from flower.store.rollup_rows import RollupRows
from flower.store.rollups import Rollups
from flower.store.rows import task_of, tasks_with
from flower.store.schema import tasks as table
from flower.store.sqlite import flat
from flower.store.stats import Stats, StatsQuery
from flower.store.stats import read as read_stats
from flower.store.task import Task
from flower.store.totals import Totals
from flower.store.where import conditions
from flower.utils.coercion import encodable

NO_AGES = Ages()
EVICTED_MOST = 1_000
"""Of older tasks, in one transaction besides as many as came in: when fewer may be kept than before."""


class Store(Condition):
    """Tasks as rows of a SQL database; at most `max_tasks` of them."""

    def __init__(self, engine: Engine, max_tasks: int, ages: Ages = NO_AGES) -> None:
        super().__init__()
        self.engine = engine
        self.is_open = False
        self.max_tasks = max_tasks
        self.write_seconds = 0.0
        self.lost = 0
        """Changes that could not be stored whatever was tried."""
        self._writer = engine.writer
        self.tasks = 0
        self.retention = Retention(self._writer, ages)
        self.revision = Revision(shared=engine.shared)
        self.rollups = Rollups(RollupRows(self._writer), shared=engine.shared)
        self.audit = audit.AuditRows(self._writer)
        self._facets: Kept[facets.Facets] = Kept()
        self._totals = Totals(shared=engine.shared)
        self.depths = depths.DepthRows(self._writer)

    def open(self) -> None:
        """Nothing is read or written before. Idempotent; raises as the engine's does."""
        if not self.is_open:
            self.tasks = self.engine.open()
            self.is_open = True

    @property
    def durable(self) -> bool:
        """Whether what is stored outlives the process."""
        return self.engine.durable

    @property
    def is_shared(self) -> bool:
        """Whether a row may tell more of a task than this process heard; not asked while the store fails."""
        return self.engine.crowded and self.failing_since is None

    @property
    def description(self) -> str:
        return self.engine.description

    def size(self) -> int:
        """Bytes that it takes; 0 while nobody can be asked."""
        return self.engine.size() if self.is_open else 0

    # Reading

    def search(self, query: TaskQuery) -> Page:
        """The page that the query asks for. Raises ValueError for an unknown column to sort by."""
        with self._connect() as connection:
            ids, total = self._page(connection, query)
            return Page([task for _, task in tasks_with(connection, ids)], total, self.tasks)

    def _page(self, connection: sa.Connection, asked: TaskQuery) -> tuple[list[int], int]:
        """The ids of the page, and how many tasks match."""
        checked(asked.sort_by)
        query, where = self._conditions(connection, asked)
        if query.search is None and not is_in_order(query, where):
            total = self._totals.about(connection, asked, where, self.tasks)
            within = query.limit > 0 and query.offset < total
            where = walking(query, where, total, self.tasks)
            return (keyset.ids(connection, query, where) if within else []), total
        # Reading everything twice is dear: a page that is not full has told the count.
        ids = keyset.ids(connection, query, where)
        told = len(ids) < query.limit and (ids or query.offset == 0)
        return ids, query.offset + len(ids) if told else self._totals.about(connection, asked, where, self.tasks)

    def slice(self, query: TaskQuery, place: Cursor | None = None, *, backward: bool = False) -> Slice:
        """The tasks next to the place: those after it, or, `backward`, those before it; without one by `offset`.

        As fast far from the beginning as near to it where the sorted column has an index. Raises ValueError.
        """
        with self._connect() as connection:
            query, where = self._conditions(connection, query)
            return keyset.read(connection, query, where, place, backward, self.tasks)

    def about(self, query: TaskQuery) -> Count:
        """How many tasks match, told at once: beyond some thousands, at least how many."""
        with self._connect() as connection:
            query, where = self._conditions(connection, query)
            return facets.count(connection, where, seconds=facets.patience(query)) if where else Count(self.tasks)

    def facets(self, query: TaskQuery, *, hurry: bool = False) -> facets.Facets | None:
        """How many tasks of each state, name, worker and queue match; in a `hurry` None if it is not known yet."""
        found = self._facets.get(query)
        if found is None and not hurry:
            began = time.monotonic()
            with self._connect() as connection:
                found = facets.read(connection, self._conditions(connection, query)[0])
            self._facets.put(query, found, time.monotonic() - began)
        return found

    def iterate(self, query: TaskQuery, at_once: int = 1000) -> Iterator[Task]:
        """The same tasks as `search`, however many, `at_once` in memory.

        Which ones and their order are settled when the first is taken; each is read when it is near,
        and left out when it was deleted by then.
        """
        with self._connect() as connection:
            ids = array("q", keyset.ids(connection, *self._conditions(connection, query)))
        for start in range(0, len(ids), at_once):
            with self._connect() as connection:
                found = tasks_with(connection, ids[start : start + at_once].tolist())
            yield from (task for _, task in found)

    def count(self, query: TaskQuery) -> int:
        """How many tasks match."""
        with self._connect() as connection:
            return self._totals.exactly(connection, self._conditions(connection, query)[1], self.tasks)

    def get(self, uuid: str) -> Task | None:
        """The stored task, None when there is none."""
        self._check_open()
        try:
            row = self.engine.lookup.row(encodable(uuid))
        except self.engine.failures as error:
            raise StoreError(f"The store cannot be read: {error}") from error
        return None if row is None else task_of(row)

    def children(self, uuids: Sequence[str]) -> dict[str, list[str]]:
        """The uuids of the tasks that each of `uuids` sent, oldest first; childless ones are left out."""
        with self._connect() as connection:
            return lookup.children(connection, uuids)

    def family(self, uuid: str, root: str | None) -> Family:
        """What `root` began, those around the task `uuid` among them; bounded."""
        with self._connect() as connection:
            return read_family(connection, uuid, root)

    def names(self) -> list[str]:
        """The distinct task names, sorted."""
        with self._connect() as connection:
            return lookup.names(connection)

    def starting(self, prefix: str, limit: int) -> list[tuple[str, str, str]]:
        """(uuid, name, state) of tasks whose id starts with a prefix."""
        with self._connect() as connection:
            return lookup.starting(connection, prefix, limit)

    def stats(self, query: StatsQuery) -> Stats:
        """What happened in a span of time, from what was counted when it happened. Up to a second late."""
        with self._connect() as connection:
            return read_stats(connection, query)

    def audited(self, query: audit.AuditQuery) -> tuple[list[audit.Entry], int]:
        """Who did what, newest first, and how many entries match."""
        with self._connect() as connection:
            return audit.read(connection, query)

    def depths_of(self, query: depths.DepthQuery, now: float) -> dict[str, list[depths.Point]]:
        """How deep the queues were, by name. Up to a second late."""
        with self._connect() as connection:
            return depths.read(connection, query, now)

    def _conditions(self, connection: sa.Connection, query: TaskQuery) -> tuple[TaskQuery, list[Clause]]:
        """The query, whose search may have become a list of ids, and what a row must satisfy: what is rare leads."""
        where = conditions(query, table)
        self.engine.ask(query, where)
        among = query.search and self.engine.matching(connection, query.search, self.tasks)
        if among:
            query = replace(query, search=None, among=among)
            where = conditions(query, table)
        hints = self.engine.hints(connection, query.search) if query.search else []
        return query, narrowest(connection, [*where, *hints], self.engine.made)

    @contextlib.contextmanager
    def _connect(self) -> Iterator[sa.Connection]:
        self._check_open()
        try:
            with self.engine.reader.connect() as connection:
                yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise StoreError(f"The store cannot be read: {getattr(error, 'orig', error)}") from error

    def _check_open(self) -> None:
        if not self.is_open:
            raise StoreError(f"The store cannot be read: {self.failure or 'it is not open'}")

    # Writing

    def write(self, changed: Sequence[View]) -> dict[str, View]:
        """Store these views; those that are not marked `stored` are merged with their row first.

        So are all while other processes write too. Returns the rows that were found, by uuid, for memory to
        learn from. Raises one of the engine's `failures` when nothing was written.
        """
        began = time.monotonic()
        crowded = self.engine.crowded
        unread = [task["uuid"] for task in changed if crowded or not task.get("stored")]
        with self.revision.changing(), self._writer.transaction():
            found = self._writer.fetch(unread)
            new = self._upsert([flat(merged(task, found.get(task["uuid"]))) for task in changed])
            fresh = len(unread) - len(found) if new is None else new
            excess = self.tasks + fresh - self.max_tasks
            gone = self._writer.evict(min(excess, fresh + EVICTED_MOST)) if excess > 0 else 0
            tasks = self.engine.counted(self.tasks, fresh - gone)
        self.tasks = tasks
        self.write_seconds = time.monotonic() - began
        return found

    def _upsert(self, tasks: list[View]) -> int | None:
        try:
            return self._writer.upsert(tasks)
        except self.engine.bad_values:
            # Somewhere among them is a value that no database takes; the others must not suffer for it.
            storable = self.engine.storable
            return self._writer.upsert([{name: storable(value) for name, value in task.items()} for task in tasks])

    def keep_house(self, now: float, *, at_once: bool = False, behind: Callable[[], bool] = lambda: False) -> None:
        """Store what was noted besides tasks, and tidy up. What one process must do, the leading one does.

        While too many tasks are `behind`, what can wait does. Raises one of the engine's `failures`; can be repeated.
        """
        self.engine.attend(self.tasks, behind)
        busy = behind()
        if self.engine.crowded:
            self.tasks = self._writer.count()
        self.audit.write()
        if self.engine.leads:
            if not busy:
                self._forget(now)
            self.depths.write()
            self.rollups.write(now, at_once=at_once, busy=busy)
            self.rollups.tidy(now)
            self.depths.tidy(now)
        else:
            self.rollups.hold(now)

    def _forget(self, now: float) -> None:
        """Take one step of forgetting, if any is due, and give back some of the space."""
        if self.retention.is_due(self.tasks - self.max_tasks):
            with self.revision.changing(), self._writer.transaction():
                gone = self.retention.step(self.tasks - self.max_tasks, now)
                tasks = self.engine.counted(self.tasks, -gone)
            self.tasks = tasks
        self.engine.give_back()

    def unfinished(self, limit: int) -> list[View]:
        """The newest unfinished tasks, oldest first, marked `stored`."""
        return [{**task, "stored": True} for task in self._writer.unfinished(limit)]

    def save_workers(self, facts: dict[str, dict[str, Any]], gone: Sequence[str]) -> None:
        with self._writer.transaction():
            self._writer.save_workers(facts, gone)

    def load_workers(self) -> dict[str, dict[str, Any]]:
        return self._writer.load_workers()

    def close(self) -> None:
        """Idempotent. A temporary store is gone afterwards."""
        self.engine.close()
