"""What a worker told about itself, put in the order in which people read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flower.utils.masking import mask
from flower.utils.template import format_duration, format_value, humanize, without_passwords
from flower.utils.texts import say
from flower.views.rusage import usage_of

TABS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("pool", say("worker.tab.pool"), ("stats",)),
    ("broker", say("worker.tab.broker"), ("stats",)),
    ("queues", say("worker.tab.queues"), ("active_queues",)),
    ("tasks", say("worker.tab.tasks"), ("active", "reserved", "scheduled", "revoked", "stats")),
    ("limits", say("worker.tab.limits"), ("registered", "stats")),
    ("config", say("worker.tab.config"), ("conf",)),
    ("system", say("worker.tab.system"), ("stats",)),
    ("other", say("worker.tab.other"), ("stats",)),
)
"""Anchor and title of each part of a worker's page, and the answers that it is made of."""

Pairs = list[tuple[str, str]]

RATE = re.compile(r"\s*\[(.*)\]$")
UNTIMED = ("solo:TaskPool", "thread:TaskPool")
"""Pools that have no time limits, whatever is set."""
SHOWN_ELSEWHERE = ("pool", "broker", "rusage", "total", "autoscaler", "pid", "prefetch_count")


@dataclass(slots=True)
class Request:
    """A task that a worker has: active, reserved or scheduled. Times are seconds since the epoch."""

    uuid: str
    name: str
    args: str
    kwargs: str
    started: float | None = None
    eta: float | str | None = None
    acknowledged: bool | None = None
    pid: int | None = None
    priority: int | None = None
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """What limits the tasks of a name in this worker; an empty text or None is no limit of its own."""

    name: str
    rate: str = ""
    soft: float | None = None
    hard: float | None = None
    more: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A process of the pool, or a place in it that has no process of its own, and what it runs."""

    process: int | None
    request: Request


@dataclass(slots=True)
class Slots:
    """The pool at one moment: what runs, and which processes are free. `free` is None when it is not known."""

    busy: list[Slot] = field(default_factory=list)
    idle: list[int] = field(default_factory=list)
    free: int | None = None


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
    limits: list[Limit] | None = None
    soft: float | None = None
    hard: float | None = None
    """Time limits of all tasks that have none of their own, in seconds."""
    timed: bool | None = None
    """Whether its pool ends tasks that run too long; None when that is not known."""
    autoscaler: Mapping[str, Any] | None = None
    processes: list[int] = field(default_factory=list)
    restarts: bool | None = None
    """Whether its pool may be restarted; None when it did not tell its settings."""
    config: Pairs | None = None
    system: Pairs | None = None
    other: Pairs | None = None


def facts_of(
    told: Mapping[str, Any], time_limits: Mapping[str, tuple[float | None, float | None]] | None = None
) -> Facts:
    """The facts of one worker from `Inspector.workers` and `Inspector.time_limits`."""
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
        facts.scheduled = sorted((_scheduled(entry) for entry in told["scheduled"]), key=_when)
    if told.get("revoked") is not None:
        facts.revoked = sorted(str(uuid) for uuid in told["revoked"])
    if told.get("registered") is not None:
        limits = time_limits or {}
        facts.limits = sorted((_limit(entry, limits) for entry in told["registered"]), key=lambda limit: limit.name)
    conf = told.get("conf")
    if isinstance(conf, Mapping):
        shown = {str(key): value for key, value in mask(dict(conf)).items() if value is not None}
        facts.config = sorted((key, _text(value)) for key, value in shown.items())
        facts.restarts = bool(conf.get("worker_pool_restarts"))
    return facts


def slots_of(facts: Facts, concurrency: int | None) -> Slots:
    """Which process runs what. Threads and the like share a process: they have places without a name."""
    if facts.active is None:
        return Slots()
    processes = set(facts.processes)
    running = sorted(facts.active, key=lambda request: request.started or 0.0)
    busy = [Slot(request.pid if request.pid in processes else None, request) for request in running]
    used = {slot.process for slot in busy}
    free = None if concurrency is None else max(0, concurrency - len(busy))
    return Slots(busy, sorted(processes - used), free)


def _from_stats(facts: Facts, stats: Mapping[str, Any]) -> None:
    pool = stats.get("pool") or {}
    facts.pool = _pairs({_pool_key(key, pool): value for key, value in pool.items() if key != "timeouts"})
    facts.processes = [pid for pid in pool.get("processes") or () if isinstance(pid, int)]
    if stats.get("pid") is not None:
        facts.pool.append((say("worker.fact.pid"), _text(stats["pid"])))
    if stats.get("prefetch_count") is not None:
        facts.pool.append((say("worker.fact.prefetch"), _text(stats["prefetch_count"])))
    timeouts = pool.get("timeouts")
    facts.timed = False if str(pool.get("implementation")).endswith(UNTIMED) else None
    if isinstance(timeouts, (list, tuple)) and len(timeouts) == 2:
        facts.timed = True
        facts.soft, facts.hard = (_positive(value) for value in timeouts)
        facts.pool += [
            (say("worker.fact.soft"), limit_text(facts.soft)),
            (say("worker.fact.hard"), limit_text(facts.hard)),
        ]
    if isinstance(stats.get("autoscaler"), Mapping):
        facts.autoscaler = stats["autoscaler"]
        facts.pool += _pairs({f"autoscaler-{key}": value for key, value in stats["autoscaler"].items()})
    facts.broker = _pairs(stats.get("broker") or {})
    facts.processed = sorted((stats.get("total") or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    facts.system = usage_of(stats)
    facts.other = [
        (humanize(str(key)), format_duration(value) if key == "uptime" and _positive(value) else _text(value))
        for key, value in stats.items()
        if key not in SHOWN_ELSEWHERE and value is not None
    ]


def _pool_key(key: str, pool: Mapping[str, Any]) -> str:
    """Prefork goes on telling the size that it was started with as the greatest that it may have."""
    return "started-with" if key == "max-concurrency" and pool.get("processes") else key


def _pairs(values: Any, before: str = "") -> Pairs:
    """Each value under its name; parts of a value follow it as lines of their own."""
    if not isinstance(values, Mapping):
        return [(say("worker.fact.value"), _text(values))]
    pairs: Pairs = []
    for key, value in values.items():
        name = f"{before}, {str(key).replace('-', ' ')}" if before else humanize(str(key))
        if isinstance(value, Mapping) and value:
            pairs += _pairs(value, name)
        elif value not in (None, "", {}, []):
            pairs.append((name, _text(value)))
    return pairs


def limit_text(seconds: float | None) -> str:
    """A time limit: `none`, `300 s`, `1h 00m 00s`."""
    if not seconds:
        return say("worker.limits.zero")
    return f"{seconds:g} s" if seconds < 600 else format_duration(seconds)


def _text(value: Any) -> str:
    return without_passwords(format_value(value))


def _positive(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 else None


def _queue(queue: Mapping[str, Any]) -> dict[str, str]:
    exchange = queue.get("exchange")
    kind = exchange.get("type") if isinstance(exchange, Mapping) else None
    name = exchange.get("name") if isinstance(exchange, Mapping) else exchange
    shown = {
        "exchange": " ".join(filter(None, (str(name or ""), f"({kind})" if kind else ""))),
        "routing_key": queue.get("routing_key"),
        "durable": queue.get("durable"),
        "exclusive": queue.get("exclusive"),
        "auto_delete": queue.get("auto_delete"),
        "no_ack": queue.get("no_ack"),
        "alias": queue.get("alias"),
        "queue_arguments": queue.get("queue_arguments"),
        "binding_arguments": queue.get("binding_arguments"),
    }
    return {"name": str(queue.get("name") or ""), **{key: _text(value) for key, value in shown.items()}}


def _request(entry: Mapping[str, Any]) -> Request:
    delivery = entry.get("delivery_info") or {}
    started = entry.get("time_start")
    return Request(
        uuid=str(entry.get("id") or ""),
        name=str(entry.get("name") or entry.get("type") or ""),
        args=_payload(entry.get("args")),
        kwargs=_payload(entry.get("kwargs")),
        started=started if isinstance(started, (int, float)) else None,
        acknowledged=entry.get("acknowledged"),
        pid=entry.get("worker_pid"),
        priority=delivery.get("priority"),
        # The default exchange routes by the queue's name.
        queue=str(delivery.get("routing_key") or "") if not delivery.get("exchange") else "",
    )


def _scheduled(entry: Mapping[str, Any]) -> Request:
    request = _request(entry.get("request") or {})
    request.eta = _moment(entry.get("eta"))
    return request


def _when(request: Request) -> float:
    return request.eta if isinstance(request.eta, float) else float("inf")


def _payload(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else repr(value)


def _moment(eta: Any) -> float | str | None:
    try:
        return datetime.fromisoformat(str(eta).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None if eta is None else str(eta)


def _limit(entry: Any, time_limits: Mapping[str, tuple[float | None, float | None]]) -> Limit:
    """`tasks.sleep [rate_limit=10/m]` -> its name and its rate."""
    text = str(entry)
    found = RATE.search(text)
    name = text[: found.start()] if found else text
    fields = dict(part.split("=", 1) for part in found[1].split() if "=" in part) if found else {}
    rate = fields.pop("rate_limit", "")
    more = " ".join(f"{key}={value}" for key, value in fields.items())
    soft, hard = time_limits.get(name, (None, None))
    return Limit(name, "" if rate in ("0", "None") else rate, soft, hard, more)
