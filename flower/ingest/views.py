"""One decoded task event as a partial view of its task (see `flower.store.merge`).

Events come from any process that can reach the broker, so no type is taken on trust.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from flower.store import merge
from flower.store.rollups import STATES
from flower.utils.coercion import NAME_LIMIT, TEXT_LIMIT, encodable, number, text, whole

STATE_LIMIT = 100
"""Characters kept of the name of a custom state."""
FAR_FUTURE = 1e11
"""A time beyond it, some three thousand years from now, is none."""

View = merge.View
Event = dict[str, Any]
Addition = Callable[[View, Event, float, str], None]
"""Adds to a view what only this kind of event tells: view, event, time, host."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of task event: the column of its time, the text fields it may carry, and what else it tells."""

    moment: str
    fields: tuple[str, ...] = ()
    add: Addition | None = None


def view_of(uuid: str, host: str, event: Event, now: float) -> View:
    """The facts that an event tells of the task `uuid`. `now` stands in for an impossible time."""
    time = event.get("timestamp")
    if time.__class__ is not float or not 0.0 < time < FAR_FUTURE:
        time = number(time)
        if time is None or not 0.0 < time < FAR_FUTURE:
            time = now
    view: View = {"uuid": uuid, "timestamp": time, "worker": host}
    clock = event.get("clock")
    if clock is not None:
        view["clock"] = whole(clock)
    kind = KINDS.get(event["type"])
    if kind is None:
        _customise(view, event, time)
        return view
    view[kind.moment] = time
    for field in kind.fields:
        value = event.get(field)
        if value is not None:
            view[field] = _fitting(value, LIMITS[field])
    if kind.add is not None:
        kind.add(view, event, time, host)
    return view


def follow(task: View, host: str, event: Event) -> bool:
    """Take in the next event of a task's usual life as `join` would, at a third of its cost; False for any other.

    Usual is: received, then started by the same worker, then succeeded, each once and none before the other.
    """
    step = STEPS.get(event["type"])
    time = event.get("timestamp")
    if step is None or time.__class__ is not float or task.get("worker") != host:
        return False
    before, moment, state = step
    if task["state"] != before or not task["timestamp"] <= time < FAR_FUTURE:
        return False
    if task.get(moment) is not None or task.get("custom") is not None:
        return False
    if moment == "succeeded":
        if task.get("runtime") is not None or task.get("result") is not None:
            return False
        task["result"] = _fitting(event.get("result"))
        task["runtime"] = number(event.get("runtime"))
    task[moment] = task["timestamp"] = time
    task["state"] = state
    clock, known = whole(event.get("clock")), task.get("clock")
    if clock is not None and (known is None or clock > known):
        task["clock"] = clock
    return True


def _fitting(value: Any, limit: int = TEXT_LIMIT) -> str | None:
    plain = value.__class__ is str and value.isascii() and len(value) <= limit
    return value if plain else text(value, limit)


def settled_view_of(uuid: str, host: str, event: Event, now: float) -> View:
    """`view_of`, with its state: what a task is when this event is the first that is seen of it."""
    view = view_of(uuid, host, event, now)
    state = STATES.get(event["type"])
    if state is None:
        merge.settle(view)
    else:
        view["state"] = state
    return view


def _describe(view: View, event: Event, _time: float, _host: str) -> None:
    view["retries"] = whole(event.get("retries"))
    # A retried task names itself as its parent; the first attempt told the real one.
    if view.get("parent_id") == view["uuid"]:
        del view["parent_id"]
    if "priority" in event:
        view["priority"] = whole(event["priority"])


def _send(view: View, event: Event, time: float, host: str) -> None:
    del view["worker"]
    view["client"] = host
    _describe(view, event, time, host)


def _time_run(view: View, event: Event, _time: float, _host: str) -> None:
    view["runtime"] = number(event.get("runtime"))


def _attempt(view: View, _event: Event, time: float, host: str) -> None:
    view["attempts"] = [[time, "retried", host, view.get("exception")]]


def _note(view: View, event: Event, _time: float, _host: str) -> None:
    view["extra"] = _unknown_fields(event)


def _customise(view: View, event: Event, time: float) -> None:
    view["custom"] = time
    view["custom_state"] = event["type"][5:].upper()[:STATE_LIMIT]
    view["extra"] = _unknown_fields(event)


def _unknown_fields(event: Event) -> dict[str, Any]:
    """The fields without a column; one text instead when they are too large together."""
    fields = {str(key): value for key, value in event.items() if key not in KNOWN}
    try:
        size = len(orjson.dumps(fields))
    except (TypeError, ValueError, RecursionError):
        return {"fields": text(encodable(fields))}
    return fields if size <= TEXT_LIMIT else {"fields": text(encodable(fields))}


NAMES = frozenset({"name", "root_id", "parent_id", "queue", "exchange", "routing_key"})
DESCRIPTION = ("name", "args", "kwargs", "eta", "expires", "root_id", "parent_id")
KINDS: dict[str, Kind] = {
    "task-sent": Kind("sent", (*DESCRIPTION, "queue", "exchange", "routing_key"), _send),
    "task-received": Kind("received", DESCRIPTION, _describe),
    "task-started": Kind("started"),
    "task-succeeded": Kind("succeeded", ("result",), _time_run),
    "task-failed": Kind("failed", ("exception", "traceback")),
    "task-retried": Kind("retried", ("exception", "traceback"), _attempt),
    "task-revoked": Kind("revoked", (), _note),
    "task-rejected": Kind("rejected"),
}
"""Every other `task-*` event sets a custom state."""

LIMITS = {field: NAME_LIMIT if field in NAMES else TEXT_LIMIT for kind in KINDS.values() for field in kind.fields}
"""Characters kept of each field."""

STEPS = {"task-started": ("RECEIVED", "started", "STARTED"), "task-succeeded": ("STARTED", "succeeded", "SUCCESS")}
"""Type of an event -> the state before it, its moment, the state after it."""

KNOWN = frozenset(
    {"type", "uuid", "hostname", "timestamp", "utcoffset", "pid", "clock", "local_received", "retries", "runtime"}
    | {"priority", *(field for kind in KINDS.values() for field in kind.fields)}
)
