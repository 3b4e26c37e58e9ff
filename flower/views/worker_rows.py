"""The workers as rows: what their events and their own answers tell of each, made once for all who look."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from flower.cluster import Cluster
from flower.state import State
from flower.utils.inspected import slots_of
from flower.worker import Loss, Worker

COUNTED = ("received", "started", "succeeded", "failed", "retried", "revoked")

ROWS_SECONDS = 1.0
"""Rows that are older are made anew though nothing changed: time makes workers offline."""
ROWS_SHARE = 0.05
"""Share of one processor that making rows may take; with thousands of workers they are shown again for so long."""
CHUNK = 250
"""Workers that are read in one go: the events thread waits no longer than that takes."""
ASK_AGAIN_SECONDS = 10.0
"""How long a worker that did not answer is left alone."""


@dataclass(slots=True)
class Row:
    """One worker; what is not known is None or empty."""

    name: str
    online: bool
    age: float | None
    """Seconds since its last heartbeat, or since it was last heard of."""
    last_seen: float | None
    active: int
    counts: dict[str, int]
    concurrency: int | None
    """Slots of its pool: processes that there are, else how many there may be."""
    queues: list[str]
    load: list[float]
    version: str
    pid: int | None
    pool: str = ""
    """Kind of its pool: prefork, threads, gevent, eventlet, solo."""
    prefetch: int | None = None
    system: str = ""
    since: float | None = None
    """Since when it is online, or was last heard of; None when that was before we listened."""
    booted: float | None = None
    told_at: float | None = None
    """When it last answered anything."""
    failure: str = ""
    """Why its last answer is missing or not whole."""
    losses: list[Loss] = field(default_factory=list)
    """When events of it were lost."""

    @property
    def saturation(self) -> float | None:
        """Share of the pool that works, 0 to 1."""
        if not self.online or not self.concurrency:
            return None
        return min(1.0, self.active / self.concurrency)

    @property
    def ended(self) -> int:
        """Tasks that succeeded or failed."""
        return self.counts["succeeded"] + self.counts["failed"]

    @property
    def failure_share(self) -> float | None:
        """Share of the ended tasks that failed, 0 to 1."""
        return self.counts["failed"] / self.ended if self.ended else None

    @property
    def state(self) -> str:
        """`offline`, `silent` (online, but did not answer), `busy` (no slot is free) or `online`."""
        if not self.online:
            return "offline"
        if self.failure:
            return "silent"
        return "busy" if self.saturation == 1.0 else "online"


def row_of(worker: Worker, facts: Mapping[str, Any], now: float, failure: str = "") -> Row:
    """What is known about a worker from its events and from what it told when asked."""
    online = worker.status(now)
    stats = facts.get("stats") or {}
    pool = stats.get("pool") or {}
    last_seen = worker.heartbeats[-1] if worker.heartbeats else worker.last_seen or None
    return Row(
        name=worker.hostname,
        online=online,
        age=None if last_seen is None else now - last_seen,
        last_seen=last_seen,
        active=(worker.active or 0) if online else 0,
        counts={name: worker.counts.get(f"task-{name}", 0) for name in COUNTED},
        concurrency=slots_of(pool),
        queues=[str(queue.get("name")) for queue in facts.get("active_queues") or ()],
        load=list(worker.loadavg or ()) if online else [],
        version=" ".join(filter(None, (worker.sw_ident, worker.sw_ver))),
        pid=worker.pid,
        pool=pool_kind(pool),
        prefetch=_whole(stats.get("prefetch_count")),
        system=worker.sw_sys or "",
        since=worker.online_since if online else last_seen,
        booted=_booted(worker, stats, facts.get("timestamp")) if online else None,
        told_at=facts.get("timestamp"),
        failure=failure,
        losses=worker.losses,
    )


def pool_kind(pool: Mapping[str, Any]) -> str:
    """`celery.concurrency.prefork:TaskPool` -> `prefork`; a pool of one's own keeps its path."""
    path = str(pool.get("implementation") or "")
    kind = path.removeprefix("celery.concurrency.").partition(":")[0]
    return {"thread": "threads"}.get(kind, kind) if path.startswith("celery.concurrency.") else path


def _booted(worker: Worker, stats: Mapping[str, Any], told_at: float | None) -> float | None:
    uptime = stats.get("uptime")
    if isinstance(uptime, (int, float)) and told_at and stats.get("pid") in (worker.pid, None):
        return told_at - uptime
    return worker.booted


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# -- order and search


@lru_cache(maxsize=20_000)
def natural_key(name: str) -> list[tuple[int, int, str]]:
    """w2 before w10."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", name.casefold())]


VALUES: dict[str, Any] = {
    "status": lambda row: (row.online, not row.failure),
    "since": lambda row: row.since,
    "active": lambda row: row.active,
    "busy": lambda row: row.saturation,
    "queues": lambda row: row.queues or None,
    "pool": lambda row: row.concurrency,
    "prefetch": lambda row: row.prefetch,
    "share": lambda row: row.failure_share,
    "load": lambda row: row.load[0] if row.load else None,
    "uptime": lambda row: None if row.booted is None else -row.booted,
    "version": lambda row: natural_key(row.version) if row.version else None,
    "heartbeat": lambda row: row.age,
}
SORTS = ("name", *VALUES, *COUNTED)


def sorted_rows(rows: Sequence[Row], sort: str) -> list[Row]:
    """The rows by one column, `-` for descending; equal ones by name, those without a value last."""
    by, descending = sort.lstrip("-"), sort.startswith("-")
    ordered = sorted(rows, key=lambda row: natural_key(row.name))
    if by == "name":
        return ordered[::-1] if descending else ordered
    value = VALUES.get(by) or (lambda row: row.counts[by])
    known = [(value(row), row) for row in ordered]
    told = [pair for pair in known if pair[0] is not None]
    told.sort(key=lambda pair: pair[0], reverse=descending)
    return [row for _, row in told] + [row for found, row in known if found is None]


def matches(row: Row, text: str) -> bool:
    """Whether every word is in the worker's name, status, queues, pool or version."""
    words = [row.name, "online" if row.online else "offline", row.pool, row.version, *row.queues]
    hay = " ".join(words).casefold()
    return all(word in hay for word in text.casefold().split())


# -- all of them


@dataclass(slots=True)
class Roster:
    """The rows of one cluster, and whom the pages asked. Any thread may read `rows`."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    made: list[Row] = field(default_factory=list)
    made_at: float = 0.0
    made_from: tuple[Any, ...] = ()
    made_in: float = 0.0
    asked: dict[tuple[str, str], float] = field(default_factory=dict)

    def rows(self, cluster: Cluster) -> list[Row]:
        """Every worker that is known. May take a while when there are thousands."""
        with self.lock:
            revisions = cluster.hub.revisions()
            source = (revisions["workers"], revisions["facts"])
            now = time.monotonic()
            age = now - self.made_at
            if age > ROWS_SECONDS or (source != self.made_from and age > self.made_in / ROWS_SHARE):
                self.made = list(_all_rows(cluster))
                self.made_at, self.made_from, self.made_in = now, source, time.monotonic() - now
            return self.made

    def due(self, cluster: Cluster, name: str, wanted: Mapping[str, float]) -> list[str]:
        """The methods whose answer is older than `wanted` says in seconds, and that were not just asked for."""
        now = time.time()
        told = cluster.inspector.workers.get(name) or {}
        learned = cluster.inspector.learned.get(name) or {}
        due = []
        for method, seconds in wanted.items():
            told_at = learned.get(method) or (told.get("timestamp", 0.0) if method in told else 0.0)
            patience = min(seconds, ASK_AGAIN_SECONDS) if told_at else ASK_AGAIN_SECONDS
            if now - told_at > seconds and now - self.asked.get((name, method), 0.0) > patience:
                due.append(method)
        for method in due:
            self.asked[name, method] = now
        if len(self.asked) > 100_000:
            self.asked.clear()
        return due


_ROSTERS: WeakKeyDictionary[State, Roster] = WeakKeyDictionary()


def roster_of(cluster: Cluster) -> Roster:
    """The one roster of a cluster."""
    return _ROSTERS.setdefault(cluster.state, Roster())


def _all_rows(cluster: Cluster) -> Iterator[Row]:
    state, inspector = cluster.state, cluster.inspector
    with state.lock:
        workers = list(state.workers.values())
    now = state.clock()
    for start in range(0, len(workers), CHUNK):
        with state.lock:
            rows = [
                row_of(
                    worker,
                    inspector.workers.get(worker.hostname) or {},
                    now,
                    inspector.failures.get(worker.hostname, ""),
                )
                for worker in workers[start : start + CHUNK]
            ]
        yield from rows
