"""Reading tasks from Python: filter, search, sort, page by page or all of them.

Everything reads the store behind `events`; what was fed to `events` just before is found. May block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, time
from typing import Any, Protocol, TypeVar

from flower.state import State
from flower.store import COLUMNS, NAMES, Task, TaskQuery
from flower.utils.literals import readable
from flower.utils.search import Query, SearchPage, parse_query

TASK_STATES = ["PENDING", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED"]
"""The states that Celery names; `flower.store.TASK_STATES` are those of the store, with RECEIVED and REJECTED."""

SORT_KEYS = frozenset(column.name for column in COLUMNS if column.kind != "json")
"""What tasks can be sorted by."""

_NO_LIMIT = 2**63 - 1

When = datetime | date | float | str | None
Item = TypeVar("Item")


class HasState(Protocol):
    """What is needed of `flower.events.Events`."""

    @property
    def state(self) -> State: ...


def iter_tasks(
    events: HasState,
    limit: int | None = None,
    offset: int = 0,
    type: str | None = None,
    worker: str | None = None,
    state: str | None = None,
    sort_by: str | None = None,
    received_start: When = None,
    received_end: When = None,
    started_start: When = None,
    started_end: When = None,
    search: str | Query | None = None,
) -> Iterator[Task]:
    """The tasks that match everything given, read from the store as they are reached.

    `sort_by` is any of `SORT_KEYS`, falling with `-` before it; tasks without that fact come last;
    without `sort_by` the newest come first. Times are datetimes (naive ones are local),
    seconds since the epoch, or texts: `2026-11-21 10:00`, ISO 8601; both ends are within. Raises
    ValueError at once for what cannot be sorted by, a text that is no time, or a search that cannot
    be read.
    """
    times = _times(received_start, received_end, started_start, started_end)
    query = _query(type, worker, state, search, times, sort_by, None, limit, offset)
    events.state.flush()
    return events.state.store.iterate(query)


def search_tasks(
    events: HasState,
    limit: int | None = None,
    offset: int = 0,
    type: str | None = None,
    worker: str | None = None,
    state: str | None = None,
    sort_by: str | None = None,
    received_start: When = None,
    received_end: When = None,
    started_start: When = None,
    started_end: When = None,
    search: str | Query | None = None,
    descending: bool | None = None,
) -> SearchPage:
    """The ids of the page that `iter_tasks` would walk, and how many tasks match, and are kept.

    `descending` turns the order without a `-` in `sort_by`.
    """
    times = _times(received_start, received_end, started_start, started_end)
    query = _query(type, worker, state, search, times, sort_by, descending, limit, offset)
    events.state.flush()
    store = events.state.store
    return SearchPage([task["uuid"] for task in store.iterate(query)], store.count(query), store.tasks)


def sort_tasks(tasks: Iterable[Item], sort_by: str) -> list[Item]:
    """The tasks (mappings, objects, or pairs of uuid and task) in order; those without the fact last."""
    name, descending = _order(sort_by)
    facts = [(_fact(_task_of(item), name), item) for item in tasks]
    known = [(_sortable(fact), item) for fact, item in facts if fact is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _, item in known] + [item for fact, item in facts if fact is None]


def get_task_by_id(events: HasState, task_id: str) -> Task | None:
    """The task as it is known now, None when it is not."""
    return events.state.task(task_id)


def as_dict(task: Any) -> dict[str, Any]:
    """Every fact of a task (a mapping, or an object with attributes), with values for the texts of
    args, kwargs and result where these are complete Python literals; unknown facts are None.
    """
    facts = {name: _fact(task, name) for name in NAMES}
    for name in ("args", "kwargs", "result"):
        if isinstance(facts[name], str):
            facts[name] = readable(facts[name])
    return {**facts, "hostname": facts["worker"]}


def _fact(task: Any, name: str) -> Any:
    fact = task.get(name) if isinstance(task, Mapping) else getattr(task, name, None)
    if name == "worker" and fact is not None and not isinstance(fact, str):
        return _fact(fact, "hostname")
    return fact


def _task_of(item: Any) -> Any:
    return item[1] if isinstance(item, tuple) and len(item) == 2 else item


def _sortable(fact: Any) -> tuple[int, Any]:
    """Numbers before texts, and texts without regard to case."""
    return (0, fact) if isinstance(fact, (int, float)) else (1, str(fact).casefold())


sort_keys: dict[str, Callable[[Any], Any]] = {
    "name": lambda task: _fact(task, "name") or "",
    "state": lambda task: _fact(task, "state") or "",
    "received": lambda task: _fact(task, "received") or 0,
    "started": lambda task: _fact(task, "started") or 0,
    "runtime": lambda task: _fact(task, "runtime") or 0,
    "worker": lambda task: _fact(task, "worker") or "",
}
"""Keys for `sorted`, each of a task as `iter_tasks` yields it."""


def _order(sort_by: str) -> tuple[str, bool]:
    """The column and whether it falls."""
    name = sort_by.removeprefix("-")
    if name not in SORT_KEYS:
        raise ValueError(f"Cannot sort by {name!r}; allowed: {', '.join(name for name in NAMES if name in SORT_KEYS)}")
    return name, name != sort_by


def _query(
    type: str | None,
    worker: str | None,
    state: str | None,
    search: str | Query | None,
    times: dict[str, float | None],
    sort_by: str | None,
    descending: bool | None,
    limit: int | None,
    offset: int,
) -> TaskQuery:
    column, falls = _order(sort_by) if sort_by else ("timestamp", descending is None)
    return TaskQuery(
        name=type or None,
        state=state or None,
        worker=worker or None,
        search=parse_query(search) if isinstance(search, str) else search,
        sort_by=column,
        descending=falls != bool(descending),
        limit=_NO_LIMIT if limit is None else max(0, limit),
        offset=max(0, offset),
        received_start=times["received_start"],
        received_end=times["received_end"],
        started_start=times["started_start"],
        started_end=times["started_end"],
    )


def _times(received_start: When, received_end: When, started_start: When, started_end: When) -> dict[str, float | None]:
    return {
        "received_start": _seconds("received_start", received_start),
        "received_end": _seconds("received_end", received_end),
        "started_start": _seconds("started_start", started_start),
        "started_end": _seconds("started_end", started_end),
    }


def _seconds(name: str, when: When) -> float | None:
    """Seconds since the epoch; naive times are local, as for `datetime.timestamp`."""
    if when is None or when == "":
        return None
    if isinstance(when, (int, float)):
        return float(when)
    try:
        if isinstance(when, str):
            when = datetime.fromisoformat(when.strip().replace("Z", "+00:00").replace("z", "+00:00"))
        elif not isinstance(when, datetime):
            when = datetime.combine(when, time())
        return when.timestamp()
    except (ValueError, TypeError, OverflowError):
        allowed = "a datetime, seconds since the epoch, 2026-11-21 10:00 or another ISO 8601 text"
        raise ValueError(f"{name} must be {allowed}, not {when!r}") from None
