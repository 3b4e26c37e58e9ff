"""What the depths of a queue mean: whether it grows, and what is wrong with it, in words.

Pure functions, for the pages, the API and whoever tells of the cluster's health.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flower.queues import Queue, QueueReport
from flower.store.depths import DAY, HOUR, MINUTE, SAMPLE_SECONDS, DepthQuery, Point, start_of
from flower.utils.texts import say

Sampled = Sequence[tuple[float, int]]
"""(when, how many were ready), oldest first."""
Tone = Literal["bad", "warn", "muted"]

SPANS = (5 * MINUTE, 15 * MINUTE, 30 * MINUTE)
"""A queue grows if it grew in the first of them; the longest in which it grew is told."""
FEWEST = 5
LEAST_SECONDS = 40.0
LEAST_CHANGE = 10
LEAST_SHARE = 0.05
"""Less is the coming and going of a queue that is well."""

STEPS = (SAMPLE_SECONDS, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY)
POINTS = 360
"""Points of a series unless a step is asked for."""


@dataclass(frozen=True, slots=True)
class Trend:
    """`change` messages within `seconds`: positive for a queue that grows."""

    change: int
    seconds: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.change / self.seconds

    def empty_in(self, ready: int) -> float | None:
        """Seconds until a queue that shrinks like this is empty."""
        return ready / -self.rate if self.change < 0 else None


@dataclass(frozen=True, slots=True)
class Flag:
    """Something about a queue that its owner should know. `text` is a word or two, `detail` a sentence."""

    kind: Literal["unconsumed", "unknown", "growing"]
    tone: Tone
    text: str
    detail: str


def trend_of(points: Sampled) -> Trend | None:
    """How the queue grows or shrinks; None while it does neither, or too little is known.

    Its mean must rise (or fall) from each third of the span to the next, so that one burst is no trend.
    """
    found = None
    for span in SPANS:
        recent = [point for point in points if point[0] >= points[-1][0] - span]
        if len(recent) < FEWEST or recent[-1][0] - recent[0][0] < LEAST_SECONDS:
            break
        change = _steady_change([ready for _, ready in recent])
        if not change or (found and (change > 0) != (found.change > 0)):
            break
        found = Trend(change, recent[-1][0] - recent[0][0])
    return found


def _steady_change(values: list[int]) -> int:
    """The change from the first to the last value; 0 unless it is steady and matters."""
    change = values[-1] - values[0]
    if abs(change) < max(LEAST_CHANGE, LEAST_SHARE * values[0]):
        return 0
    third = len(values) // 3
    parts = values[:third], values[third:-third], values[-third:]
    begin, middle, end = (sum(part) / len(part) for part in parts)
    return change if (begin < middle < end if change > 0 else begin > middle > end) else 0


def flags_of(queue: Queue, report: QueueReport, trend: Trend | None) -> list[Flag]:
    """What is wrong with the queue, the worst first."""
    flags = [flag for flag in (_unconsumed(queue, report), _growing(trend)) if flag]
    return sorted(flags, key=lambda flag: RANKS[flag.tone])


RANKS: dict[str, int] = {"bad": 0, "warn": 1, "muted": 2}


def rank_of(flags: list[Flag]) -> int:
    """By how bad the worst is: lower is worse."""
    return min((RANKS[flag.tone] for flag in flags), default=len(RANKS))


def _unconsumed(queue: Queue, report: QueueReport) -> Flag | None:
    if queue.consumed:
        return None
    waiting = bool(queue.ready)
    if queue.connections is None and not report.settled:
        return Flag("unknown", "muted", say("queues.flag.untold"), say("queues.flag.untold.detail"))
    if queue.connections is None and report.untold:
        names = _some(report.untold)
        detail = say("queues.flag.unasked.detail", names=names)
        return Flag("unknown", "warn" if waiting else "muted", say("queues.flag.unasked"), detail)
    if not report.workers and queue.connections is None:
        detail = say("queues.flag.offline")
    elif queue.connections is None:
        detail = say("queues.flag.others", count=report.workers)
    else:
        detail = say("queues.flag.broker")
    return Flag("unconsumed", "bad" if waiting else "muted", say("queues.flag.lonely"), detail)


def _growing(trend: Trend | None) -> Flag | None:
    if trend is None or trend.change < 0:
        return None
    detail = say(
        "queues.flag.growing.detail",
        change=f"{trend.change:+,}",
        span=span_text(trend.seconds),
        rate=f"{trend.rate:.2g}",
    )
    return Flag("growing", "warn", say("queues.flag.growing"), detail)


def _some(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else say("queues.flag.names", name=names[0], number=len(names) - 1)


def span_text(seconds: float) -> str:
    """`50 s`, `5 min`, `3 h`, `2 d`."""
    for size, name in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= 2 * size or (size == MINUTE and seconds >= size):
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"


# Over time


@dataclass(frozen=True, slots=True)
class Columns:
    """The depths of one queue, one value for each step; None where nothing was sampled or told."""

    ready: list[int | None]
    unacked: list[int | None]
    consumers: list[int | None]


def step_for(seconds: float, points: int = POINTS) -> int:
    """The step that makes at most so many points of a span."""
    return next((step for step in STEPS if seconds / step <= points), STEPS[-1])


def query_for(start: float, end: float, step: int | None, queue: str | None = None) -> DepthQuery:
    """The question to the store, widened to whole steps."""
    step = step or step_for(end - start)
    first = start_of(start, step)
    return DepthQuery(first, end, step, None if queue is None else (queue,))


def steps_of(query: DepthQuery) -> list[int]:
    """The beginnings of the steps."""
    return list(range(int(query.start), max(int(query.start) + 1, int(-(-query.end // 1))), query.step))


def columns_of(points: Sequence[Point], query: DepthQuery) -> Columns:
    """The points in the places of the steps. A step finer than what is stored is filled by its row."""
    starts = steps_of(query)
    told = Columns([None] * len(starts), [None] * len(starts), [None] * len(starts))
    for at, ready, unacked, consumers in points:
        place = int((at - query.start) // query.step)
        if 0 <= place < len(starts):
            told.ready[place], told.unacked[place], told.consumers[place] = ready, unacked, consumers
    return told
