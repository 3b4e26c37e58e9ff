"""How deep each queue was, kept: a row for every ten seconds, minute and ten minutes.

Samples are added from any thread and written in the saver's. Each goes into all three resolutions at once, so
nothing has to be thinned out later, and a crash loses at most what was not written yet. The finer ones are kept
for a shorter time. A row tells the worst of its span: the most messages, the fewest consumers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from flower.store.engine import Writer
from flower.store.schema import queue_depths as table
from flower.utils.coercion import encodable, whole

logger = logging.getLogger(__name__)

MINUTE, HOUR, DAY = 60, 3600, 86_400
SAMPLE_SECONDS = 10
KEPT: dict[int, int] = {SAMPLE_SECONDS: 3 * HOUR, MINUTE: 2 * DAY, 10 * MINUTE: 30 * DAY}
"""Span of a row in seconds -> for how long rows of it are kept."""
RETENTION_SECONDS = max(KEPT.values())
MOST_ROWS = 1_000_000
"""Of each resolution, whatever its age: some 60 bytes each."""
UNSAVED_MOST = 360
"""Samples that wait while the store cannot be written: an hour."""
TIDY_SECONDS = 300.0
NAME_LIMIT = 255

Count = int | None
Depth = tuple[str, Count, Count, Count]
"""(queue, ready, unacked, consumers); None says that the broker did not tell."""
Point = tuple[int, Count, Count, Count]
"""(start of the span, most ready, most unacked, fewest consumers)"""

_UPSERT = """
INSERT INTO queue_depths (seconds, queue, at, ready, unacked, consumers) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (seconds, queue, at) DO UPDATE SET
ready = CASE WHEN excluded.ready > coalesce(queue_depths.ready, -1) THEN excluded.ready ELSE queue_depths.ready END,
unacked = CASE WHEN excluded.unacked > coalesce(queue_depths.unacked, -1)
THEN excluded.unacked ELSE queue_depths.unacked END,
consumers = CASE WHEN queue_depths.consumers <= excluded.consumers
THEN queue_depths.consumers ELSE coalesce(excluded.consumers, queue_depths.consumers) END
"""
_COUNT = "SELECT count(*) FROM queue_depths WHERE seconds = ?"
_FORGET = "DELETE FROM queue_depths WHERE seconds = ? AND at < ?"


@dataclass(frozen=True, slots=True)
class DepthQuery:
    """The span from `start` to before `end`, seconds since the epoch, in points of `step` seconds.

    `queues` None is every queue.
    """

    start: float
    end: float
    step: int = SAMPLE_SECONDS
    queues: tuple[str, ...] | None = None


class DepthRows:
    """The table `queue_depths`, for those who add to it and the one who writes it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._unsaved: deque[tuple[float, list[Depth]]] = deque(maxlen=UNSAVED_MOST)
        self._tidy_at = 0.0
        self._resolutions = deque(KEPT)

    @property
    def unsaved(self) -> int:
        """How many samples are not in the store yet."""
        return len(self._unsaved)

    def add(self, at: float, depths: Sequence[Depth]) -> None:
        """Keep a sample; it is in the store within a second. The oldest go while it cannot be written."""
        if depths:
            rows = [(key_of(queue), *map(_storable, counts)) for queue, *counts in depths]
            with self._lock:
                self._unsaved.append((at, rows))  # type: ignore[arg-type]

    def write(self) -> None:
        """Store what was added. Raises sqlite3.Error; can be repeated."""
        with self._lock:
            batch = list(self._unsaved)
        if not batch:
            return
        with self._writer.transaction():
            for seconds in KEPT:
                rows = [(seconds, row[0], start_of(at, seconds), *row[1:]) for at, rows in batch for row in rows]
                self._writer.executemany(_UPSERT, rows)
        written = set(map(id, batch))
        with self._lock:
            left = [sample for sample in self._unsaved if id(sample) not in written]
            self._unsaved.clear()
            self._unsaved.extend(left)

    def tidy(self, now: float) -> None:
        """Forget what is too old of one resolution, if it is time. Raises sqlite3.Error; can be repeated."""
        at = time.monotonic()
        if at < self._tidy_at:
            return
        self.forget(self._resolutions[0], now)
        self._resolutions.rotate(-1)
        self._tidy_at = at + TIDY_SECONDS

    def forget(self, seconds: int, now: float) -> None:
        """Delete the rows of a resolution that are too old, and of the rest the older half while there are too many."""
        kept = KEPT[seconds]
        with self._writer.transaction():
            self._writer.execute(_FORGET, (seconds, now - kept))
            while self._writer.execute(_COUNT, (seconds,)).fetchone()[0] > MOST_ROWS and kept >= seconds:
                kept //= 2
                self._writer.execute(_FORGET, (seconds, now - kept))
                logger.warning("There are too many queues: their depths are kept for %d minutes only", kept // MINUTE)


def key_of(queue: str) -> str:
    """The name as it is stored."""
    queue = queue[:NAME_LIMIT]
    return queue if queue.isascii() else encodable(queue)


def start_of(at: float, seconds: int) -> int:
    """The start of the span of so many seconds in which a time lies."""
    return int(at // seconds) * seconds


def resolution_of(query: DepthQuery, now: float) -> int:
    """The rows to read: as coarse as the steps allow, unless they do not reach back so far."""
    finest = max((seconds for seconds in KEPT if seconds <= query.step), default=SAMPLE_SECONDS)
    reaching = (seconds for seconds, kept in KEPT.items() if seconds >= finest and query.start >= now - kept)
    return next(reaching, max(KEPT))


def read(connection: sa.Connection, query: DepthQuery, now: float) -> dict[str, list[Point]]:
    """Points of each queue, oldest first; spans in which nothing was sampled are left out."""
    seconds = resolution_of(query, now)
    step = max(seconds, query.step // seconds * seconds)
    start = (table.c.at - table.c.at % step).label("start")
    where = [table.c.seconds == seconds, table.c.at >= start_of(query.start, step), table.c.at < query.end]
    if query.queues is not None:
        where.append(table.c.queue.in_([key_of(queue) for queue in query.queues]))
    worst = (sa.func.max(table.c.ready), sa.func.max(table.c.unacked), sa.func.min(table.c.consumers))
    found: dict[str, list[Point]] = {}
    statement = sa.select(table.c.queue, start, *worst).where(*where).group_by(table.c.queue, start)
    for queue, *point in connection.execute(statement.order_by(table.c.queue, start)):
        found.setdefault(queue, []).append((point[0], point[1], point[2], point[3]))
    return found


def _storable(count: Any) -> Count:
    return count if count is None else whole(count)
