"""The metrics of one cluster.

`observe` and `render` may be called in any thread; `_lock` guards what is counted.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from celery import __version__ as celery_version
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format

from flower import __version__
from flower.metrics import protobuf, table
from flower.metrics.counted import OTHER, Admission, Counted
from flower.metrics.gauges import Facts, Paired, of_tasks, of_workers
from flower.metrics.registry import families_of
from flower.metrics.timed import Timed
from flower.state import State
from flower.store.tally import Kind, Tally
from flower.utils.exposition import OPENMETRICS, PROMETHEUS, PROTOBUF, wants_openmetrics, wants_protobuf
from flower.utils.families import Family, Key, Part, Told, told

QUIET_SECONDS = 600.0
"""So long after its last event the series of a worker that is offline may make room for those of others."""
ROOM_EVERY_SECONDS = 60.0
CLASS_NAME = re.compile(r"<?(?:class ')?([A-Za-z_][\w.]{0,99})\b")
"""Celery tells exceptions by their `repr`."""
WAIT_BUCKETS = (0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 10800.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """How many series there are at most: label sets of their own, before they are folded."""

    pairs: int = 10_000
    """Of a worker and a task: 200 workers that run 50 kinds of tasks still have their own counters and gauges."""
    timed: int = 1_000
    """Of each histogram, which takes seventeen lines for every one."""
    types: int = 64
    reasons: int = 1_000
    """Of a task and an exception."""


class Metrics:
    """An observer of the state, and its text for Prometheus.

    `purge_offline_workers`: series of workers that are offline for so many seconds are dropped.
    `connected` tells whether events can be received, `facts` what workers answered. `registry` has the
    metrics of the process, and those that the user's own code adds. `native` keeps native histograms, too.
    """

    def __init__(
        self,
        state: State,
        buckets: Sequence[float],
        purge_offline_workers: float | None = None,
        connected: Callable[[], bool] | None = None,
        registry: CollectorRegistry = REGISTRY,
        *,
        facts: Facts | None = None,
        limits: Limits | None = None,
        native: bool = False,
    ) -> None:
        self.state = state
        self.purge_offline_workers = purge_offline_workers
        self.connected = connected
        self.registry = registry
        self.facts: Facts = {} if facts is None else facts
        self.limits = limits or Limits()
        self.native = native
        self.sources: list[Callable[[], Sequence[Told]]] = []
        """Tell gauges of other parts."""
        self._lock = threading.Lock()
        self._types: set[str] = set()
        self._pairs = Admission(self.limits.pairs, kept=0)
        self._events = Counted(table.EVENTS)
        self._reasons = {
            "task-failed": (Admission(self.limits.reasons, kept=1), Counted(table.FAILURES)),
            "task-retried": (Admission(self.limits.reasons, kept=1), Counted(table.RETRIES)),
        }
        self._runtimes = Timed(table.RUNTIME, buckets, Admission(self.limits.timed, kept=0), native=native)
        self._waits = Timed(table.WAITING, WAIT_BUCKETS, Admission(self.limits.timed, kept=0), native=native)
        self._gauges = {"task-started": Paired(table.PREFETCH_TIME), "task-received": Paired(table.PREFETCHED)}
        self._room_at = state.clock()

    # Counting

    def observe(self, tally: Tally, counts: Counter[Kind]) -> None:
        """Count task events, the run times among them, and the waits and attempts that ended with them."""
        now = self.state.clock()
        with self._lock:
            find = self._events.series.get
            for key, number in counts.items():
                series = find(key)
                if series is None:
                    self._first(key, number, now)
                else:
                    series.count += number
                    series.at = now
            for worker, task, seconds in tally.runs:
                self._runtimes.observe((task, worker), seconds, now)
            for _, task, seconds, queue in tally.waits:
                self._waits.observe((queue, task), seconds, now)
            for type_, task, exception in tally.faults:
                admission, counted = self._reasons[type_]
                counted.count(admission.admit((class_of(exception), task)), 1, now)
            if (self._pairs.folded or self._runtimes.admission.folded) and now - self._room_at > ROOM_EVERY_SECONDS:
                self._make_room(now)

    def _first(self, key: Kind, number: int, now: float) -> None:
        """Count events that have no series of their own, or none yet."""
        task, type_, worker = key
        self._events.count(self._admitted(task, type_, worker), number, now)

    def _admitted(self, task: str, type_: str, worker: str) -> Key:
        task, worker = pair = self._pairs.admit((task, worker))
        if type_ in self._gauges:
            self._gauges[type_].see(pair)
        if type_ not in self._types:
            if len(self._types) >= self.limits.types:
                type_ = OTHER
            self._types.add(type_)
        return task, type_, worker

    # Forgetting

    def forget(self, workers: Collection[str]) -> int:
        """Drop all series of these workers; returns how many."""
        with self._lock:
            return self._forget(set(workers))

    def _forget(self, gone: set[str]) -> int:
        number = 0
        for series in (self._events, self._runtimes):
            keys = [key for key in series.series if key[-1] in gone]
            series.drop(keys)
            number += len(keys)
        for admission in (self._pairs, self._runtimes.admission):
            admission.leave(lambda key: key[-1] in gone)
        for gauge in self._gauges.values():
            gauge.forget(gone)
        return number

    def _make_room(self, now: float) -> None:
        """Some found no room: forget the workers that were silent for long, unless they are online."""
        self._room_at = now
        heard: dict[str, float] = {}
        for key, at in chain(self._events.heard(), self._runtimes.heard()):
            heard[key[-1]] = max(at, heard.get(key[-1], 0.0))
        online = {name for name, worker in list(self.state.workers.items()) if worker.status(now)}
        self._forget({name for name, at in heard.items() if now - at > QUIET_SECONDS} - online - {OTHER})

    def _purged(self, now: float) -> set[str]:
        """Workers whose series are dropped by now. Producers are none of them: the state does not know them."""
        limit = self.purge_offline_workers
        if limit is None:
            return set()
        workers = list(self.state.workers.values())
        return {worker.hostname for worker in workers if not worker.status(now) and now - worker.last_seen >= limit}

    # Telling

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """All metrics in the format that an Accept header asks for, and its content type."""
        pieces, content_type = self.pieces(accept)
        return b"".join(pieces), content_type

    def pieces(self, accept: str = "") -> tuple[Iterator[bytes], str]:
        """The same in pieces, which are made as they are taken."""
        if self.native and wants_protobuf(accept):
            return protobuf.encode(self.families()), PROTOBUF
        openmetrics = wants_openmetrics(accept)
        return self._texts(openmetrics), OPENMETRICS if openmetrics else PROMETHEUS

    def _texts(self, openmetrics: bool) -> Iterator[bytes]:
        for part in self._parts():
            yield from part.text(openmetrics)
        yield (openmetrics_format.generate_latest if openmetrics else generate_latest)(self.registry)

    def families(self) -> list[Family]:
        """All metrics as values."""
        return [*(Family(part.metric, part.points()) for part in self._parts()), *families_of(self.registry)]

    def _parts(self) -> list[Part]:
        """Every metric but those of the registry, as they are now."""
        self.state.tell()
        now = self.state.clock()
        purged = self._purged(now)
        if purged:
            self.forget(purged)
        # Numbers only grow, so their text needs no lock: an event that comes meanwhile is told now or the next time.
        with self._lock:
            counted = [each.part() for each in (self._events, self._runtimes, self._waits)]
            counted += [reasons.part() for _, reasons in self._reasons.values()]
        others = chain.from_iterable(source() for source in self.sources)
        return [*counted, *self._read(now, purged), *(told(*each) for each in others)]

    def _read(self, now: float, purged: Collection[str]) -> list[Part]:
        """What is not counted but read: of tasks and workers, and of Flower itself."""
        state = self.state
        with state.lock:
            workers = {name: worker for name, worker in state.workers.items() if name not in purged}
            tasks = list(state.open_tasks.values())
        alive = {name: worker for name, worker in workers.items() if worker.status(now)}
        with self._lock:
            waiting, waited = of_tasks(tasks, alive, self._pairs.admit)
            paired = [self._gauges["task-started"].part(waited), self._gauges["task-received"].part(waiting)]
        samples = chain(of_workers(workers, alive, self.facts), self._own())
        return [*paired, *(told(*each) for each in samples)]

    def _own(self) -> list[Told]:
        """How Flower itself is."""
        state, store = self.state, self.state.store
        values: Mapping[Any, float] = {
            table.RECEIVED: state.totals["received"],
            table.DROPPED: state.totals["dropped"],
            table.MALFORMED: state.totals["malformed"],
            table.LAG: state.lag_seconds,
            table.CONNECTED: self.connected is not None and self.connected(),
            table.STORED: store.tasks,
            table.PROCESSES: max(1, len(store.engine.peers())),
            table.LEADS: store.engine.leads,
            table.STORE_SIZE: store.size(),
            table.UNSAVED: state.unsaved(),
            table.WRITE_TIME: store.write_seconds or 0.0,
            table.FAILING: store.failing_since is not None,
            table.LOST: store.lost,
        }
        folded = {
            table.EVENTS: self._pairs,
            table.RUNTIME: self._runtimes.admission,
            table.WAITING: self._waits.admission,
            table.FAILURES: self._reasons["task-failed"][0],
            table.RETRIES: self._reasons["task-retried"][0],
        }
        return [
            *((metric, [((), float(value))]) for metric, value in values.items()),
            (table.FOLDED, [((metric.name,), float(each.folded)) for metric, each in folded.items()]),
            (table.BUILD, [((celery_version, __version__), 1.0)]),
        ]


def class_of(exception: Any) -> str:
    """`ValueError('no such order')` -> `ValueError`; `other` where there is no such name."""
    found = CLASS_NAME.match(exception) if isinstance(exception, str) else None
    return found[1] if found else OTHER
