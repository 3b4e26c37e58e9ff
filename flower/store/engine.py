"""What the store needs of a database: one that writes, one that looks up, a pool that reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from flower.store.plan import Clause
from flower.store.query import TaskQuery
from flower.store.schema import Columns
from flower.utils.search import Query

Row = tuple[Any, ...]
Span = tuple[float, float]
"""Since when and until when, in seconds since the epoch."""


class Writer(Protocol):
    """The one connection of this process that writes. One thread at a time."""

    def transaction(self) -> Any: ...
    def execute(self, statement: str, values: Iterable[Any] = ()) -> Any: ...
    def executemany(self, statement: str, rows: Iterable[Iterable[Any]]) -> Any: ...
    def fetch(self, uuids: Sequence[str]) -> dict[str, dict[str, Any]]: ...

    def upsert(self, tasks: Sequence[dict[str, Any]]) -> int | None:
        """Insert or replace whole rows by uuid; how many were new, None where the engine does not tell."""

    def count(self) -> int: ...
    def evict(self, number: int) -> int: ...
    def unfinished(self, limit: int) -> list[dict[str, Any]]: ...
    def save_workers(self, facts: dict[str, dict[str, Any]], gone: Sequence[str]) -> None: ...
    def load_workers(self) -> dict[str, dict[str, Any]]: ...
    def close(self) -> None: ...


class Lookup(Protocol):
    """One task by its uuid. Any thread."""

    def row(self, uuid: str) -> Row | None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Peer:
    """A Flower on the same database. Times are seconds since the epoch, by the clock of the database."""

    name: str
    started_at: float
    seen_at: float
    leads: bool
    ours: bool


class Engine(Protocol):
    """A database that is open. `failures` are what its writer raises when it cannot be written now."""

    writer: Writer
    reader: sa.Engine
    lookup: Lookup
    failures: tuple[type[Exception], ...]
    shared: bool
    """Whether other processes may use it at the same time."""
    bad_values: tuple[type[Exception], ...]
    """What the writer raises for a value that no column takes."""

    @property
    def description(self) -> str:
        """What a person would call it."""

    @property
    def durable(self) -> bool:
        """Whether what is stored outlives the process."""

    @property
    def leads(self) -> bool:
        """Whether this process does what one alone must do: summing up, sampling, forgetting."""

    @property
    def crowded(self) -> bool:
        """Whether another process may have written any row since this one began."""

    def open(self) -> int:
        """Make it ready; how many tasks are there. Raises AwayError, or StoreError for what cannot be used.

        Can be repeated until it was done. In the writer's thread, or before there is one.
        """

    @property
    def interrupted(self) -> Span | None:
        """When no process used it, from the end of one that was killed until this one began; None until it is known."""

    def peers(self) -> list[Peer]:
        """The processes on this database, the oldest first; none where there can be but one."""

    def counted(self, known: int, change: int) -> int:
        """Rows stored after such a change, in the transaction of the change."""

    def ask(self, query: TaskQuery, where: Sequence[Clause]) -> None:
        """Somebody reads tasks so: an index may be worth making. Any thread."""

    @property
    def made(self) -> frozenset[Columns]:
        """Which indexes on demand there are, where the database is not the better judge of them. Any thread."""

    def ended(self, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Which of these tasks have ended, as another process stored. In the writer's thread; raises `failures`."""

    def matching(self, connection: sa.Connection, search: Query, tasks: int) -> str | None:
        """The ids of the matching rows, a list as JSON; None where an index does not tell, or they are many.

        `tasks` are stored. What the connection reads after that, until it is given back, is of the same moment.
        """

    def hints(self, connection: sa.Connection, search: Query) -> list[Clause]:
        """What every task that matches fulfils, for an index to lead to it; besides the conditions themselves."""

    def attend(self, tasks: int, behind: Callable[[], bool]) -> None:
        """Do what is due: see the other processes and be seen, make an index. In the writer's thread.

        `tasks` are stored, and `behind` tells whether too many wait to be. Raises `failures`.
        """

    def storable(self, value: Any) -> Any:
        """The value, or the nearest one that a column takes."""

    def is_settled(self) -> bool:
        """Whether every index that was asked for is there. In the writer's thread."""

    def check(self) -> tuple[list[str], list[str]]:
        """What a person may want to know of it, and what is wrong with it. Reads all of it."""

    def give_back(self) -> None:
        """Give some of the space of deleted rows back to the system, if there is much. Raises `failures`."""

    def size(self) -> int:
        """Bytes that it takes."""

    def close(self) -> None:
        """Idempotent."""
