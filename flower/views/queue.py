"""One queue: how deep it is and was, who consumes it, what became of its tasks."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from flower.backlog import columns_of, query_for, step_for, steps_of
from flower.queues import Queue, QueueReport
from flower.store import TaskQuery
from flower.store.facets import Facet
from flower.utils.arguments import one_of
from flower.utils.coercion import encodable
from flower.utils.figures import format_rate
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.charts import Chart, Series
from flower.views.queue_rows import row_of
from flower.views.worker_rows import natural_key
from flower.web import NotFoundError

WINDOWS: dict[str, tuple[str, float]] = {
    "15m": (say("queues.window.15m"), 900.0),
    "1h": (say("queues.window.1h"), 3600.0),
    "24h": (say("queues.window.24h"), 86_400.0),
    "7d": (say("queues.window.7d"), 604_800.0),
    "30d": (say("queues.window.30d"), 2_592_000.0),
}
"""Word in the address -> its label, its length in seconds."""
WINDOW = "1h"
CHARTS = ("depth", "consumers")
POINTS = 180
REGIONS = {"queue-now": "queue_now.html", "queue-workers": "queue_workers.html", "queue-tasks": "queue_tasks.html"}
WORKERS_LISTED = 50

ABOUT: tuple[str, ...] = (
    "type",
    "state",
    "durable",
    "auto_delete",
    "exclusive",
    "policy",
    "arguments",
    "node",
    "vhost",
    "memory",
    "message_bytes",
    "idle_since",
)
"""What RabbitMQ tells of a queue besides its numbers."""
BINDING: tuple[str, ...] = ("routing_key", "durable", "auto_delete", "queue_arguments")
"""What a worker tells of a queue that it consumes."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """A worker, and whether it consumes the queue."""

    name: str
    online: bool
    active: int
    slots: int | None
    others: list[str]
    """The other queues that it consumes."""
    told: bool
    """Whether it said what it consumes."""


class QueueView(BaseHandler):
    """GET /queue/{name}"""

    tab = "broker"

    async def get(self, name: str) -> None:
        window = self.get_argument("window", "") or WINDOW
        one_of("window", window, tuple(WINDOWS))
        report = await self.cluster.queues.look()
        now = time.time()
        queue, part = report.find(name), self.request.headers.get("HX-Target", "")
        # The regions that are asked for again and again have no charts.
        charts = {} if part in REGIONS and queue else await self.run(charts_of, self, name, window, now)
        if queue is None and not any(chart.series for chart in charts.values()):
            raise NotFoundError(f"Nobody knows a queue {name!r}")
        consuming, others = self._workers(name)
        facet = Facet() if part in ("queue-now", "queue-workers") else await self.run(self._states, name)
        row = row_of(queue or Queue(name), report, self.cluster.sampler.track(name), now)
        self.show(
            "queue.html",
            REGIONS,
            title=name,
            name=name,
            present=queue is not None,
            row=row,
            report=report,
            charts=charts,
            windows=WINDOWS,
            window=window,
            usual=WINDOW,
            consuming=consuming,
            others=others,
            listed=WORKERS_LISTED,
            facet=facet,
            about=self._about(queue, report),
            now=now,
            format_rate=format_rate,
        )

    def _states(self, name: str) -> Facet:
        """How many of its tasks are in each state, counted in a bounded time."""
        facets = self.cluster.store.facets(TaskQuery(queue=encodable(name)))
        return facets["state"] if facets else Facet(whole=False)

    def _workers(self, name: str) -> tuple[list[Consumer], list[Consumer]]:
        """The workers that consume the queue, and the live ones that do not."""
        state, facts = self.cluster.state, self.cluster.inspector.workers
        with state.lock:
            alive = {worker.hostname: worker.active or 0 for worker in state.workers.values() if worker.alive}
            known = set(state.workers)
        found: tuple[list[Consumer], list[Consumer]] = [], []
        # One that answers and sends no events is alive as well.
        for worker in sorted({*alive, *(facts.keys() - known)}, key=natural_key):
            told = facts.get(worker, {})
            queues = [str(queue.get("name")) for queue in told.get("active_queues") or ()]
            slots = ((told.get("stats") or {}).get("pool") or {}).get("max-concurrency")
            slots = slots if isinstance(slots, int) else None
            rest = sorted(queue for queue in queues if queue != name)
            consumer = Consumer(worker, worker in alive, alive.get(worker, 0), slots, rest, "active_queues" in told)
            found[name not in queues].append(consumer)
        return found

    def _about(self, queue: Queue | None, report: QueueReport) -> list[tuple[str, Any]]:
        """Label and value of what is known besides."""
        if queue is None:
            return []
        table, facts = ABOUT, queue.info
        if "vhost" not in queue.info:
            bound = [
                each
                for worker in queue.consumers[:1]
                for each in self.cluster.inspector.workers.get(worker, {}).get("active_queues") or ()
                if each.get("name") == queue.name
            ]
            table, facts = BINDING, bound[0] if bound else {}
        declared = say("queues.declared.yes" if queue.declared else "queues.declared.no")
        told = [(say(f"queues.about.{key}"), facts[key]) for key in table if facts.get(key) not in (None, {}, [])]
        return [(say("queues.about.declared"), declared), *told]


class DepthView(BaseHandler):
    """GET /broker/depth: the JSON of a chart of a queue's page."""

    async def get(self) -> None:
        name, window = self.get_argument("queue", "") or "", self.get_argument("window", "") or WINDOW
        chart = self.get_argument("chart", "") or CHARTS[0]
        one_of("window", window, tuple(WINDOWS))
        one_of("chart", chart, CHARTS)
        charts = await self.run(charts_of, self, name, window, time.time())
        self.set_header("Cache-Control", "no-store")
        self.write(charts[chart].shape())


def charts_of(page: BaseHandler, name: str, window: str, now: float) -> dict[str, Chart]:
    """The charts of a queue; without series where nothing was sampled. Blocks."""
    seconds = WINDOWS[window][1]
    query = query_for(now - seconds, now, step_for(seconds, POINTS), name)
    points = next(iter(page.cluster.store.depths_of(query, now).values()), [])
    told, starts = columns_of(points, query), steps_of(query)
    link = page.tasks_path(queue=name)
    series = {
        "depth": [
            Series("ready", say("queues.column.ready"), "info", told.ready, link, "area"),
            Series("unacked", say("queues.column.unacked"), "c3", told.unacked, link),
        ],
        "consumers": [Series("consumers", say("queues.column.consumers"), "good", told.consumers)],
    }
    shown = {
        slug: [each for each in found if any(value is not None for value in each.values)]
        for slug, found in series.items()
    }
    return {
        slug: Chart(
            slug,
            say(f"queues.chart.{slug}"),
            query.start,
            now,
            query.step,
            starts,
            shown[slug],
            kind="line",
            height=200 if slug == "depth" else 90,
            source=page.path("broker", "depth", queue=name, window=window, chart=slug),
            sync="queue",
            explained=say(f"queues.chart.{slug}.help"),
            empty=say(f"queues.chart.{slug}.none" if shown[slug] else "queues.chart.unsampled"),
            on="tick",
        )
        for slug in CHARTS
    }
