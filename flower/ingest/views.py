"""One decoded task event as a partial view of its task (see `flower.store.merge`).

Events come from any process that can reach the broker, so no type is taken on trust.
"""

from __future__ import annotations

from typing import Any

import orjson

from flower.store.merge import View, settle
from flower.utils.coercion import TEXT_LIMIT, number, text, whole

DESCRIPTION = ("name", "args", "kwargs", "eta", "expires", "root_id", "parent_id")
COPIED: dict[str, tuple[str, ...]] = {
    "task-sent": (*DESCRIPTION, "queue", "exchange", "routing_key"),
    "task-received": DESCRIPTION,
    "task-started": (),
    "task-succeeded": ("result",),
    "task-failed": ("exception", "traceback"),
    "task-retried": ("exception", "traceback"),
    "task-revoked": (),
    "task-rejected": (),
}
"""Event type -> the text fields that have a column of the same name."""

KNOWN = frozenset(
    {"type", "uuid", "hostname", "timestamp", "utcoffset", "pid", "clock", "local_received", "retries", "runtime"}
    | {"priority", *(field for fields in COPIED.values() for field in fields)}
)


def view_of(uuid: str, host: str, event: dict[str, Any], now: float) -> View:
    """The facts that an event tells of the task `uuid`. `now` stands in for an impossible time."""
    type_ = event["type"]
    time = event.get("timestamp")
    if time.__class__ is not float or not 0.0 < time < 1e11:
        time = number(time)
        if time is None or not 0.0 < time < 1e11:
            time = now
    view: View = {"uuid": uuid, "timestamp": time}
    clock = event.get("clock")
    if clock is not None:
        view["clock"] = whole(clock)
    fields = COPIED.get(type_)
    if fields is None:
        _customise(view, event, type_, time)
        view["worker"] = host
        return view
    view[type_[5:]] = time
    for field in fields:
        value = event.get(field)
        if value is not None:
            view[field] = value if value.__class__ is str and len(value) <= TEXT_LIMIT else text(value)
    if type_ == "task-sent":
        view["client"] = host
    else:
        view["worker"] = host
    _add_particulars(view, event, type_, time, host)
    return view


def _add_particulars(view: View, event: dict[str, Any], type_: str, time: float, host: str) -> None:
    """What only one type of event tells."""
    if type_ == "task-succeeded":
        view["runtime"] = number(event.get("runtime"))
    elif type_ in ("task-received", "task-sent"):
        view["retries"] = whole(event.get("retries"))
        # A retried task names itself as its parent; the first attempt told the real one.
        if view.get("parent_id") == view["uuid"]:
            del view["parent_id"]
        if "priority" in event:
            view["priority"] = whole(event["priority"])
    elif type_ == "task-retried":
        view["attempts"] = [[time, "retried", host, view.get("exception")]]
    elif type_ == "task-revoked":
        view["extra"] = _unknown_fields(event)


def _customise(view: View, event: dict[str, Any], type_: str, time: float) -> None:
    view["custom"] = time
    view["custom_state"] = type_[5:].upper()[:100]
    view["extra"] = _unknown_fields(event)


def _unknown_fields(event: dict[str, Any]) -> dict[str, Any]:
    """The fields without a column; one text instead when they are too large together."""
    fields = {str(key): value for key, value in event.items() if key not in KNOWN}
    try:
        size = len(orjson.dumps(fields))
    except (TypeError, ValueError, RecursionError):
        return {"fields": text(str(fields))}
    return fields if size <= TEXT_LIMIT else {"fields": text(str(fields))}


def settled_view_of(uuid: str, host: str, event: dict[str, Any], now: float) -> View:
    """`view_of`, with its state: what a task is when this event is the first that is seen of it."""
    view = view_of(uuid, host, event, now)
    settle(view)
    return view
