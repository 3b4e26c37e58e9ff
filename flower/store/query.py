"""What can be asked of a store about its tasks, and the answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from flower.store.task import Task
from flower.utils.search import Query


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Which tasks, in which order, which page. Times are seconds since the epoch.

    `name`, `state` and `worker` match the whole value without regard to case, `queue` with it. A task without
    a received (started) time is outside every received (started) range. Tasks that lack the
    sorted column come last, whatever the direction. Tasks of one name, state or worker go by received time,
    other ties by arrival.
    """

    name: str | None = None
    state: str | None = None
    worker: str | None = None
    queue: str | None = None
    received_start: float | None = None
    received_end: float | None = None
    started_start: float | None = None
    started_end: float | None = None
    search: Query | None = None
    among: str | None = None
    """Only tasks with one of these ids of rows, a list as JSON: what an index made of the search (SQLite)."""
    sort_by: str = "received"
    descending: bool = True
    limit: int = 100
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """`tasks` of the asked page, `total` that match, `stored` of all."""

    tasks: list[Task] = field(default_factory=list)
    total: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order: that of one task, by its values of the columns that order, and its id."""

    values: tuple[str | float | None, ...]
    id: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; at least so many if not `whole`."""

    number: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Slice:
    """Neighbours in an order. `first` and `last` are the places of the outer ones, None without any.

    `before` and `after` tell whether there are more, `total` how many match in all.
    """

    tasks: list[Task] = field(default_factory=list)
    first: Cursor | None = None
    last: Cursor | None = None
    before: bool = False
    after: bool = False
    total: Count = field(default_factory=Count)
