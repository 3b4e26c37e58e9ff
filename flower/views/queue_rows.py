"""The lines of the table of queues: what is known of each, what is wrong with it, in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flower.backlog import Flag, Trend, flags_of, rank_of, span_text
from flower.queues import Queue, QueueReport
from flower.sampler import Oldest, Sampler, Track
from flower.utils.texts import say
from flower.views.charts import sparkline
from flower.views.worker_rows import natural_key

POINTS = 60
"""Of a sparkline: half a minute each."""

STATES: dict[str, tuple[str, str]] = {
    word: (say(f"queues.state.{word or 'all'}"), say(f"queues.state.{word or 'all'}.help"))
    for word in ("", "waiting", "unconsumed", "unknown", "growing")
}
"""Word in the address -> its label and what it means."""


@dataclass(frozen=True, slots=True)
class Row:
    """One queue. Rates are messages a second; None is unknown."""

    queue: Queue
    track: Track
    flags: list[Flag]
    trend: Trend | None
    spark: str

    @property
    def name(self) -> str:
        return self.queue.name

    @property
    def rank(self) -> int:
        """Lower is worse."""
        return rank_of(self.flags)

    @property
    def incoming(self) -> float | None:
        return self.track.rates[0]

    @property
    def outgoing(self) -> float | None:
        return self.track.rates[1]

    @property
    def oldest(self) -> Oldest | None:
        """Of the last sample: what was taken since does not wait any more."""
        return self.track.oldest if self.queue.ready else None

    @property
    def consumers(self) -> int:
        """How many are known to consume it."""
        return max(len(self.queue.consumers), self.queue.connections or 0)

    @property
    def course(self) -> str:
        """What becomes of it, in words, where no flag says it."""
        if self.trend is None or self.trend.change > 0:
            return ""
        left = self.trend.empty_in(self.queue.ready or 0)
        told = {"change": self.trend.change, "span": span_text(self.trend.seconds)}
        if not left or left < 1:
            return say("queues.course", **told)
        return say("queues.course.empty", **told, left=span_text(left))

    def has(self, state: str) -> bool:
        """Whether it is one of STATES."""
        if state == "waiting":
            return bool(self.queue.ready)
        return not state or any(flag.kind == state for flag in self.flags)


SORTS: dict[str, Callable[[Row], Any]] = {
    "messages": lambda row: row.queue.messages,
    "ready": lambda row: row.queue.ready,
    "unacked": lambda row: row.queue.unacked,
    "in": lambda row: row.incoming,
    "out": lambda row: row.outgoing,
    "oldest": lambda row: None if row.oldest is None else -row.oldest.since,
    "consumers": lambda row: row.consumers,
}
"""Column -> by what it sorts; besides, `worst` and `name`."""


def rows_of(report: QueueReport, sampler: Sampler, now: float) -> list[Row]:
    """Every queue of the report, the worst first."""
    rows = [row_of(queue, report, sampler.track(queue.name), now) for queue in report.queues]
    return sorted(rows, key=lambda row: (row.rank, -(row.queue.ready or 0), natural_key(row.name)))


def row_of(queue: Queue, report: QueueReport, track: Track, now: float) -> Row:
    """What is known of one queue."""
    trend = track.trend if report.error is None else None
    flags = flags_of(queue, report, trend)
    tone = "bad" if any(flag.tone == "bad" for flag in flags) else "warn" if flags and rank_of(flags) < 2 else "info"
    values = track.values(now, POINTS)
    known = [value for value in values if value is not None]
    if not known:
        return Row(queue, track, flags, trend, "")
    first, last, most = (round(value) for value in (known[0], known[-1], max(known)))
    label = say("queues.spark", first=first, last=last, most=most)
    return Row(queue, track, flags, trend, sparkline(values, label, tone))


def ordered(rows: Sequence[Row], sort: str) -> list[Row]:
    """The rows by one column, `-` for descending; what is unknown comes last."""
    by, descending = sort.removeprefix("-"), sort.startswith("-")
    if by == "worst":
        return list(rows[::-1] if descending else rows)
    if by == "name":
        return sorted(rows, key=lambda row: natural_key(row.name), reverse=descending)
    value = SORTS[by]
    known = [row for row in rows if value(row) is not None]
    return sorted(known, key=value, reverse=descending) + [row for row in rows if value(row) is None]


def matches(row: Row, text: str) -> bool:
    """Whether every word is in the queue's name, in its workers' or in what is wrong with it."""
    hay = " ".join([row.name, *row.queue.consumers, *(flag.text for flag in row.flags)]).casefold()
    return all(word in hay for word in text.casefold().split())
