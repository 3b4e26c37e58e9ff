"""One watched cluster at work: its parts are built, started and ended here.

On the thread of the web loop. What blocks on its broker or its store does so in threads of its own.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from functools import partial
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry
from tornado.ioloop import IOLoop

from flower.audit import Audit
from flower.catchup import CatchUp
from flower.cluster import Cluster
from flower.clusters import Plan
from flower.events import Events
from flower.feed import Feed
from flower.inspector import Inspector
from flower.live import Hub
from flower.metrics import Metrics
from flower.metrics.registry import families_of
from flower.operate import ClusterContext
from flower.options import OptionError, database_path, span, stored_tasks
from flower.otlp import Export, ExportError, Sender, open_sender
from flower.queues import Queues
from flower.sampler import Sampler
from flower.shown import Shown
from flower.state import State
from flower.store import Store, open_store
from flower.utils.executor import DaemonExecutor
from flower.watch import Watch

BROKER_THREADS = 4
MEGABYTE = 1024 * 1024
END_SECONDS = 0.5
"""For all those that take longer than the first one to bring what was seen into the store."""


class Watched:
    """A cluster, those who ask it, and the threads that wait for it. `executor` runs the calls of its pages."""

    def __init__(
        self,
        plan: Plan,
        options: Any,
        io_loop: IOLoop,
        shown: Shown,
        executor: Executor,
        events: Events | None = None,
    ) -> None:
        self.name = plan.name
        self.executor = executor
        # First what may be refused: nothing is running yet that would have to be stopped.
        sender = _sender(options, plan.name)
        self._asking = DaemonExecutor(BROKER_THREADS, "flower-broker")
        self.cluster = self._build(plan, options, io_loop, shown, events)
        self.cluster.export = Export(self.cluster.metrics.families, sender) if sender else None
        self.operations = ClusterContext(self.cluster, options.inspect_timeout / 1000, shown)
        self.watch = Watch(
            self.cluster,
            io_loop,
            self._asking,
            enable_events=options.enable_events,
            purge_seconds=options.purge_offline_workers,
        )
        self.catchup = CatchUp(self.cluster, self.operations.backend, io_loop, self._asking)

    def _build(self, plan: Plan, options: Any, io_loop: IOLoop, shown: Shown, events: Events | None) -> Cluster:
        capp = plan.capp
        if events is None:
            events = Events(
                capp,
                io_loop,
                db=plan.db,
                persistent=options.persistent,
                enable_events=options.enable_events,
                state=State(_open_store(plan.db, options), max_workers=options.max_workers),
                executor=self._asking,
                backlog_bytes=options.events_backlog * MEGABYTE,
            )
        state = events.state
        state.redactor = shown.redactor
        inspector = Inspector(io_loop, capp, options.inspect_timeout / 1000, redactor=shown.redactor)
        queues = Queues(capp, inspector, state, plan.broker_api, self._asking, plan.queues)
        sampler = Sampler(queues, state, self.executor)
        buckets, purge = options.task_runtime_metric_buckets, options.purge_offline_workers
        metrics = Metrics(
            state,
            buckets,
            purge,
            connected=lambda: bool(events.connected),
            facts=inspector.workers,
            native=options.native_histograms,
            # Told once for all clusters.
            registry=CollectorRegistry() if plan.name else REGISTRY,
        )
        metrics.sources.append(sampler.metrics)
        state.observers.append(metrics)
        hub = Hub(state, partial(_connection, events))
        inspector.on_facts.append(hub.learned)
        audit = Audit(state, shown.redactor, ("args", "kwargs") if shown.formats else ())
        return Cluster(capp, events, state, state.store, inspector, queues, sampler, metrics, hub, audit, Feed(state))

    def start(self) -> None:
        """Listen, ask, and tell what is heard."""
        self.cluster.hub.start()
        self.cluster.events.start()
        self.watch.start()
        self.cluster.sampler.start()
        if self.cluster.export is not None:
            self.cluster.export.start()

    def leave(self) -> None:
        """Begin the end, without waiting: nobody is asked any more, and nobody is told."""
        self.watch.stop()
        self.catchup.stop()
        if self.cluster.export is not None:
            self.cluster.export.stop()
        self.cluster.sampler.stop()
        self.cluster.hub.stop()
        self.cluster.feed.stop()
        self.cluster.events.halt()

    def save(self) -> None:
        """Bring what was seen into the store; may take two seconds. Any thread."""
        self.cluster.events.stop()

    def close(self) -> None:
        """Leave the calls that hang behind: their threads do not hold up the end of the process."""
        self.operations.close()
        for pool in (self.executor, self._asking):
            pool.shutdown(wait=False, cancel_futures=True)


def end(watched: Sequence[Watched]) -> None:
    """End all of them in the time that one takes."""
    for each in watched:
        each.leave()
    others = [threading.Thread(target=each.save, daemon=True) for each in watched[1:]]
    for thread in others:
        thread.start()
    watched[0].save()
    until = time.monotonic() + END_SECONDS
    for thread in others:
        thread.join(max(0.0, until - time.monotonic()))
    for each in watched:
        each.close()


def _open_store(db: str, options: Any) -> Store:
    ages = {"task_seconds": span(options.task_retention), "failed_seconds": span(options.failed_task_retention)}
    limit = stored_tasks(options.max_tasks, options.persistent, db)
    return open_store(database_path(db), persistent=options.persistent, max_tasks=limit, patient=True, **ages)


def process_export(options: Any) -> Export | None:
    """Who sends the metrics of the process, where each of several clusters sends its own. Raises OptionError."""
    sender = _sender(options, "")
    return Export(lambda: list(families_of(REGISTRY)), sender) if sender else None


def _sender(options: Any, cluster: str) -> Sender | None:
    """Who sends the metrics to a collector, if one is named. Raises OptionError."""
    if not options.otlp_endpoint:
        return None
    instance = f"{socket.gethostname()}:{options.unix_socket or options.port}"
    try:
        return open_sender(options.otlp_endpoint, instance, {"cluster": cluster} if cluster else {})
    except ExportError as error:
        raise OptionError(f"otlp_endpoint: {error}") from None


def _connection(events: Events) -> dict[str, Any]:
    """What the hub tells of the broker."""
    since = events.connected_since if events.connected else events.disconnected_since
    return {"connected": events.connected, "since": since, "failure": events.failure}
