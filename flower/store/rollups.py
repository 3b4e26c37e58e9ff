"""What happened in each minute, counted as it happens: by task name, by worker, and by pairs of both.

Who tells of events counts (`count`), the saver's thread sums up and stores (`write`, `tidy`); neither waits
for the other. Events count in the minute in which they arrived, so that no clock but ours matters.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from flower.store import sketch
from flower.store.recent import Recent
from flower.store.rollup_rows import Cell, Key, RollupRows
from flower.store.tally import Kind, Tally
from flower.utils.coercion import encodable

logger = logging.getLogger(__name__)

MINUTE = 60
HOUR = 3600
RETENTION_SECONDS = 30 * 24 * HOUR

MOST: dict[str, int] = {"name": 1_000, "worker": 1_000, "pair": 500}
"""Rows of each family a minute; what is beyond counts as OTHER. Pairs are what could grow without end."""
OTHER = "(other)"
MOST_STATES = 32
MOST_FRESH = 3_000
"""Names with workers, of less than a kilobyte each, after which whoever counts sums up, to keep memory bounded."""
MOST_PLACES = 20_000
"""Names with workers of which it is remembered where they count: 200 workers of 50 tasks fit."""
MOST_UNSAVED_MINUTES = 60
"""While the store cannot be written. Older minutes are given up."""
NAME_LIMIT = 255

HELD_MINUTES = 5
"""By a process that does not store them."""
WRITE_SECONDS = 1.0
BUSY_SECONDS = 5.0
"""While more tasks come than can be stored at once, they go first."""
TIDY_SECONDS = 60.0

STATES: dict[str, str] = {
    "task-sent": "PENDING",
    "task-received": "RECEIVED",
    "task-started": "STARTED",
    "task-succeeded": "SUCCESS",
    "task-failed": "FAILURE",
    "task-retried": "RETRY",
    "task-revoked": "REVOKED",
    "task-rejected": "REJECTED",
}
"""Type of an event -> the state that a task enters with it."""

Place = tuple[str, str | None]
"""The name of a task and its worker; None for its client, which is no worker, though its events name it there."""


class _Fresh(dict[Place, Cell]):
    """Counted and not yet summed up: what a name and a worker counted."""

    def __missing__(self, place: Place) -> Cell:
        cell = self[place] = Cell()
        return cell


@dataclass(slots=True)
class _Minute:
    """The rows of one minute as they shall be stored."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    sizes: Counter[str] = field(default_factory=Counter)
    places: dict[Place, tuple[Cell, ...]] = field(default_factory=dict)
    """The cells in which a name and a worker count."""
    loaded: bool = False
    """Whether what the store has of this minute is in it: counted before a restart."""


class Rollups:
    """The counters of one process. `source` tells its rows from those of others on the same database."""

    def __init__(self, rows: RollupRows, source: str = "", *, shared: bool = False) -> None:
        self._rows = rows
        self._source = source
        self._shared = shared
        """Whether another process may have counted the same events, and stored them under this source."""
        self._began: float | None = None
        self._lock = threading.Lock()
        self._fresh: dict[int, _Fresh] = {}
        self._sum_lock = threading.Lock()
        self._minutes: dict[int, _Minute] = {}
        self._write_at = 0.0
        self._tidy_at = 0.0
        self.recent = Recent()
        """The last minutes in finer steps; of this process only."""
        self.folded = 0
        """How often a counter found no room of its own and counted as OTHER."""

    # Counting, in the thread that tells of events

    def count(self, tally: Tally, counts: Counter[Kind], now: float) -> None:
        """Count task events, their run times, and the waits that ended with them."""
        minute = int(now // MINUTE) * MINUTE
        if self._began is None:
            self._began = now
        types: dict[str, int] = {}
        with self._lock:
            fresh = self._fresh.setdefault(minute, _Fresh())
            for (name, type_, worker), number in counts.items():
                types[type_] = types.get(type_, 0) + number
                states = fresh[name, None if type_ == "task-sent" else worker].states
                _enter(states, STATES.get(type_) or _key_text(type_[5:].upper()), number)
            runs = [sketch.observe(fresh[name, worker].runtime, run) for worker, name, run in tally.runs if run == run]
            waits = [sketch.observe(fresh[name, worker].waiting, wait) for worker, name, wait, _ in tally.waits]
            crowded = len(fresh) > MOST_FRESH
        self.recent.count(types, runs, waits, now)
        if crowded:
            self._sum_up()

    # Summing up and storing, in the saver's thread

    def write(self, now: float, *, at_once: bool = False, busy: bool = False) -> None:
        """Store what changed, once a second, more rarely while `busy`, or `at_once`.

        Raises sqlite3.Error; can be repeated.
        """
        at = time.monotonic()
        if at < self._write_at + (BUSY_SECONDS - WRITE_SECONDS) * busy and not at_once:
            return
        self._write_at = at + WRITE_SECONDS
        self._sum_up()
        with self._sum_lock:
            for start, minute in sorted(self._minutes.items()):
                if not minute.loaded:
                    self._add_stored(start, minute)
                changed = {key: cell for key, cell in minute.cells.items() if cell.changed}
                self._rows.save(start, self._source, changed)
                for cell in changed.values():
                    cell.changed = False
            # One that comes again, when the clock was set back, begins with what is stored of it.
            for start in [start for start in self._minutes if start + MINUTE <= now]:
                del self._minutes[start]

    def hold(self, now: float) -> None:
        """Store nothing, for another process does; keep the last minutes, in case that it ends."""
        self._sum_up()
        with self._sum_lock:
            for start in [start for start in self._minutes if start + HELD_MINUTES * MINUTE <= now]:
                del self._minutes[start]

    def tidy(self, now: float) -> None:
        """Take one step of packing and forgetting, if any is due. Raises sqlite3.Error; can be repeated."""
        at = time.monotonic()
        if at < self._tidy_at:
            return
        busy = self._rows.pack(now - 2 * MINUTE) or self._rows.forget(now - RETENTION_SECONDS)
        self._tidy_at = at + (WRITE_SECONDS if busy else TIDY_SECONDS)

    def _add_stored(self, start: int, minute: _Minute) -> None:
        # What is stored of a minute in which this process began was counted before; of others, at the same time.
        counted_all = self._shared and self._began is not None and self._began <= start
        for key, cell in self._rows.load(start, self._source).items():
            if key in minute.cells and counted_all:
                minute.cells[key].raise_to(cell)
            elif key in minute.cells:
                minute.cells[key].add(cell)
            else:
                minute.cells[key] = cell
                minute.sizes[key[0]] += 1
        minute.loaded = True

    def _sum_up(self) -> None:
        with self._lock:
            batches, self._fresh = self._fresh, {}
        if not batches:
            return
        with self._sum_lock:
            for start, fresh in batches.items():
                self._merge(self._minutes.setdefault(start, _Minute()), fresh)
            while len(self._minutes) > MOST_UNSAVED_MINUTES:
                lost = min(self._minutes)
                del self._minutes[lost]
                logger.error("The statistics of the minute from %d are lost, as they could not be stored", lost)

    def _merge(self, minute: _Minute, fresh: _Fresh) -> None:
        for place, counted in fresh.items():
            for cell in self._cells(minute, place):
                for state, number in counted.states.items():
                    _enter(cell.states, state, number)
                sketch.add(cell.runtime, counted.runtime)
                sketch.add(cell.waiting, counted.waiting)
                cell.changed = True

    def _cells(self, minute: _Minute, place: Place) -> tuple[Cell, ...]:
        """Where this counts."""
        cells = minute.places.get(place)
        if cells is None:
            if len(minute.places) > MOST_PLACES:
                minute.places.clear()
            cells = minute.places[place] = tuple(
                minute.cells.setdefault(key, Cell()) for key in self._keys(minute, *place)
            )
        return cells

    def _keys(self, minute: _Minute, name: str, worker: str | None) -> list[Key]:
        """Once in each family; in that of pairs twice when there is no room, so that either way to read finds it."""
        name = self._admitted(minute, "name", _key_text(name))
        keys: list[Key] = [("name", name, "")]
        if worker is None:
            return keys
        worker = self._admitted(minute, "worker", _key_text(worker))
        keys.append(("worker", "", worker))
        pair: Key = ("pair", name, worker)
        if pair in minute.cells or minute.sizes["pair"] < MOST["pair"]:
            minute.sizes["pair"] += pair not in minute.cells
            return [*keys, pair]
        self.folded += 1
        return [*keys, *{("pair", name, OTHER), ("pair", OTHER, worker)}]

    def _admitted(self, minute: _Minute, family: str, text: str) -> str:
        """The text itself, or OTHER when this minute has too many."""
        key = (family, text, "") if family == "name" else (family, "", text)
        if key in minute.cells or text == OTHER:
            return text
        if minute.sizes[family] >= MOST[family]:
            self.folded += 1
            return OTHER
        minute.sizes[family] += 1
        return text


def _enter(states: dict[str, int], state: str, number: int) -> None:
    """Count so many tasks that entered a state; those that tasks make up have room only for some."""
    if state not in states and len(states) >= MOST_STATES:
        state = OTHER
    states[state] = states.get(state, 0) + number


def _key_text(text: str) -> str:
    text = text[:NAME_LIMIT]
    return text if text.isascii() else encodable(text)
