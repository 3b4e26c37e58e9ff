"""Tasks and workers as the JSON of the API shows them, in two shapes.

The standard shape gives values (`args` is a list) and everything that is known. The classic one is
that of Flower 2.x: the same 31 fields in the same order, payloads as the text that Celery made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flower.utils.readable import readable

Facts = Mapping[str, Any]
Json = dict[str, Any]

CLASSIC = (
    *("uuid", "name", "state", "received", "sent", "started", "rejected", "succeeded", "failed", "retried", "revoked"),
    *("args", "kwargs", "eta", "expires", "retries", "worker", "result", "exception", "timestamp", "runtime"),
    *("traceback", "exchange", "routing_key", "clock", "client", "root", "root_id", "parent", "parent_id"),
)
TIMES = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected")
PLAIN = ("retries", "eta", "expires", "traceback", "exception", "queue", "exchange", "routing_key", "priority")
ORIGIN = ("clock", "client", "root_id", "parent_id")
VALUES = ("args", "kwargs", "result")
LISTED = ("uuid", "name", "state", "hostname", "worker", "timestamp", *TIMES, "runtime", *VALUES, *PLAIN, *ORIGIN)
WORKER_FACTS = ("pid", "sw_ident", "sw_ver", "sw_sys")
LOSS = ("since", "until", "events")
ATTEMPT = ("time", "moment", "worker", "exception")
INSPECTED = ("stats", "active_queues", "registered", "conf", "scheduled", "reserved", "revoked", "timestamp")


def task(task: Facts) -> Json:
    """A task in a list."""
    shape = dict(zip(LISTED, map(task.get, LISTED), strict=True))
    shape["hostname"] = shape["worker"]
    for name in VALUES:
        shape[name] = _value(shape[name])
    return shape


def task_info(facts: Facts, worker: Facts | None, children: Sequence[str]) -> Json:
    """All about one task; `worker` is what is known of the worker that had it."""
    shape = task(facts)
    name = facts.get("worker")
    if name is not None:
        known = worker or {}
        shape["worker"] = {"hostname": name, **{fact: known.get(fact) for fact in WORKER_FACTS}}
    shape["children"] = list(children)
    shape["attempts"] = [dict(zip(ATTEMPT, attempt, strict=False)) for attempt in facts.get("attempts") or ()]
    shape["extra"] = facts.get("extra") or {}
    return shape


def classic_task(task: Facts, children: Sequence[str]) -> Json:
    """A task as `/api/task/info` and `/tasks/datatable` of Flower 2.x give it."""
    shape = dict(zip(CLASSIC, map(task.get, CLASSIC), strict=True))
    shape["retries"] = shape["retries"] or 0
    if shape["succeeded"] is None:
        shape["runtime"] = None  # 2.x knew only the run times that workers tell, and these only of successes
    shape["root"], shape["parent"], shape["children"] = shape["root_id"], shape["parent_id"], list(children)
    return shape


def classic_listed_task(task: Facts, children: Sequence[str]) -> Json:
    """A task as `/api/tasks` of Flower 2.x gives it: the worker last, or absent."""
    shape = classic_task(task, children)
    worker = shape.pop("worker")
    return shape if worker is None else shape | {"worker": worker}


def worker(seen: Facts | None, inspected: Facts, failure: str | None, now: float) -> Json:
    """A worker known from its events (`seen`), from an inspection, or from both.

    `seen` has the names of `flower.state.Worker.as_dict`; None for one that sent no event.
    """
    told = seen or {}
    learned = inspected.get("timestamp")
    running = inspected.get("active")
    return {
        "status": "online" if told.get("status") else "offline",
        "active": told.get("active") if told.get("active") is not None else _length(running),
        "processed": told.get("processed") if told.get("processed") is not None else _total(inspected),
        "load": told.get("loadavg"),
        "heartbeats": told.get("heartbeats") or [],
        **{fact: told.get(fact) for fact in WORKER_FACTS},
        **{name: inspected.get(name) for name in INSPECTED},
        "active_tasks": running,
        "lost_events": told.get("lost", 0),
        "losses": [dict(zip(LOSS, loss, strict=True)) for loss in told.get("losses") or ()],
        "freshness": {"age_seconds": None if learned is None else max(0.0, now - learned), "error": failure},
    }


def _value(payload: Any) -> Any:
    """The value that a payload text stands for; `format_task` may have made it a value already."""
    return readable(payload) if isinstance(payload, str) else payload


def _length(running: Any) -> int | None:
    return len(running) if isinstance(running, list) else None


def _total(inspected: Facts) -> int | None:
    """Tasks that the worker had accepted when it was last inspected."""
    total = (inspected.get("stats") or {}).get("total")
    return sum(total.values()) if isinstance(total, dict) else None
