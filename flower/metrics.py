"""What `/metrics` tells: counters that count as events come, gauges read from the state when they are asked for.

`observe` is called in the events thread, `render` in any other; `_lock` guards the counters between them.
A gauge cannot drift: nothing is added up that a crash, a revoke or a lost event could leave behind.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from operator import itemgetter
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format

from flower.state import State
from flower.store.rollups import Moment
from flower.utils.exposition import (
    OPENMETRICS,
    PROMETHEUS,
    Histogram,
    Metric,
    created,
    histogram_shape,
    labels,
    simple,
    wants_openmetrics,
    with_created,
)
from flower.worker import Worker

Pair = tuple[str, str]
"""(worker, task name): the labels of most metrics."""
EventKey = tuple[str, str, str]
"""(worker, event type, task name)"""
Sample = tuple[str, float]
"""Text of the labels, and the value."""

MAX_PAIRS = 10_000
"""Pairs beyond it are counted together: 200 workers that run 50 kinds of tasks still have their own."""
MAX_TYPES = 64
MAX_FOLDED = 100_000
OTHER = "other"

EVENTS = Metric("flower_events", "counter", "Number of events", ("task", "type", "worker"))
RUNTIME = Metric("flower_task_runtime_seconds", "histogram", "Task runtime", ("task", "worker"))
PREFETCH_TIME = Metric(
    "flower_task_prefetch_time_seconds",
    "gauge",
    "The time the task spent waiting at the celery worker to be executed.",
    ("task", "worker"),
)
PREFETCHED = Metric(
    "flower_worker_prefetched_tasks",
    "gauge",
    "Number of tasks of given type prefetched at a worker",
    ("task", "worker"),
)
ONLINE = Metric("flower_worker_online", "gauge", "Worker online status", ("worker",))
EXECUTING = Metric(
    "flower_worker_number_of_currently_executing_tasks",
    "gauge",
    "Number of tasks currently executing at a worker",
    ("worker",),
)
RECEIVED = Metric("flower_events_received", "counter", "Number of events of tasks and workers that were received")
DROPPED = Metric(
    "flower_events_dropped", "counter", "Number of events that were not kept as the store could not keep up"
)
MALFORMED = Metric("flower_events_malformed", "counter", "Number of messages that were not understood as events")
CONNECTED = Metric("flower_broker_connected", "gauge", "Whether events can be received from the broker")
STORED = Metric("flower_store_tasks", "gauge", "Number of tasks in the store")
WRITE_TIME = Metric("flower_store_write_seconds", "gauge", "Duration of the last write to the store")
FOLDED = Metric("flower_metrics_folded_series", "gauge", "Number of worker and task pairs that are counted as other")

METRICS: tuple[Metric, ...] = (
    EVENTS,
    RUNTIME,
    PREFETCH_TIME,
    PREFETCHED,
    ONLINE,
    EXECUTING,
    RECEIVED,
    DROPPED,
    MALFORMED,
    CONNECTED,
    STORED,
    WRITE_TIME,
    FOLDED,
)

Waits = dict[Pair, float]

_key_of = itemgetter(0, 1, 2)


@dataclass(slots=True)
class _Series:
    """Events of one type of one pair, counted since `created`."""

    created: float
    count: int = 0


def _pair_labels(pair: Pair) -> str:
    return labels(RUNTIME.labels, pair[::-1])


class Metrics:
    """An observer of the state, and its text for Prometheus.

    `purge_offline_workers`: series of workers that are offline for so many seconds are dropped.
    `connected` tells whether events can be received. `registry` has the metrics of the process,
    and those that the user's own code adds.
    """

    def __init__(
        self,
        state: State,
        buckets: Sequence[float],
        purge_offline_workers: float | None = None,
        connected: Callable[[], bool] | None = None,
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.state = state
        self.buckets = sorted({*map(float, buckets), inf})
        self.purge_offline_workers = purge_offline_workers
        self.connected = connected
        self.registry = registry
        self.sources: list[Callable[[], Sequence[tuple[Metric, Iterable[Sample]]]]] = []
        """Tell gauges of other parts."""
        self._lock = threading.Lock()
        self._pairs: set[Pair] = set()
        self._types: set[str] = set()
        self._folded: set[Pair] = set()
        self._events: dict[EventKey, _Series] = {}
        self._runtimes: dict[Pair, Histogram] = {}
        self._shape = histogram_shape(RUNTIME, self.buckets)

    # Counting, in the events thread

    def observe(self, moments: list[Moment]) -> None:
        """Count a batch of task events, and the run times among them."""
        tally = Counter(map(_key_of, moments))
        find = self._events.get
        with self._lock:
            for key, number in tally.items():
                (find(key) or self._first(key)).count += number
            for worker, _, task, runtime in moments:
                if runtime is not None:
                    self._observe_runtime((worker, task), runtime)

    def _observe_runtime(self, pair: Pair, seconds: float) -> None:
        if seconds != seconds:  # NaN would spoil the sum for ever
            return
        histogram = self._runtimes.get(pair)
        if histogram is None:
            pair = self._admit(pair)
            histogram = self._runtimes.get(pair)
        if histogram is None:
            histogram = self._runtimes[pair] = Histogram(len(self.buckets), self.state.clock())
        histogram.counts[bisect_left(self.buckets, seconds)] += 1
        histogram.sum += seconds

    def _first(self, key: EventKey) -> _Series:
        """Make the series of a new key, or find the one in which it is folded."""
        worker, task = self._admit((key[0], key[2]))
        type_ = key[1] if key[1] in self._types or len(self._types) < MAX_TYPES else OTHER
        self._types.add(type_)
        key = worker, type_, task
        series = self._events.get(key)
        if series is None:
            series = self._events[key] = _Series(self.state.clock())
        return series

    def _admit(self, pair: Pair) -> Pair:
        """The pair itself, or the one in which it is folded when there are too many."""
        if pair in self._pairs:
            return pair
        if len(self._pairs) >= MAX_PAIRS:
            if len(self._folded) < MAX_FOLDED:
                self._folded.add(pair)
            pair = OTHER, OTHER
        self._pairs.add(pair)
        return pair

    # Forgetting

    def forget(self, workers: Collection[str]) -> int:
        """Drop all series of these workers; returns how many."""
        gone = set(workers)
        with self._lock:
            keys = [key for key in self._events if key[0] in gone]
            runtimes = [pair for pair in self._runtimes if pair[0] in gone]
            for key in keys:
                del self._events[key]
            for pair in runtimes:
                del self._runtimes[pair]
            self._pairs = {pair for pair in self._pairs if pair[0] not in gone}
            self._folded = {pair for pair in self._folded if pair[0] not in gone}
        return len(keys) + len(runtimes)

    def _purged(self, now: float) -> set[str]:
        """Workers whose series are dropped by now. Producers are none of them: the state does not know them."""
        limit = self.purge_offline_workers
        if limit is None:
            return set()
        workers = list(self.state.workers.values())
        return {worker.hostname for worker in workers if not worker.status(now) and now - worker.last_seen >= limit}

    # Telling

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """The text of all metrics, and its content type."""
        openmetrics = wants_openmetrics(accept)
        now = self.state.clock()
        purged = self._purged(now)
        if purged:
            self.forget(purged)
        with self._lock:
            events = list(self._events.items())
            runtimes = list(self._runtimes.items())
        # Numbers only grow, so they need no lock: an event that comes meanwhile is told now or the next time.
        counted = [(labels(EVENTS.labels, (task, type_, host)), series) for (host, type_, task), series in events]
        timed = [(_pair_labels(pair), histogram) for pair, histogram in runtimes]
        parts = [
            with_created(
                EVENTS,
                [f"{EVENTS.name}_total{{{text}}} {series.count}.0\n" for text, series in counted],
                [created(EVENTS, text, series.created) for text, series in counted],
                openmetrics,
            ),
            with_created(
                RUNTIME,
                [histogram.samples(self._shape, text) for text, histogram in timed],
                [created(RUNTIME, text, histogram.created) for text, histogram in timed],
                openmetrics,
            ),
            *(simple(metric, samples, openmetrics) for metric, samples in self._gauges(now, purged)),
            *(simple(metric, samples, openmetrics) for source in self.sources for metric, samples in source()),
        ]
        encode = openmetrics_format.generate_latest if openmetrics else generate_latest
        return "".join(parts).encode() + encode(self.registry), OPENMETRICS if openmetrics else PROMETHEUS

    def _gauges(self, now: float, purged: set[str]) -> list[tuple[Metric, Iterable[Sample]]]:
        """Every metric but the two that count events."""
        state = self.state
        with state.lock:
            workers = {name: worker for name, worker in state.workers.items() if name not in purged}
            tasks = list(state.open_tasks.values())
        alive = {name: worker for name, worker in workers.items() if worker.status(now)}
        texts = {name: labels(ONLINE.labels, (name,)) for name in workers}
        waiting, waited = self._queued(tasks, alive)
        own: dict[Metric, float] = {
            RECEIVED: state.totals["received"],
            DROPPED: state.totals["dropped"],
            MALFORMED: state.totals["malformed"],
            CONNECTED: self.connected is not None and self.connected(),
            STORED: state.store.tasks,
            WRITE_TIME: state.store.write_seconds or 0.0,
            FOLDED: len(self._folded),
        }
        return [
            (PREFETCH_TIME, [(_pair_labels(pair), value) for pair, value in waited.items()]),
            (PREFETCHED, [(_pair_labels(pair), value) for pair, value in waiting.items()]),
            (ONLINE, [(text, float(name in alive)) for name, text in texts.items()]),
            (
                EXECUTING,
                [(text, float(alive[name].active or 0 if name in alive else 0)) for name, text in texts.items()],
            ),
            *((metric, [("", float(value))]) for metric, value in own.items()),
        ]

    def _queued(self, tasks: Iterable[dict[str, Any]], alive: dict[str, Worker]) -> tuple[Waits, Waits]:
        """How many tasks wait at each worker, and how long the one that started last had waited."""
        with self._lock:
            waiting = {(worker, task): 0.0 for worker, seen, task in self._events if seen == "task-received"}
            waited = {(worker, task): 0.0 for worker, seen, task in self._events if seen == "task-started"}
            newest: dict[Pair, float] = {}
            for task in tasks:
                state, host, received = task.get("state"), task.get("worker"), task.get("received")
                # A task with an ETA waits because it was told to.
                if state not in ("RECEIVED", "STARTED") or host not in alive or not received or task.get("eta"):
                    continue
                pair = self._admit((str(host), task.get("name") or ""))
                if state == "RECEIVED":
                    # What a worker held when it went down is no longer there.
                    waiting[pair] = waiting.get(pair, 0.0) + (received >= (alive[str(host)].booted or 0.0))
                elif task["started"] >= newest.get(pair, 0.0):
                    newest[pair] = task["started"]
                    waited[pair] = max(0.0, task["started"] - received)
        return waiting, waited
