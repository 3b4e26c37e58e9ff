"""The one who looks at the queues all the time: every ten seconds, whoever else does.

Lives on the web loop; what blocks is done in threads. The last half hour stays in memory, for the rows of the
page; all of it goes to the store. A broker that does not answer leaves a gap.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

from flower.backlog import Trend, trend_of
from flower.queues import Queue, QueueReport, Queues
from flower.state import State
from flower.store import StoreError
from flower.store.depths import SAMPLE_SECONDS, Depth, DepthQuery
from flower.utils.broker import BrokerError, Head
from flower.utils.exposition import Metric
from flower.utils.families import Told

logger = logging.getLogger(__name__)

MOST_QUEUES = 200
"""Of more, those that somebody consumes or declares are sampled first, then the deepest."""
MEMORY_SECONDS = 1800
RATE_SAMPLES = 7
"""In and out are told as of the last minute."""
HEADS_MOST = 50
FRESH_SECONDS = 35.0
"""Age from which a number is no longer told as the present one."""

READY = Metric("flower_queue_ready_messages", "gauge", "Messages that wait in a queue for a worker", ("queue",))
UNACKED = Metric("flower_queue_unacked_messages", "gauge", "Messages of a queue that workers hold", ("queue",))
CONSUMERS = Metric("flower_queue_consumers", "gauge", "Consumers of a queue", ("queue",))
OLDEST = Metric("flower_queue_oldest_message_seconds", "gauge", "Age of the message that waits longest", ("queue",))
HELD = Metric("flower_broker_unacked_messages", "gauge", "Messages of all queues that workers hold")
METRICS = (READY, UNACKED, CONSUMERS, OLDEST, HELD)


@dataclass(frozen=True, slots=True)
class Oldest:
    """Since when a message waits; `known` False: since then at the latest, it may be longer."""

    since: float
    known: bool
    task: str | None = None


@dataclass(slots=True)
class Track:
    """What was seen of one queue. `points` are (when, ready), oldest first."""

    points: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=MEMORY_SECONDS // SAMPLE_SECONDS))
    flows: deque[tuple[float, int, int]] = field(default_factory=lambda: deque(maxlen=RATE_SAMPLES))
    counted: bool = False
    """Whether the broker counts what comes in and goes out; else events do."""
    heads: dict[str, float] = field(default_factory=dict)
    oldest: Oldest | None = None
    seen_at: float = 0.0

    @property
    def trend(self) -> Trend | None:
        """How it grows or shrinks."""
        return trend_of(self.points)

    @property
    def rates(self) -> tuple[float | None, float | None]:
        """Messages a second that came in and went out in the last minute; None where nobody counts."""
        if len(self.flows) < 2 or not (self.counted or any(self.flows[-1][1:])):
            return None, None
        (began, sent, taken), (ended, *now) = self.flows[0], self.flows[-1]
        # Counters begin anew with their broker.
        return max(0, now[0] - sent) / (ended - began), max(0, now[1] - taken) / (ended - began)

    def values(self, now: float, number: int) -> list[float | None]:
        """The last half hour in `number` steps, the deepest of each; None where nothing was sampled."""
        step = MEMORY_SECONDS / number
        found: list[float | None] = [None] * number
        for at, ready in self.points:
            place = number - 1 - int((now - at) // step)
            if 0 <= place < number:
                found[place] = max(ready, found[place] or 0)
        return found


class Sampler:
    """Samples all queues while it runs. `tracks`: queue -> what was seen of it."""

    def __init__(self, queues: Queues, state: State, executor: Executor | None = None) -> None:
        self._queues = queues
        self._state = state
        self._executor = executor
        self._task: asyncio.Task[None] | None = None
        self._complained_at = 0.0
        self.tracks: dict[str, Track] = {}
        self.left_out = 0
        """Queues of the last sample that found no room."""
        self.failures = 0

    def start(self) -> None:
        """Sample from now on."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def track(self, queue: str) -> Track:
        """What was seen of a queue, whether or not there is anything."""
        return self.tracks.get(queue) or Track()

    async def _run(self) -> None:
        await self._guarded(self.recall())
        while True:
            await self._guarded(self.sample())
            now = time.time()
            # At whole multiples, so that each row of the store has its sample.
            await asyncio.sleep(SAMPLE_SECONDS - now % SAMPLE_SECONDS + 0.01)

    async def _guarded(self, doing: Any) -> None:
        try:
            await doing
        except Exception:
            self.failures += 1
            if time.monotonic() - self._complained_at > 60:
                self._complained_at = time.monotonic()
                logger.exception("The queues could not be sampled")

    async def recall(self) -> None:
        """Learn what the store knows of the last half hour: from before a restart."""
        now = self._state.clock()
        query = DepthQuery(now - MEMORY_SECONDS, now, SAMPLE_SECONDS)
        try:
            found = await self._in_thread(self._state.store.depths_of, query, now)
        except StoreError as error:
            logger.warning("The depths of queues before the start are not known: %s", error)
            return
        for name, points in list(found.items())[:MOST_QUEUES]:
            track = self.tracks.setdefault(name, Track(seen_at=now))
            track.points.extend((float(at), ready) for at, ready, _, _ in points if ready is not None)

    async def sample(self) -> None:
        """Take one sample, unless the broker does not answer."""
        # The report may be as old as the end of the step before.
        at = time.time()
        report = await self._queues.read()
        if report.error is not None:
            return
        shown = self._chosen(report)
        self._state.store.depths.add(at, [_depth(queue, report) for queue in shown])
        for queue in shown:
            self._remember(queue, at)
        self.tracks = {name: track for name, track in self.tracks.items() if at - track.seen_at <= MEMORY_SECONDS}
        await self._look_at_heads(shown)

    def _chosen(self, report: QueueReport) -> list[Queue]:
        ordered = sorted(
            report.queues, key=lambda queue: (not (queue.consumed or queue.declared), -(queue.ready or 0), queue.name)
        )
        self.left_out = max(0, len(ordered) - MOST_QUEUES)
        return ordered[:MOST_QUEUES]

    def _remember(self, queue: Queue, at: float) -> None:
        track = self.tracks.setdefault(queue.name, Track())
        track.seen_at = at
        flow = _flow(queue.info)
        if track.counted != (flow is not None):
            track.counted = flow is not None
            track.flows.clear()
        track.flows.append((at, *(flow or (self._state.sent[queue.name], self._state.taken[queue.name]))))
        if queue.ready is not None and not (track.points and track.points[-1][0] >= at):
            track.points.append((at, queue.ready))
        if not queue.ready:
            track.heads, track.oldest = {}, None

    # The message that waits longest

    async def _look_at_heads(self, queues: Iterable[Queue]) -> None:
        waiting = sorted((queue for queue in queues if queue.ready), key=lambda queue: -(queue.ready or 0))
        try:
            heads = await self._queues.heads([queue.name for queue in waiting[:HEADS_MOST]])
        except (BrokerError, ValueError):
            return
        wanted = {head.task for found in heads.values() for head in found if head.task}
        sent = await self._in_thread(self._sent_times, sorted(wanted)) if wanted else {}
        now = time.time()
        for name, found in heads.items():
            self.tracks[name].heads, self.tracks[name].oldest = _oldest(found, self.tracks[name].heads, sent, now)

    def _sent_times(self, tasks: Sequence[str]) -> dict[str, float]:
        found: dict[str, float] = {}
        for uuid in tasks:
            task = self._state.task(uuid)
            if task is not None and task["sent"]:
                found[uuid] = task["sent"]
        return found

    async def _in_thread(self, function: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)

    # For Prometheus

    def metrics(self) -> list[Told]:
        """The gauges of the queues, without those of which the last sample is old. Any thread."""
        report, now = self._queues.last, time.time()
        if report is None or report.counted_at is None or now - report.counted_at > FRESH_SECONDS:
            return [(metric, []) for metric in METRICS]
        tracks = self.tracks
        shown = [((queue.name,), queue) for queue in report.queues if queue.name in tracks]
        oldest = [(key, tracks[queue.name].oldest) for key, queue in shown]
        return [
            (READY, [(key, float(queue.ready)) for key, queue in shown if queue.ready is not None]),
            (UNACKED, [(key, float(queue.unacked)) for key, queue in shown if queue.unacked is not None]),
            (
                CONSUMERS,
                [(key, float(number)) for key, queue in shown if (number := _consumers(queue, report)) is not None],
            ),
            (HELD, [] if report.unacked is None else [((), float(report.unacked))]),
            (OLDEST, [(key, max(0.0, now - each.since)) for key, each in oldest if each]),
        ]


def _depth(queue: Queue, report: QueueReport) -> Depth:
    return queue.name, queue.ready, queue.unacked, _consumers(queue, report)


def _consumers(queue: Queue, report: QueueReport) -> int | None:
    """How many consume it: the broker's count, else that of the workers that said so; none only if all did."""
    if queue.connections is not None:
        return queue.connections
    return len(queue.consumers) or (0 if report.settled and not report.untold else None)


def _flow(info: dict[str, Any]) -> tuple[int, int] | None:
    """RabbitMQ's counts of what was published and what was delivered. Its own rates are of a second or two."""
    if "consumers" not in info or "vhost" not in info:
        return None
    statistics = info.get("message_stats") or {}
    return statistics.get("publish") or 0, statistics.get("deliver_get") or 0


def _oldest(
    heads: list[Head], before: dict[str, float], sent: dict[str, float], now: float
) -> tuple[dict[str, float], Oldest | None]:
    """Since when each head is seen, and the oldest of them."""
    seen = {head.task: before.get(head.task, now) for head in heads if head.task}
    found = [Oldest(head.since, True, head.task) for head in heads if head.since is not None]
    for task, since in seen.items():
        found.append(Oldest(sent[task], True, task) if task in sent else Oldest(since, False, task))
    return seen, min(found, key=lambda each: each.since, default=None)
