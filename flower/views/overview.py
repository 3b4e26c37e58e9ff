"""The first page: is the cluster well, what is it doing, and where does it hurt."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flower.queues import QueueReport, Queues
from flower.store.sketch import percentile
from flower.utils.arguments import one_of
from flower.utils.figures import format_rate, format_share
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.charts import Chart
from flower.views.judgement import RECENT, health_of
from flower.views.names import ORDERS, name_rows
from flower.views.trends import WINDOWS, Reading, Window, charts, read, read_window
from flower.worker import Worker

LISTED = 10
READINGS_KEPT = 32
DEAR_SECONDS = 5.0
"""Windows whose answers are good for longer take a while to read."""
PREPARED = ("24h", "7d")
"""Windows that take long to read at first: who sees the overview will find them read."""
PREPARED_FOLD = 5
"""They are read anew when their answer is so many times as old as it is good."""
QUEUES_SECONDS = 0.25
"""How long the page waits for a count of the queues; an older one is shown meanwhile, with its age."""


Key = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """A reading with its charts, shared by all who look at that window."""

    reading: Reading
    charts: dict[str, Chart]


@dataclass(slots=True)
class Readings:
    """What was read a moment ago: many viewers cost what one costs. On the loop's thread."""

    kept: dict[Key, tuple[float, Seen]] = field(default_factory=dict)
    asked: dict[Key, asyncio.Task[Seen]] = field(default_factory=dict)
    report: QueueReport | None = None
    counting: asyncio.Future[QueueReport] | None = None

    async def queues(self, queues: Queues) -> QueueReport | None:
        """The newest count of the queues; None when the first one takes long."""
        if self.counting is None or self.counting.done():
            self.counting = asyncio.ensure_future(queues.read())
        await asyncio.wait([self.counting], timeout=QUEUES_SECONDS)
        if self.counting.done() and self.counting.exception() is None:
            self.report = self.counting.result()
        return self.report

    async def read(self, window: Window, ask: Callable[[], Awaitable[Seen]]) -> Seen:
        """What `ask` finds, or found a moment ago. An old answer of a long window is given while a new one is made."""
        now, key = time.monotonic(), _key(window)
        at, seen = self.kept.get(key, (0.0, None))
        if seen is not None and now - at < window.good_seconds:
            return seen
        if key not in self.asked:
            self.asked[key] = asyncio.ensure_future(self._ask(key, ask))
        if seen is not None and window.good_seconds > DEAR_SECONDS and now - at < window.good_seconds * 10:
            return seen
        return await asyncio.shield(self.asked[key])

    def prepare(self, window: Window, ask: Callable[[], Awaitable[Seen]]) -> None:
        """Read a window before somebody asks for it, unless that was done of late."""
        key = _key(window)
        at, _ = self.kept.get(key, (-math.inf, None))
        if key not in self.asked and time.monotonic() - at > window.good_seconds * PREPARED_FOLD:
            self.asked[key] = asyncio.ensure_future(self._ask(key, ask))
            # Who asks for it then is told what went wrong.
            self.asked[key].add_done_callback(lambda done: done.cancelled() or done.exception())

    async def _ask(self, key: Key, ask: Callable[[], Awaitable[Seen]]) -> Seen:
        try:
            seen = await ask()
            self.kept.pop(key, None)
            while len(self.kept) >= READINGS_KEPT:
                del self.kept[next(iter(self.kept))]
            self.kept[key] = time.monotonic(), seen
            return seen
        finally:
            del self.asked[key]


def _key(window: Window) -> Key:
    # A span of its own ends where it ends, or now, to some seconds.
    return (window.word, 0, 0) if window.word else (window.word, window.start, int(window.end // window.good_seconds))


@dataclass(frozen=True, slots=True)
class Load:
    """How much of a worker's pool works; `slots` is None until it told."""

    name: str
    active: int
    slots: int | None

    @property
    def share(self) -> float | None:
        return min(1.0, self.active / self.slots) if self.slots else None


class OverviewView(BaseHandler):
    """GET /: the overview of a window; with `chart` the JSON of one chart of it, or of `all`."""

    tab = "overview"

    async def get(self) -> None:
        state, now = self.cluster.state, self.cluster.state.clock()
        window = read_window(self.get_argument, now)
        order = one_of("order", self.get_argument("order", "") or "ended", tuple(ORDERS))
        wanted = self.get_argument("chart", "")
        seen = await self.seen(window)
        if wanted:
            self.set_header("Cache-Control", "no-store")
            slug = one_of("chart", wanted, ("all", *seen.charts))
            whole = {"charts": {name: chart.shape() for name, chart in seen.charts.items()}}
            self.write(whole if slug == "all" else seen.charts[slug].shape())
            return
        recent = seen if window.word == "5m" else await self.seen(read_window(RECENT.get, now))
        report = await self.readings.queues(self.cluster.queues)
        with state.lock:
            workers = list(state.workers.values())
        facts = self.cluster.inspector.workers
        health = health_of(self.cluster, report, recent.reading.stats.groups, now)
        loads = loads_of(workers, facts, now)
        self.show(
            "overview.html",
            {"overview-now": "overview_numbers.html"},
            title=say("overview.title"),
            health=health,
            reading=seen.reading,
            window=window,
            windows=WINDOWS,
            charts=seen.charts,
            total=seen.reading.stats.total,
            percentile=percentile,
            rows=name_rows(seen.reading, order, LISTED),
            names=len(seen.reading.stats.groups),
            order=order,
            orders=ORDERS,
            loads=loads[:LISTED],
            more_loads=max(0, len(loads) - LISTED),
            busy=sum(load.active for load in loads),
            slots=sum(load.slots or 0 for load in loads),
            online=len(loads),
            workers=len(workers),
            report=report,
            queues=deepest(report),
            listed=LISTED,
            home=self.home,
            format_rate=format_rate,
            format_share=format_share,
            page_arguments=window.arguments | ({} if order == "ended" else {"order": order}),
        )

    def home(self, **arguments: str) -> str:
        """The address of the overview."""
        return self.path("", **arguments)

    @property
    def readings(self) -> Readings:
        readings: Readings = self.site.kept.setdefault("readings", Readings())
        return readings

    async def seen(self, window: Window) -> Seen:
        """What happened in the window; up to some seconds old when somebody else asked before."""
        seen = await self.readings.read(window, partial(self.run, self._read, window))
        # A span in the past does not tell what time it is.
        for word in PREPARED if window.live else ():
            ahead = read_window({"window": word}.get, window.end)
            self.readings.prepare(ahead, partial(self.run, self._read, ahead))
        return seen

    def _read(self, window: Window) -> Seen:
        reading = read(self.cluster.store, window, self.cluster.state.started_at)
        return Seen(reading, charts(reading, self.path("tasks"), self.path("")))


def loads_of(workers: Sequence[Worker], facts: Mapping[str, Mapping[str, Any]], now: float) -> list[Load]:
    """The load of each worker that is online, the fullest first."""
    loads = []
    for worker in workers:
        if worker.status(now):
            pool = ((facts.get(worker.hostname) or {}).get("stats") or {}).get("pool") or {}
            slots = pool.get("max-concurrency")
            loads.append(Load(worker.hostname, worker.active or 0, slots if isinstance(slots, int) else None))
    return sorted(loads, key=lambda load: (-(load.share or 0.0), -load.active, load.name))


def deepest(report: QueueReport | None) -> list[Any]:
    """The queues, those with the most messages first."""
    queues = report.queues if report is not None else []
    return sorted(queues, key=lambda queue: (-(queue.messages or 0), queue.name))
