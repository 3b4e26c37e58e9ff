"""Indexes that are made when somebody first sorts or filters by their column.

Each index costs every row that is written, and few people ask for the tasks that ran longest. The first question by
such a column reads all rows; those after it find an index, until the store is opened anew.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from flower.store.plan import Clause, columns_of
from flower.store.query import TaskQuery
from flower.store.schema import ON_DEMAND


class WantedIndexes:
    """Which of `indexes` (column -> index) were asked for and do not exist. Any thread."""

    def __init__(self, indexes: dict[str, sa.Index] = ON_DEMAND) -> None:
        self._missing = dict(indexes)
        self._asked: set[str] = set()

    def ask(self, query: TaskQuery, where: Iterable[Clause]) -> None:
        """Somebody reads by these columns."""
        if self._missing:
            self._asked |= self._missing.keys() & {query.sort_by}.union(*map(columns_of, where))

    def next(self) -> sa.Index | None:
        """The index that is to be made now."""
        return next((self._missing[column] for column in self._asked & self._missing.keys()), None)

    def made(self, index: sa.Index) -> None:
        """It exists from now on."""
        del self._missing[index.columns[0].name]
