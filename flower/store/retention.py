"""Forgetting what is too old, or too much, a little at a time, in the saver's thread.

Tasks are looked through in the order in which they came, so that no index is needed: what came long ago is at the
beginning, and a sweep ends where nothing is old any more. Now and then one goes through to the end, for tasks that
were stored late.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from flower.store.engine import Writer

STEP = 500
"""Tasks that are looked at in one transaction: a few milliseconds."""
REST_SECONDS = 60.0
"""Between two sweeps."""
THOROUGH_EVERY = 60
"""One sweep in so many goes to the end."""

_CHUNK = """
SELECT max(id), min(timestamp), count(*)
FROM (SELECT id, timestamp FROM tasks WHERE id > ? ORDER BY id LIMIT ?) AS chunk
"""
_FORGET = "DELETE FROM tasks WHERE id > ? AND id <= ? AND timestamp < ? AND state <> 'FAILURE'"
_FORGET_FAILED = "DELETE FROM tasks WHERE id > ? AND id <= ? AND timestamp < ? AND state = 'FAILURE'"


@dataclass(frozen=True, slots=True)
class Ages:
    """Seconds after which a task is forgotten, None for never; `failed` is for those that failed."""

    task: int | None = None
    failed: int | None = None

    @property
    def least(self) -> int | None:
        """The shorter of the two."""
        return min((age for age in (self.task, self.failed) if age is not None), default=None)


class Retention:
    """What is to be forgotten. One thread at a time."""

    def __init__(self, writer: Writer, ages: Ages) -> None:
        self._writer = writer
        self.ages = ages
        self._at = 0
        """The id up to which this sweep came."""
        self._sweeps = 0
        self._due_at = 0.0

    def is_due(self, excess: int) -> bool:
        """Whether there is something to do; `excess` tasks are too many."""
        return excess > 0 or (self.ages.least is not None and time.monotonic() >= self._due_at)

    def step(self, excess: int, now: float) -> int:
        """Forget some of what is too much or too old, in the caller's transaction; how many went."""
        gone = self._writer.evict(min(excess, STEP)) if excess > 0 else 0
        if self.ages.least is not None and time.monotonic() >= self._due_at:
            gone += self._sweep(now, self.ages.least)
        return gone

    def _sweep(self, now: float, least: int) -> int:
        end, oldest, number = self._writer.execute(_CHUNK, (self._at, STEP)).fetchone()
        gone = 0
        if number:
            for statement, age in ((_FORGET, self.ages.task), (_FORGET_FAILED, self.ages.failed)):
                if age is not None:
                    gone += self._writer.execute(statement, (self._at, end, now - age)).rowcount
            self._at = end
        thorough = self._sweeps % THOROUGH_EVERY == 0
        young = oldest is None or oldest >= now - least
        if number < STEP or (young and not thorough):
            self._at = 0
            self._sweeps += 1
            self._due_at = time.monotonic() + REST_SECONDS
        return gone
