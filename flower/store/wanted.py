"""Indexes that are made when somebody first sorts or filters by their columns, and go when nobody does any more.

Each index costs every row that is written, and few people ask for the tasks that ran longest, or for the failures of
one name. The first question of that kind looks at all rows; those after it find an index.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from flower.store.narrow import together
from flower.store.plan import Clause, columns_of
from flower.store.query import TaskQuery
from flower.store.schema import ON_DEMAND, Columns

UNUSED_SECONDS = 3_600.0
RETRY_SECONDS = 300.0
HELD_UP_SECONDS = 2.0
"""How long the making may hold up others that wait to write: memory has room for some seconds of a burst."""


class WantedIndexes:
    """Which indexes were asked for, and which exist: `made`. Any thread asks and looks, the writer's does the rest."""

    def __init__(self, made: Iterable[Columns]) -> None:
        self._asked = dict.fromkeys(made, time.monotonic())
        self.made = frozenset(self._asked)
        self._not_before: dict[Columns, float] = {}

    def ask(self, query: TaskQuery, where: Sequence[Clause]) -> None:
        """Somebody reads so."""
        columns = ON_DEMAND & {query.sort_by}.union(*map(columns_of, where))
        asked = [*((column,) for column in columns), *together(where)[:1]]
        self._asked.update(dict.fromkeys(asked, time.monotonic()))

    def missing(self) -> Columns | None:
        """The index that is to be made now."""
        now = time.monotonic()
        wanted = (columns for columns in list(self._asked) if columns not in self.made)
        return next((columns for columns in wanted if self._not_before.get(columns, 0.0) <= now), None)

    def unused(self) -> Columns | None:
        """The index that nobody needed for an hour."""
        since = time.monotonic() - UNUSED_SECONDS
        return next((columns for columns in self.made if self._asked[columns] < since), None)

    def make(self, columns: Columns) -> None:
        """It exists from now on."""
        self.made |= {columns}

    def give_up(self, columns: Columns) -> None:
        """It could not be made now."""
        self._not_before[columns] = time.monotonic() + RETRY_SECONDS

    def forget(self, columns: Columns) -> None:
        """It exists no longer."""
        self.made -= {columns}
        del self._asked[columns]


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
