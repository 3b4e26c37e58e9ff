"""How many tasks match, all of them counted: what the API tells beside a page. Any thread."""

from __future__ import annotations

import time

import sqlalchemy as sa

from flower.store.kept import Kept
from flower.store.plan import Clause
from flower.store.query import TaskQuery
from flower.store.schema import tasks as table

MANY = 10_000
"""So many may be counted as they were a moment ago."""


class Totals:
    """Numbers of tasks, the great ones kept for twenty times as long as counting them took."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._kept: Kept[int] = Kept()

    def exactly(self, connection: sa.Connection, where: list[Clause], stored: int) -> int:
        """The number now; that of all is known: `stored`."""
        # A server reads every row to count them, and SQLite an entry of an index for each.
        if not where and (self._shared or stored > MANY):
            return stored
        return connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()

    def about(self, connection: sa.Connection, query: TaskQuery, where: list[Clause], stored: int) -> int:
        """The number, a moment old when there are many."""
        kept = self._kept.get(query) if where else None
        if kept is not None:
            return kept
        began = time.monotonic()
        total = self.exactly(connection, where, stored)
        if total > MANY:
            self._kept.put(query, total, time.monotonic() - began)
        return total
