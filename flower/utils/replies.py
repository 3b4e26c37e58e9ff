"""What workers reply, in the shape that its readers rely on: whoever reaches the broker may reply in their place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson

from flower.utils.coercion import TOO_DEEP, encodable, number

DEPTH_MOST = 64
UNFIT = {"error": "its reply has not the shape of one"}
"""Takes the place of a reply that nobody could read."""

Reply = dict[str, Any]


def fitting(question: str, reply: Any) -> Any:
    """The reply to a remote control command with what does not belong into it left out, and text that can be sent on.

    `{"error": ...}` for one that makes no sense at all.
    """
    clean = reply if _is_plain(reply) else cleaned(reply)
    if isinstance(clean, dict) and clean.keys() == {"error"}:
        return {"error": encodable(clean["error"])}
    kind, fit = SHAPES.get(question, (object, None))
    if not isinstance(clean, kind):
        return UNFIT
    return clean if fit is None else fit(clean)


def _is_plain(value: Any) -> bool:
    """Whether it is JSON that everybody can read."""
    try:
        orjson.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def cleaned(value: Any, depth: int = 0) -> Any:
    """A copy as plain JSON values."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, (dict, list, tuple, set, frozenset)):
        if depth >= DEPTH_MOST:
            return TOO_DEEP
        if isinstance(value, dict):
            return {encodable(key): cleaned(item, depth + 1) for key, item in value.items()}
        return [cleaned(item, depth + 1) for item in value]
    return encodable(value)


def _stats(reply: Reply) -> Reply:
    known = {name: part for name, part in reply.items() if name not in STATS_PARTS or isinstance(part, dict)}
    if "total" in known:
        known["total"] = {name: times for name, times in known["total"].items() if type(times) is int}
    return known


def _queues(reply: list[Any]) -> list[Reply]:
    return [queue for queue in reply if isinstance(queue, dict) and queue.get("name") and _is_text(queue["name"])]


def _requests(reply: list[Any]) -> list[Reply]:
    return [_request(entry) for entry in reply if isinstance(entry, dict)]


def _scheduled(reply: list[Any]) -> list[Reply]:
    known = [entry for entry in reply if isinstance(entry, dict) and isinstance(entry.get("request"), dict)]
    return [{**entry, "request": _request(entry["request"])} for entry in known]


def _request(entry: Reply) -> Reply:
    """A task that a worker has, without what is no fact of one."""
    wrong = {name for name, fits in REQUEST_FACTS.items() if not (entry.get(name) is None or fits(entry[name]))}
    delivery = entry.get("delivery_info")
    if isinstance(delivery, dict):
        odd = {name for name in ("exchange", "routing_key") if not _is_text(delivery.get(name, ""))}
        odd |= {"priority"} - ({"priority"} if _is_whole(delivery.get("priority", 0)) else set())
        if odd:
            entry = {**entry, "delivery_info": {name: fact for name, fact in delivery.items() if name not in odd}}
    return {name: fact for name, fact in entry.items() if name not in wrong} if wrong else entry


def _texts(reply: list[Any]) -> list[str]:
    return [entry for entry in reply if isinstance(entry, str)]


def _found(reply: Reply) -> Reply:
    """Task -> its state there, and its request."""
    known = {uuid: told for uuid, told in reply.items() if isinstance(told, list) and len(told) == 2}
    return {uuid: told for uuid, told in known.items() if isinstance(told[1], dict)}


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return value is None or type(value) is int


STATS_PARTS = ("pool", "broker", "total", "autoscaler", "rusage")
REQUEST_FACTS: dict[str, Callable[[Any], bool]] = {
    "id": _is_text,
    "name": _is_text,
    "type": _is_text,
    "delivery_info": lambda value: isinstance(value, dict),
    "time_start": lambda value: number(value) is not None and not isinstance(value, str),
    "worker_pid": _is_whole,
    "acknowledged": lambda value: isinstance(value, bool),
}
SHAPES: dict[str, tuple[type, Callable[[Any], Any] | None]] = {
    "stats": (dict, _stats),
    "conf": (dict, None),
    "active_queues": (list, _queues),
    "active": (list, _requests),
    "reserved": (list, _requests),
    "scheduled": (list, _scheduled),
    "revoked": (list, _texts),
    "registered": (list, _texts),
    "query_task": (dict, _found),
}
"""Question -> what its reply is, and what is done with it. Commands are answered with anything."""
