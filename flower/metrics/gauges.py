"""What is read when it is asked for: workers, their slots, and the tasks that they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from sys import intern
from typing import Any

from flower.metrics.table import BUSY, CONCURRENCY, EXECUTING, MISSED, ONLINE
from flower.utils.exposition import Metric, in_pieces, label
from flower.utils.families import Key, Part, Point, Told
from flower.utils.inspected import slots_of
from flower.worker import Worker

Facts = Mapping[str, Mapping[str, Any]]
"""What workers answered when they were asked, by name."""


def of_workers(workers: Mapping[str, Worker], alive: Mapping[str, Worker], facts: Facts) -> list[Told]:
    """Which workers are online, what they run, how much they could, and which of their events were lost.

    Those that did not tell have no slots.
    """
    slots = {name: found for name in alive if (found := _slots(facts.get(name))) is not None}
    running = {name: float(worker.active or 0) for name, worker in alive.items()}
    return [
        (ONLINE, [((name,), float(name in alive)) for name in workers]),
        (EXECUTING, [((name,), running.get(name, 0.0)) for name in workers]),
        (CONCURRENCY, [((name,), float(number)) for name, number in slots.items()]),
        (BUSY, [((name,), min(running[name], float(number))) for name, number in slots.items()]),
        (MISSED, [((name,), float(worker.lost)) for name, worker in workers.items()]),
    ]


def _slots(facts: Mapping[str, Any] | None) -> int | None:
    stats = (facts or {}).get("stats") or {}
    return slots_of(stats.get("pool") or {})


class Paired:
    """A gauge by task and worker: 0 where it was seen before and nothing is known now.

    Guarded by the lock of `flower.metrics.core`.
    """

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self._ends: dict[str, dict[str, str]] = {}
        """By task and worker, the end of the line that tells 0. All tasks share those of a worker."""

    def see(self, pair: Key) -> None:
        """Tell it from now on."""
        task, worker = pair
        ends = self._ends.setdefault(task, {})
        if worker not in ends:
            ends[worker] = intern(self._end(worker, 0.0))

    def _end(self, worker: str, value: float) -> str:
        return f"{label(self.metric.labels[1], worker)}}} {value!r}\n"

    def forget(self, gone: Collection[str]) -> None:
        """Tell no more of these workers."""
        rows = {
            task: {name: end for name, end in ends.items() if name not in gone} for task, ends in self._ends.items()
        }
        self._ends = {task: ends for task, ends in rows.items() if ends}

    def part(self, values: Mapping[Key, float]) -> Part:
        """The whole metric."""
        rows = {task: dict(ends) for task, ends in self._ends.items()}
        for (task, worker), value in values.items():
            rows.setdefault(task, {})[worker] = self._end(worker, value)

        def text(openmetrics: bool) -> Iterator[bytes]:
            yield self.metric.head(openmetrics)
            for task, ends in rows.items():
                head = f"{self.metric.name}{{{label(self.metric.labels[0], task)},"
                yield from in_pieces(ends.values(), 1, partial(_lines, head))

        def points() -> list[Point]:
            pairs = [(task, worker) for task, ends in rows.items() for worker in ends]
            return [Point(pair, values.get(pair, 0.0)) for pair in pairs]

        return Part(self.metric, text, points)


def _lines(head: str, ends: Sequence[str]) -> str:
    return head + head.join(ends)


def of_tasks(
    tasks: Sequence[Mapping[str, Any]], alive: Mapping[str, Worker], admit: Callable[[Key], Key]
) -> tuple[dict[Key, float], dict[Key, float]]:
    """By (task, worker): how many tasks wait there, and how long the one that started last had waited."""
    waiting: dict[Key, float] = {}
    waited: dict[Key, float] = {}
    newest: dict[Key, float] = {}
    for task in tasks:
        state, host, received = task.get("state"), task.get("worker"), task.get("received")
        # A task with an ETA waits because it was told to.
        if state not in ("RECEIVED", "STARTED") or host not in alive or not received or task.get("eta"):
            continue
        pair = admit((task.get("name") or "", str(host)))
        if state == "RECEIVED":
            # What a worker held when it went down is no longer there.
            waiting[pair] = waiting.get(pair, 0.0) + (received >= (alive[str(host)].booted or 0.0))
        elif task["started"] >= newest.get(pair, 0.0):
            newest[pair] = task["started"]
            waited[pair] = max(0.0, task["started"] - received)
    return waiting, waited
