"""Indexes that are made when somebody first sorts or filters by their column, and go when nobody does any more.

Each index costs every row that is written, and few people ask for the tasks that ran longest. The first question by
such a column reads all rows; those after it find an index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from flower.store.plan import Clause, columns_of
from flower.store.query import TaskQuery
from flower.store.schema import ON_DEMAND

UNUSED_SECONDS = 3_600.0
RETRY_SECONDS = 300.0
HELD_UP_SECONDS = 2.0
"""How long the making may hold up others that wait to write: memory has room for some seconds of a burst."""


class WantedIndexes:
    """Which indexes were asked for, and which exist. Any thread asks, the writer's does the rest."""

    def __init__(self, made: Iterable[str]) -> None:
        self._asked = dict.fromkeys(made, time.monotonic())
        self._made = set(self._asked)
        self._not_before: dict[str, float] = {}

    def ask(self, query: TaskQuery, where: Iterable[Clause]) -> None:
        """Somebody reads by these columns."""
        columns = ON_DEMAND & {query.sort_by}.union(*map(columns_of, where))
        self._asked.update(dict.fromkeys(columns, time.monotonic()))

    def missing(self) -> str | None:
        """The column whose index is to be made now."""
        now = time.monotonic()
        wanted = (column for column in list(self._asked) if column not in self._made)
        return next((column for column in wanted if self._not_before.get(column, 0.0) <= now), None)

    def unused(self) -> str | None:
        """The column whose index nobody needed for an hour."""
        since = time.monotonic() - UNUSED_SECONDS
        return next((column for column in self._made if self._asked[column] < since), None)

    def made(self, column: str) -> None:
        """It exists from now on."""
        self._made.add(column)

    def given_up(self, column: str) -> None:
        """It could not be made now."""
        self._not_before[column] = time.monotonic() + RETRY_SECONDS

    def gone(self, column: str) -> None:
        """It exists no longer."""
        self._made.discard(column)
        del self._asked[column]


def longer_than(seconds: float, claim: Callable[[], bool]) -> Callable[[], bool]:
    """A claim that is true when the other was for so long, whenever this was asked."""
    since: float | None = None

    def holds() -> bool:
        nonlocal since
        if not claim():
            since = None
            return False
        since = since or time.monotonic()
        return time.monotonic() - since > seconds

    return holds
