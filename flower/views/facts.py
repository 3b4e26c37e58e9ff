"""What a worker told about itself, put in the order in which people read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flower.utils.template import format_duration, format_value, humanize, without_passwords

TABS: tuple[tuple[str, str], ...] = (
    ("pool", "Pool"),
    ("broker", "Broker"),
    ("queues", "Queues"),
    ("tasks", "Tasks"),
    ("limits", "Limits"),
    ("config", "Config"),
    ("system", "System"),
    ("other", "Other"),
)
"""Anchor and title of each part of a worker's page."""

Pairs = list[tuple[str, str]]

RATE = re.compile(r"\s*\[(.*)\]$")
DURATIONS = ("utime", "stime", "uptime")
KILOBYTES = ("maxrss",)
SHOWN_ELSEWHERE = ("pool", "broker", "rusage", "total")


@dataclass(slots=True)
class Request:
    """A task that a worker has: active, reserved or scheduled."""

    uuid: str
    name: str
    args: str
    kwargs: str
    started: float | None = None
    eta: float | str | None = None
    acknowledged: bool | None = None
    pid: int | None = None
    priority: int | None = None


@dataclass(slots=True)
class Facts:
    """What a worker told; each part is None when it has not answered about it."""

    pool: Pairs | None = None
    broker: Pairs | None = None
    queues: list[dict[str, str]] | None = None
    processed: list[tuple[str, int]] | None = None
    active: list[Request] | None = None
    reserved: list[Request] | None = None
    scheduled: list[Request] | None = None
    revoked: list[str] | None = None
    limits: list[tuple[str, str]] | None = None
    time_limits: Pairs = field(default_factory=list)
    config: Pairs | None = None
    system: Pairs | None = None
    other: Pairs | None = None


def facts_of(told: Mapping[str, Any]) -> Facts:
    """The facts of one worker from `Inspector.workers`."""
    facts = Facts()
    stats = told.get("stats")
    if isinstance(stats, Mapping):
        _from_stats(facts, stats)
    if told.get("active_queues") is not None:
        facts.queues = [_queue(queue) for queue in told["active_queues"]]
    for kind in ("active", "reserved"):
        if told.get(kind) is not None:
            setattr(facts, kind, [_request(entry) for entry in told[kind]])
    if told.get("scheduled") is not None:
        facts.scheduled = [_scheduled(entry) for entry in told["scheduled"]]
    if told.get("revoked") is not None:
        facts.revoked = [str(uuid) for uuid in told["revoked"]]
    if told.get("registered") is not None:
        facts.limits = sorted(_limit(entry) for entry in told["registered"])
    if told.get("conf") is not None:
        facts.config = sorted((str(key), _text(value)) for key, value in told["conf"].items() if value is not None)
    return facts


def _from_stats(facts: Facts, stats: Mapping[str, Any]) -> None:
    pool = stats.get("pool") or {}
    facts.pool = [(humanize(str(key)), _text(value)) for key, value in pool.items() if key != "timeouts"]
    if stats.get("pid") is not None:
        facts.pool.append(("Worker PID", _text(stats["pid"])))
    if stats.get("prefetch_count") is not None:
        facts.pool.append(("Prefetch count", _text(stats["prefetch_count"])))
    timeouts = pool.get("timeouts")
    if isinstance(timeouts, (list, tuple)) and len(timeouts) == 2:
        facts.time_limits = [
            ("Soft time limit", _seconds(timeouts[0])),
            ("Hard time limit", _seconds(timeouts[1])),
        ]
        facts.pool += facts.time_limits
    facts.broker = _pairs(stats.get("broker") or {})
    facts.processed = sorted((stats.get("total") or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    facts.system = _pairs(stats.get("rusage") or {})
    facts.other = _pairs({key: value for key, value in stats.items() if key not in SHOWN_ELSEWHERE})


def _pairs(values: Any) -> Pairs:
    if not isinstance(values, Mapping):
        return [("Value", _text(values))]
    return [(humanize(str(key)), _unit(str(key), value)) for key, value in values.items() if value not in (None, "")]


def _unit(key: str, value: Any) -> str:
    if key in DURATIONS and isinstance(value, (int, float)):
        return format_duration(value)
    if key in KILOBYTES and isinstance(value, (int, float)):
        return f"{value / 1024:,.1f} MB"
    return _text(value)


def _text(value: Any) -> str:
    return without_passwords(format_value(value))


def _seconds(value: Any) -> str:
    return format_duration(value) if isinstance(value, (int, float)) and value > 0 else "none"


def _queue(queue: Mapping[str, Any]) -> dict[str, str]:
    exchange = queue.get("exchange")
    kind = exchange.get("type") if isinstance(exchange, Mapping) else None
    name = exchange.get("name") if isinstance(exchange, Mapping) else exchange
    shown = {
        "Exchange": " ".join(filter(None, (str(name or ""), f"({kind})" if kind else ""))),
        "Routing key": queue.get("routing_key"),
        "Durable": queue.get("durable"),
        "Exclusive": queue.get("exclusive"),
        "Auto delete": queue.get("auto_delete"),
        "No ack": queue.get("no_ack"),
        "Alias": queue.get("alias"),
        "Queue arguments": queue.get("queue_arguments"),
        "Binding arguments": queue.get("binding_arguments"),
    }
    return {"Name": str(queue.get("name") or ""), **{key: _text(value) for key, value in shown.items()}}


def _request(entry: Mapping[str, Any]) -> Request:
    return Request(
        uuid=str(entry.get("id") or ""),
        name=str(entry.get("name") or entry.get("type") or ""),
        args=_payload(entry.get("args")),
        kwargs=_payload(entry.get("kwargs")),
        started=entry.get("time_start"),
        acknowledged=entry.get("acknowledged"),
        pid=entry.get("worker_pid"),
        priority=(entry.get("delivery_info") or {}).get("priority"),
    )


def _scheduled(entry: Mapping[str, Any]) -> Request:
    request = _request(entry.get("request") or {})
    request.eta, request.priority = _moment(entry.get("eta")), entry.get("priority")
    return request


def _payload(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else repr(value)


def _moment(eta: Any) -> float | str | None:
    try:
        return datetime.fromisoformat(str(eta).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None if eta is None else str(eta)


def _limit(entry: Any) -> tuple[str, str]:
    """`tasks.sleep [rate_limit=10/m]` -> ("tasks.sleep", "10/m")."""
    text = str(entry)
    found = RATE.search(text)
    if not found:
        return text, ""
    fields = dict(part.split("=", 1) for part in found[1].split() if "=" in part)
    rate = fields.pop("rate_limit", "")
    more = " ".join(f"{key}={value}" for key, value in fields.items())
    return text[: found.start()], " ".join(filter(None, ("" if rate in ("0", "None") else rate, more)))
