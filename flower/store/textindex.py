"""Searching texts by an index that is made when somebody first searches, behind the ingest and beside the store.

Tasks are added in the order in which they came, a few thousand at a time, in a thread of its own and never while the
writer is behind. Who searches unites what the index finds with the tasks that are not in it yet and those that changed
since, and looks at the texts of these alone. So that none is missed, everything is noted before it is committed:
readers first fix what they see of the tasks, then ask what changed, then the index.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from flower.store.grams import Commonness, expression, needed
from flower.store.sqlite import Writer
from flower.store.textfile import TextFile, remove
from flower.utils.search import Query

logger = logging.getLogger(__name__)

TASKS_LEAST = 20_000
"""As many texts are read in the time in which a person notices nothing."""
STEP = 3_000
"""Tasks that are added at once: a tenth of a second of one core, at most five times a second."""
CHANGED_MOST = 50_000
"""Changed tasks that are remembered: beyond, to begin anew is faster."""
UNUSED_SECONDS = 3_600.0
RETRY_SECONDS, RETRY_MOST_SECONDS = 60.0, 3_600.0
"""After what kept it from being made, a full disk or a lock, it is tried again; twice as late each time."""
SAMPLES = 1_000
"""Texts that tell how common a piece is."""

_WATCH = (
    "CREATE TEMP TABLE flower_mark (id INTEGER)",
    "INSERT INTO flower_mark VALUES (0)",
    "CREATE TEMP TABLE flower_changed (id INTEGER)",
    """
CREATE TEMP TRIGGER flower_changes AFTER UPDATE ON main.tasks WHEN old.id <= (SELECT id FROM flower_mark)
BEGIN INSERT INTO flower_changed VALUES (old.id); END
""",
)
_UNWATCH = ("DROP TRIGGER temp.flower_changes", "DROP TABLE temp.flower_changed", "DROP TABLE temp.flower_mark")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Tasks that may match: those with these ids, and all above `mark`."""

    ids: list[int]
    mark: int


class _Index:
    """One index, from its first task to its end."""

    def __init__(self, path: Path, first: int, tasks: int) -> None:
        self.file = TextFile(path)
        self.mark = self.claimed = first - 1
        """All tasks up to `mark` are in; those up to `claimed` are being added, and their changes are noted."""
        self.most = first + 2 * tasks + TASKS_LEAST
        """Beyond this id more than half of it may be of tasks that are gone."""
        self.changed: set[int] = set()
        self.in_work: set[int] = set()
        self.stale = False
        self.commonness = Commonness()
        self._stride = max(1, tasks // SAMPLES)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="flower-texts")
        self.running: Future[None] | None = None

    def submit(self) -> None:
        """Begin to add what is claimed and what is in work."""
        self.running = self._executor.submit(self._add, self.mark, self.claimed, sorted(self.in_work))

    def _add(self, low: int, high: int, again: list[int]) -> None:
        if high > low:
            self.file.add(low, high)
            sampled = range(low + 1 + -(low + 1) % self._stride, high + 1, self._stride)
            self.commonness.count(self.file.texts(list(sampled)))
        if again:
            self.file.add_again(again)

    def close(self) -> None:
        self._executor.shutdown()
        self.file.close()


class Texts:
    """The index of the texts of the store at `path`, or none as long as nobody searches."""

    def __init__(self, path: Path) -> None:
        self._path = path
        remove(path)
        self._lock = threading.Lock()
        self._asked_at: float | None = None
        self._not_before = 0.0
        self._retry_seconds = RETRY_SECONDS
        self._index: _Index | None = None

    def candidates(self, search: Query, most: int) -> Candidates | None:
        """Which tasks may match; None where no index tells, or more than `most` would have to be looked at.

        Any thread. What the caller sees of the tasks must be fixed before, and not be older than this process.
        """
        wanted = needed(search.root)
        with self._lock:
            index = self._index
            if wanted is None:
                return None
            self._asked_at = time.monotonic()
            if index is None or index.stale:
                return None
            asked = expression(wanted, index.commonness.rarest)
            changed, mark = index.changed | index.in_work, index.mark
        try:
            found = index.file.match(asked, most + 1)
        except sqlite3.Error:  # it was closed in this moment
            return None
        return Candidates([*found, *changed], mark) if len(found) <= most else None

    def note(self, writer: Writer) -> None:
        """Note what a transaction of the writer changed, before it is committed."""
        index = self._index
        if index is None:
            return
        changed = [id_ for (id_,) in writer.execute("SELECT id FROM flower_changed")]
        if changed:
            writer.execute("DELETE FROM flower_changed")
        with self._lock:
            index.changed.update(changed)
            # Ids of the last tasks are given again when these are gone.
            index.stale |= _newest(writer) < index.claimed or len(index.changed) > CHANGED_MOST

    def attend(self, writer: Writer, tasks: int, *, busy: bool) -> None:
        """Begin, end, or go on with the index. In the writer's thread, between transactions."""
        index = self._index
        if index is None:
            if self._is_wanted(tasks) and not busy:
                self._begin(writer, tasks)
            return
        if index.running is not None and not index.running.done():
            return
        if not self._is_wanted(tasks) or index.stale or index.claimed > index.most:
            self._end(writer)
        elif self._is_taken_in(index) and not busy:
            self._claim(index, writer)

    def is_settled(self, writer: Writer) -> bool:
        """Whether all tasks are in the index, if one is wanted. In the writer's thread."""
        index = self._index
        if index is None:
            return self._asked_at is None or time.monotonic() < self._not_before
        return not index.stale and not index.changed and not index.in_work and index.mark == _newest(writer)

    def _is_wanted(self, tasks: int) -> bool:
        now = time.monotonic()
        asked = self._asked_at is not None and now - self._asked_at < UNUSED_SECONDS
        return asked and tasks >= TASKS_LEAST and now >= self._not_before

    def _begin(self, writer: Writer, tasks: int) -> None:
        try:
            index = _Index(self._path, _oldest(writer), tasks)
        except (sqlite3.Error, OSError) as error:
            self._refuse(error)
            return
        for statement in _WATCH:
            writer.execute(statement)
        self._index = index

    def _is_taken_in(self, index: _Index) -> bool:
        """Whether the last step went well: then what it added is known to all."""
        error = index.running.exception() if index.running is not None else None
        if error is not None:
            self._refuse(error)
            index.stale = True
            return False
        with self._lock:
            index.mark = index.claimed
            index.in_work = set()
        return True

    def _claim(self, index: _Index, writer: Writer) -> None:
        newest = _newest(writer)
        claimed = min(newest, index.mark + STEP)
        if claimed == index.mark and not index.changed:
            self._retry_seconds = RETRY_SECONDS
            return
        # From here on changes of these tasks are noted; they are read after that.
        writer.execute("UPDATE flower_mark SET id = ?", (claimed,))
        with self._lock:
            index.claimed = claimed
            index.in_work, index.changed = index.changed, set()
        index.submit()

    def _refuse(self, error: BaseException) -> None:
        self._not_before = time.monotonic() + self._retry_seconds
        told = "Searches read every text, for there can be no index of them for %d s: %s"
        logger.warning(told, self._retry_seconds, error)
        self._retry_seconds = min(2 * self._retry_seconds, RETRY_MOST_SECONDS)

    def _end(self, writer: Writer) -> None:
        index = self._index
        self._index = None
        if index is not None:
            for statement in _UNWATCH:
                writer.execute(statement)
            index.close()

    def close(self, writer: Writer) -> None:
        """Idempotent."""
        self._end(writer)


def _newest(writer: Writer) -> int:
    return int(writer.execute("SELECT max(id) FROM tasks").fetchone()[0] or 0)


def _oldest(writer: Writer) -> int:
    return int(writer.execute("SELECT min(id) FROM tasks").fetchone()[0] or 1)
