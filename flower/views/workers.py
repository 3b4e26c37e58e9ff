"""Every worker, and one worker."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import Any

from flower.utils.arguments import one_of, within
from flower.views import BaseHandler
from flower.views.facts import TABS, facts_of
from flower.web import NotFoundError
from flower.worker import Worker

FRESH_SECONDS = 10.0
"""Facts younger than this are not asked for again."""

COUNTED = ("received", "started", "succeeded", "failed", "retried", "revoked")
SORTS = ("name", "status", "active", *COUNTED)
LISTED = 50
LISTED_AT_MOST = 100_000


@dataclass(slots=True)
class Row:
    """One line of the table of workers."""

    name: str
    online: bool
    age: float | None
    """Seconds since its last heartbeat, or since it was last heard of."""
    last_seen: float | None
    active: int
    counts: dict[str, int]
    concurrency: int | None
    queues: list[str]
    load: list[float]
    version: str
    pid: int | None

    @property
    def saturation(self) -> float | None:
        """Share of the pool that works, 0 to 1."""
        if not self.online or not self.concurrency:
            return None
        return min(1.0, self.active / self.concurrency)


def row_of(worker: Worker, facts: dict[str, Any], now: float) -> Row:
    """What is known about a worker from its events and from what it told when asked."""
    online = worker.status(now)
    pool = (facts.get("stats") or {}).get("pool") or {}
    concurrency = pool.get("max-concurrency")
    last_seen = worker.heartbeats[-1] if worker.heartbeats else worker.last_seen or None
    return Row(
        name=worker.hostname,
        online=online,
        age=None if last_seen is None else now - last_seen,
        last_seen=last_seen,
        active=(worker.active or 0) if online else 0,
        counts={name: worker.counts.get(f"task-{name}", 0) for name in COUNTED},
        concurrency=concurrency if isinstance(concurrency, int) else None,
        queues=[str(queue.get("name")) for queue in facts.get("active_queues") or ()],
        load=list(worker.loadavg or ()) if online else [],
        version=" ".join(filter(None, (worker.sw_ident, worker.sw_ver))),
        pid=worker.pid,
    )


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """w2 before w10."""
    return [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"(\d+)", name.casefold())]


def sorted_rows(rows: list[Row], sort: str) -> list[Row]:
    """The rows by one column, `-` for descending; equal ones by name."""
    rows = sorted(rows, key=lambda row: natural_key(row.name))
    by, descending = sort.lstrip("-"), sort.startswith("-")
    if by == "name":
        return rows[::-1] if descending else rows
    values = {"status": lambda row: row.online, "active": lambda row: row.active}
    return sorted(rows, key=values.get(by, lambda row: row.counts[by]), reverse=descending)


def matches(row: Row, text: str) -> bool:
    """Whether every word is in the worker's name, status, queues or version."""
    hay = " ".join([row.name, "online" if row.online else "offline", row.version, *row.queues]).casefold()
    return all(word in hay for word in text.casefold().split())


class WorkersView(BaseHandler):
    """GET / and /workers: every worker; with `json=1` as Flower 2.x's rows."""

    tab = "workers"

    async def get(self) -> None:
        if self.get_argument("refresh", False, type=bool):
            self.cluster.inspector.inspect()
        as_json = self.get_argument("json", False, type=bool)
        search = self.get_argument("q", "")
        sort = self.get_argument("sort", "name") or "name"
        one_of("sort", sort.lstrip("-"), SORTS)
        state, now = self.cluster.state, self.cluster.state.clock()
        with state.lock:
            if as_json:
                self.write({"data": [worker.as_dict() for worker in state.workers.values()]})
                return
            facts = self.cluster.inspector.workers
            rows = [row_of(worker, facts.get(worker.hostname) or {}, now) for worker in state.workers.values()]
        listed = sorted_rows([row for row in rows if matches(row, search)], sort)
        self.show(
            "workers.html",
            {"workers": "workers_table.html"},
            title="Workers",
            rows=listed,
            known=rows,
            search=search,
            sort=sort,
            counted=COUNTED,
            sums={name: sum(row.counts[name] for row in listed) for name in COUNTED},
        )


class WorkerView(BaseHandler):
    """GET /worker/<name>: what it does and what it told; `limit` entries of each list."""

    tab = "workers"

    async def get(self, name: str) -> None:
        limit = within("limit", self.get_argument("limit", LISTED, type=int), 1, LISTED_AT_MOST)
        refresh = self.get_argument("refresh", False, type=bool)
        inspector, state = self.cluster.inspector, self.cluster.state
        with state.lock:
            worker = state.workers.get(name)
        told = inspector.workers.get(name) or {}
        age = state.clock() - told["timestamp"] if told.get("timestamp") else None
        # A worker that is known to be gone is not waited for.
        if refresh or (age is None and (worker is None or worker.alive)):
            await self._ask(name)
        elif worker is not None and worker.alive and age is not None and age > FRESH_SECONDS:
            inspector.inspect(name)
        with state.lock:
            worker = state.workers.get(name)
        told = inspector.workers.get(name) or {}
        if worker is None and not told:
            raise NotFoundError(f"Unknown worker {name!r}")
        now = state.clock()
        self.show(
            "worker.html",
            {"worker": "worker_body.html"},
            title=name,
            name=name,
            row=row_of(worker or Worker(name), told, now),
            facts=facts_of(told),
            told_at=told.get("timestamp"),
            failure=inspector.failures.get(name),
            tabs=TABS,
            limit=limit,
            counted=COUNTED,
            online_since=worker.online_since if worker is not None else None,
        )

    async def _ask(self, name: str) -> None:
        """Inspect the worker and wait for its answers, as long as an inspection takes at most."""
        futures = self.cluster.inspector.inspect(name)
        with contextlib.suppress(asyncio.TimeoutError):
            waiting = asyncio.gather(*futures, return_exceptions=True)
            await asyncio.wait_for(asyncio.shield(waiting), self.cluster.inspector.timeout + 1.0)
