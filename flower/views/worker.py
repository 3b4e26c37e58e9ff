"""One worker: what it does now, what it did, what it told about itself."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable
from difflib import get_close_matches
from functools import partial
from typing import Any

from flower.store import Task
from flower.utils.arguments import within
from flower.utils.inspected import View
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.facts import TABS, Facts, Request, facts_of, limit_text, slots_of
from flower.views.worker_lists import FINDS, KINDS, Listing, listing
from flower.views.worker_rows import COUNTED, Row, roster_of, row_of
from flower.views.worker_stats import busiest, throughput
from flower.worker import Worker

LISTED = 50
LISTED_AT_MOST = 100_000
SLOTS_SHOWN = 16

FRESH_SECONDS = {
    "active": 2.5,
    "reserved": 4.0,
    "stats": 4.0,
    "scheduled": 8.0,
    "revoked": 15.0,
    "active_queues": 8.0,
    "registered": 30.0,
    "conf": 60.0,
}
"""How old each answer may become before it is asked for again, while somebody looks."""
RESIZABLE = ("prefork", "gevent", "eventlet")
"""Pools that grow and shrink (celery.concurrency)."""
UNENDING = ("threads", "solo")
"""Pools that cannot end a task that runs: they have no process for it."""
REGIONS = {"worker-head": "worker_head.html", "worker-names": "worker_names.html", "worker-tabs": "worker_tabs.html"}


class WorkerView(BaseHandler):
    """GET /worker/<name>: `limit` entries of each list, `refresh` asks it first, `chart` answers the chart's JSON."""

    tab = "workers"

    async def get(self, name: str) -> None:
        self.name = name
        self.read()
        if self.get_argument("chart", False, type=bool):
            self.write((await self.run(self._chart)).shape())
            return
        await self._ask(self.get_argument("refresh", False, type=bool))
        state, inspector = self.cluster.state, self.cluster.inspector
        with state.lock:
            worker = state.workers.get(name)
        told = inspector.workers.get(name) or {}
        if worker is None and not told:
            self._unknown()
            return
        now, failure = state.clock(), inspector.failures.get(name, "")
        row = row_of(worker or Worker(name), told, now, failure)
        facts = facts_of(told, inspector.time_limits.get(name))
        trigger = FINDS.get(self.request.headers.get("HX-Trigger", "").replace("-", "_"))
        if trigger:
            self.set_header("HX-Replace-Url", f"{self.address()}#tab-{trigger}")
        self.show("worker.html", REGIONS, **await self._context(row, facts, told, now))

    def read(self) -> None:
        """The arguments of the address."""
        self.limit = within("limit", self.get_argument("limit", LISTED, type=int), 1, LISTED_AT_MOST)
        self.finds = {name: self.get_argument(name, "") or "" for name in FINDS}
        self.pages = {
            kind: within(f"{kind}_page", self.get_argument(f"{kind}_page", 1, type=int), 1, LISTED_AT_MOST)
            for kind in KINDS
        }

    def address(self, **changes: Any) -> str:
        """The address of this view, with something changed."""
        pages = {f"{kind}_page": page for kind, page in self.pages.items()}
        values = {**self.finds, **pages, "limit": self.limit, **changes}
        usual = {**dict.fromkeys(pages, 1), "limit": LISTED}
        given = {name: value for name, value in values.items() if value != usual.get(name)}
        return self.path("worker", self.name, **given)

    # -- asking

    async def _ask(self, refresh: bool) -> None:
        """Have it told anew what is old; wait only when asked to, or when nothing is known yet."""
        inspector, state = self.cluster.inspector, self.cluster.state
        with state.lock:
            worker = state.workers.get(self.name)
            # A worker that is known to be gone is not waited for.
            alive = worker is None or worker.alive
        first = self.name not in inspector.workers and self.name not in inspector.failures
        if refresh or (first and alive):
            waiting = asyncio.gather(*inspector.inspect(self.name), return_exceptions=True)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(waiting), inspector.timeout + 1.0)
        elif worker is not None and alive:
            due = roster_of(self.cluster).due(self.cluster, self.name, FRESH_SECONDS)
            if due:
                inspector.inspect(self.name, due)

    def _unknown(self) -> None:
        state = self.cluster.state
        with state.lock:
            known = list(state.workers)
        near = get_close_matches(self.name, known, n=3, cutoff=0.6)
        self.set_status(404)
        title = say("worker.unknown", worker=repr(self.name))
        self.show("worker_unknown.html", title=title, name=self.name, near=near, failure=self.cluster.inspector.error)

    # -- what the templates draw

    async def _context(self, row: Row, facts: Facts, told: View, now: float) -> dict[str, Any]:
        target = self.request.headers.get("HX-Target", "") if self.request.headers.get("HX-Request") else ""
        whole = target not in REGIONS
        names = await self.run(busiest, self.cluster.store, row.name, now) if whole or target == "worker-names" else []
        rows = await self.run(roster_of(self.cluster).rows, self.cluster)
        slots = slots_of(facts, row.concurrency)
        for slot in slots.busy[:SLOTS_SHOWN]:
            self._hide(slot.request)
        return {
            "title": row.name,
            "name": row.name,
            "row": row,
            "facts": facts,
            "slots": slots,
            "slots_shown": SLOTS_SHOWN,
            "own_limits": {limit.name: limit for limit in facts.limits or ()},
            "told_at": told.get("timestamp"),
            "ages": self._ages(told, now),
            "tabs": TABS,
            "lists": self._lists(facts),
            "config": self._config(facts),
            "finds": self.finds,
            "limit": self.limit,
            "counted": COUNTED,
            "names": names,
            "chart": await self.run(self._chart) if whole else None,
            "alone": _alone(row, rows),
            "resizable": row.pool in RESIZABLE,
            "terminates": row.pool not in UNENDING,
            "address": self.address,
            "limit_text": limit_text,
            "shutdown_question": partial(_shutdown_question, row),
        }

    def _chart(self) -> Any:
        source = self.path("worker", self.name, chart=1)
        return throughput(self.cluster.store, self.name, source, self.tasks_path(worker=self.name))

    def _ages(self, told: View, now: float) -> dict[str, float | None]:
        """Seconds since the oldest answer that each part is made of."""
        learned = self.cluster.inspector.learned.get(self.name) or {}
        ages: dict[str, float | None] = {}
        for slug, _, methods in TABS:
            times = [learned.get(method, told.get("timestamp")) for method in methods if method in told]
            ages[slug] = max((now - at for at in times if at is not None), default=None)
        return ages

    def _lists(self, facts: Facts) -> dict[str, Listing | None]:
        """Every list, one page of it; only names and ids are searched, for arguments may have to be hidden."""
        lists: dict[str, Listing | None] = {}
        for kind in KINDS:
            tab = kind if kind in ("limits", "queues") else "tasks"
            text = {"tasks": self.finds["find"], "limits": self.finds["limits_find"]}.get(tab, "")
            found = listing(kind, tab, getattr(facts, kind), text, self.pages[kind], self.limit, _names)
            if found is not None and kind in ("active", "reserved", "scheduled"):
                for request in found.shown:
                    self._hide(request)
            lists[kind] = found
        return lists

    def _config(self, facts: Facts) -> list[tuple[str, str]]:
        words = self.finds["config_find"].casefold().split()
        pairs = facts.config or []
        return [pair for pair in pairs if all(word in f"{pair[0]} {pair[1]}".casefold() for word in words)]

    def _hide(self, request: Request) -> None:
        """Show a task as `format_task` shows it."""
        told = {name: getattr(request, name) for name in ("uuid", "name", "args", "kwargs")}
        shown = self.format_task(Task.of({**told, "worker": self.name}))
        request.args, request.kwargs = (str(shown.get(name) or "") for name in ("args", "kwargs"))


def _shutdown_question(row: Row, held: int, alone: list[str]) -> str:
    """What is asked before a worker that holds so many waiting tasks is shut down."""
    running = say("worker.shutdown.running", count=row.active) if row.active else say("worker.shutdown.idle")
    asked = say("worker.shutdown.ask.held" if held else "worker.shutdown.ask", worker=row.name, running=running)
    return " ".join([asked, *([say("worker.shutdown.alone", queues=", ".join(alone))] if alone else [])])


def _names(entry: Any) -> str:
    if isinstance(entry, str):
        return entry
    if isinstance(entry, tuple):
        return str(entry[0])
    if isinstance(entry, dict):
        return str(entry["name"])
    return f"{entry.name} {getattr(entry, 'uuid', '')}"


def _alone(row: Row, rows: Iterable[Row]) -> list[str]:
    """The queues that no other worker that is online consumes."""
    others = Counter(queue for other in rows if other.online and other.name != row.name for queue in other.queues)
    return [queue for queue in row.queues if not others[queue]]
