"""What a worker answers when it is asked: tasks, as partial views for the state, and what it can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flower.utils.coercion import number
from flower.utils.redaction import Redactor

View = dict[str, Any]
TIME_LIMITS = ("soft_time_limit=", "time_limit=")
WAITING = ("active", "reserved", "scheduled")
"""The questions whose answers hold tasks with their arguments."""


def tasks_of(worker: str, method: str, reply: Any, now: float) -> list[View]:
    """The tasks in a worker's answer to `active`, `reserved` or `scheduled`; none for other methods.

    `now` stands for the unknown time at which a waiting task was received. `extra` tells that
    the task was found by inspection.
    """
    if method not in WAITING or not isinstance(reply, list):
        return []
    return [view for view in (_view(worker, method, item, now) for item in _dicts(reply)) if view is not None]


def ids_of(method: str, reply: Iterable[Any]) -> set[str]:
    """The ids of the tasks in a worker's answer to `active`, `reserved` or `scheduled`."""
    requests = (item.get("request") if method == "scheduled" else item for item in _dicts(reply))
    return {str(request.get("id")) for request in requests if isinstance(request, dict)}


def _view(worker: str, method: str, item: View, now: float) -> View | None:
    request = item.get("request") if method == "scheduled" else item
    if not isinstance(request, dict) or not request.get("id"):
        return None
    view: View = {
        "uuid": str(request["id"]),
        "name": request.get("name") or request.get("type"),
        "args": _as_text(request.get("args")),
        "kwargs": _as_text(request.get("kwargs")),
        "worker": worker,
        "extra": {"inspected": now},
        **_delivery(request.get("delivery_info")),
    }
    if method == "active":
        started = request.get("time_start")
        # Without a start time (Celery before 5.2 used a monotonic clock) it started some time before now.
        view["started"] = started if isinstance(started, (int, float)) and started > 1e9 else now
    else:
        view["received"] = now
    if method == "scheduled":
        view["eta"] = item.get("eta")
    return {name: value for name, value in view.items() if value is not None}


def _delivery(info: Any) -> View:
    if not isinstance(info, dict):
        return {}
    exchange, routing_key = info.get("exchange"), info.get("routing_key")
    return {
        "exchange": exchange,
        "routing_key": routing_key,
        # The default exchange routes by the queue's name.
        "queue": routing_key if exchange == "" else None,
        "priority": info.get("priority"),
    }


def _as_text(value: Any) -> str | None:
    """Workers send a safe `repr` of running tasks' arguments, and the waiting ones' as JSON values."""
    if isinstance(value, list):
        return repr(tuple(value))
    return value if value is None or isinstance(value, str) else repr(value)


def _dicts(items: Iterable[Any]) -> list[View]:
    return [item for item in items if isinstance(item, dict)]


def with_tasks(method: str, reply: Any, change: Callable[[View], View]) -> Any:
    """A worker's answer with every task in it as `change` makes it."""
    if method not in WAITING or not isinstance(reply, list):
        return reply
    return [_with_task(item, change) if isinstance(item, dict) else item for item in reply]


def _with_task(item: View, change: Callable[[View], View]) -> View:
    if isinstance(item.get("request"), dict):
        return {**item, "request": change(item["request"])}
    return change(item)


def without_secrets(request: View, redactor: Redactor) -> View:
    """The task of a worker with the secrets in its arguments masked."""
    return {**request, **{name: redactor.value(request[name]) for name in ("args", "kwargs") if request.get(name)}}


def without_time_limits(registered: list[Any]) -> tuple[list[Any], dict[str, tuple[float | None, float | None]]]:
    """A worker's answer to `registered` as it is without being asked for time limits, and those: task -> soft, hard."""
    entries, limits = [], {}
    for entry in registered:
        name, bracket, rest = entry.partition(" [") if isinstance(entry, str) else (entry, "", "")
        items = rest.removesuffix("]").split(" ") if bracket else []
        told = dict(item.split("=", 1) for item in items if item.startswith(TIME_LIMITS))
        kept = [item for item in items if not item.startswith(TIME_LIMITS)]
        entries.append(f"{name} [{' '.join(kept)}]" if kept else name)
        if told:
            limits[name] = (number(told.get("soft_time_limit")), number(told.get("time_limit")))
    return entries, limits


def slots_of(pool: Mapping[str, Any]) -> int | None:
    """How many tasks a pool runs at once. Prefork keeps telling its first size after it has grown or shrunk."""
    processes = pool.get("processes")
    if isinstance(processes, (list, tuple)) and processes:
        return len(processes)
    most = pool.get("max-concurrency")
    return most if isinstance(most, int) and not isinstance(most, bool) else None
