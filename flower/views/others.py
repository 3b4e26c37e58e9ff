"""One task beside the others of its name, from what was counted as they happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flower.store import Task
from flower.store.rollup_rows import Cell
from flower.store.sketch import bucket_of, percentile, size
from flower.store.stats import Stats
from flower.utils.texts import say
from flower.views.life import attempts_of

SPAN_SECONDS = 86_400
"""A day: long enough to be usual, short enough to be read at once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one duration is among those of its name. `longer_than` is the share of them that were shorter."""

    seconds: float | None
    count: int
    median: float | None
    p95: float | None
    longer_than: float | None

    @property
    def words(self) -> str:
        """Its place in words; empty when there is nothing to compare."""
        if self.longer_than is None or self.count < 2:
            return ""
        if self.longer_than >= 0.5:
            return say("task.others.above", percent=min(99, int(self.longer_than * 100)))
        return say("task.others.below", percent=min(99, int((1 - self.longer_than) * 100)))


@dataclass(frozen=True, slots=True)
class Others:
    """Tasks of one name in the last day; `since` is when counting began, if that was later."""

    succeeded: int
    failed: int
    retried: int
    received: int
    runtime: Standing
    waiting: Standing
    since: float | None

    @property
    def ended(self) -> int:
        return self.succeeded + self.failed

    @property
    def failure_share(self) -> float | None:
        return self.failed / self.ended if self.ended else None


def others_of(stats: Stats, task: Task, start: float) -> Others:
    """The comparison for the page of a task."""
    cell: Cell = stats.total
    last = attempts_of(task)[-1:]
    waited = last[0].waited if last else None
    states = cell.states
    return Others(
        succeeded=states.get("SUCCESS", 0),
        failed=states.get("FAILURE", 0),
        retried=states.get("RETRY", 0),
        received=states.get("RECEIVED", 0),
        runtime=standing(cell.runtime, task.runtime),
        waiting=standing(cell.waiting, None if task.eta else waited),
        since=stats.since if stats.since is not None and stats.since > start else None,
    )


def standing(sketch: Mapping[int, int], seconds: float | None) -> Standing:
    """The place of a duration; those in its own bucket count half."""
    count = size(sketch)
    share = None
    if seconds is not None and count:
        bucket = bucket_of(seconds)
        below = sum(number for place, number in sketch.items() if place < bucket)
        share = (below + sketch.get(bucket, 0) / 2) / count
    return Standing(seconds, count, percentile(sketch, 0.5), percentile(sketch, 0.95), share)
