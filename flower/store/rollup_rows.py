"""The rows behind the statistics: a row a minute for the running hour, a row an hour for those before.

A packed hour keeps its minutes, compressed to a tenth, beside their sum: thirty days by the minute cost
little, and a week is read without looking at them. All methods belong to the saver's thread.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from flower.store import sketch
from flower.store.sketch import Sketch

Key = tuple[str, str, str]
"""(family, task name, worker): the family `name` has no worker, `worker` has no name, `pair` has both."""

MINUTE, HOUR = 60, 3600
FAMILIES = ("name", "worker", "pair")

_UPSERT = """
INSERT INTO rollups (seconds, family, start, source, name, worker, states, runtime, waiting, minutes)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (seconds, family, start, source, name, worker) DO UPDATE SET
states = excluded.states, runtime = excluded.runtime, waiting = excluded.waiting, minutes = excluded.minutes
"""
_SELECT_MINUTE = """
SELECT family, name, worker, states, runtime, waiting FROM rollups
WHERE seconds = 60 AND family IN ('name', 'worker', 'pair') AND start = ? AND source = ?
"""
_SELECT_OLDEST = "SELECT min(start) FROM rollups WHERE seconds = ? AND family = ?"
_SELECT_MINUTES = """
SELECT source, name, worker, start, states, runtime, waiting FROM rollups
WHERE seconds = 60 AND family = ? AND start >= ? AND start < ?
"""
_SELECT_PACKED = """
SELECT source, name, worker, minutes FROM rollups WHERE seconds = 3600 AND family = ? AND start = ?
"""
_DELETE = "DELETE FROM rollups WHERE seconds = ? AND family = ? AND start >= ? AND start < ?"


@dataclass(slots=True)
class Cell:
    """What was counted in one place: tasks that entered each state, and two sketches of durations."""

    states: dict[str, int] = field(default_factory=dict)
    runtime: Sketch = field(default_factory=dict)
    waiting: Sketch = field(default_factory=dict)
    changed: bool = False

    def add_state(self, state: str, number: int) -> None:
        self.states[state] = self.states.get(state, 0) + number

    def add(self, other: Cell) -> None:
        """Merge `other` into this one."""
        for state, number in other.states.items():
            self.add_state(state, number)
        sketch.add(self.runtime, other.runtime)
        sketch.add(self.waiting, other.waiting)

    def raise_to(self, other: Cell) -> None:
        """Become the other one if that counted more of the same events."""
        if sum(other.states.values()) > sum(self.states.values()):
            self.states, self.runtime, self.waiting = other.states, other.runtime, other.waiting

    def texts(self) -> tuple[str, str | None, str | None]:
        """How it is stored."""
        return orjson.dumps(self.states).decode(), sketch.pack(self.runtime), sketch.pack(self.waiting)

    @classmethod
    def of(cls, states: str, runtime: str | None, waiting: str | None) -> Cell:
        """The cell behind stored texts."""
        return cls(orjson.loads(states), sketch.unpack(runtime), sketch.unpack(waiting))


Minutes = list[tuple[int, str, str | None, str | None]]
"""(start, states, runtime, waiting) of each minute of an hour, as it is stored."""


def pack_minutes(minutes: Minutes) -> bytes:
    return zlib.compress(orjson.dumps(minutes), 6)


def unpack_minutes(packed: bytes) -> Minutes:
    return [(minute[0], minute[1], minute[2], minute[3]) for minute in orjson.loads(zlib.decompress(packed))]


class Connection(Protocol):
    """What is needed of `flower.store.sqlite.Writer`."""

    def transaction(self) -> Any: ...
    def execute(self, statement: str, values: Iterable[Any] = ()) -> Any: ...
    def executemany(self, statement: str, rows: Iterable[Iterable[Any]]) -> Any: ...


class RollupRows:
    """The table `rollups`, for the one who writes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, start: int, source: str, cells: Mapping[Key, Cell]) -> None:
        """Put these cells in the place of what was stored of the minute."""
        if not cells:
            return
        rows = [
            (MINUTE, family, start, source, name, worker, *cell.texts(), None)
            for (family, name, worker), cell in cells.items()
        ]
        with self._connection.transaction():
            self._connection.executemany(_UPSERT, rows)

    def load(self, start: int, source: str) -> dict[Key, Cell]:
        """What is stored of the minute."""
        rows = self._connection.execute(_SELECT_MINUTE, (start, source))
        return {(family, name, worker): Cell.of(*texts) for family, name, worker, *texts in rows}

    def pack(self, before: float) -> bool:
        """Make one hour that ended before that time into packed rows, one family of it; whether there was one."""
        for family in FAMILIES:
            oldest = self._oldest(MINUTE, family)
            if oldest is not None:
                hour = oldest // HOUR * HOUR
                if hour + HOUR <= before:
                    self._pack(family, hour)
                    return True
        return False

    def forget(self, before: float) -> bool:
        """Delete the oldest hour of one family if it ended before that time; whether there was one."""
        for family in FAMILIES:
            oldest = self._oldest(HOUR, family)
            if oldest is not None and oldest + HOUR <= before:
                with self._connection.transaction():
                    self._connection.execute(_DELETE, (HOUR, family, oldest, oldest + HOUR))
                return True
        return False

    def _oldest(self, seconds: int, family: str) -> int | None:
        start: int | None = self._connection.execute(_SELECT_OLDEST, (seconds, family)).fetchone()[0]
        return start

    def _pack(self, family: str, hour: int) -> None:
        end = hour + HOUR
        with self._connection.transaction():
            hours: dict[tuple[str, str, str], Minutes] = {}
            for source, name, worker, *minute in self._connection.execute(_SELECT_MINUTES, (family, hour, end)):
                hours.setdefault((source, name, worker), []).append((minute[0], minute[1], minute[2], minute[3]))
            # The hour may have come twice, when the clock was set back.
            for source, name, worker, packed in self._connection.execute(_SELECT_PACKED, (family, hour)):
                if (source, name, worker) in hours:
                    hours[source, name, worker] += unpack_minutes(packed)
            rows = []
            for (source, name, worker), minutes in hours.items():
                total = Cell()
                for _, states, runtime, waiting in minutes:
                    total.add(Cell.of(states, runtime, waiting))
                rows.append((HOUR, family, hour, source, name, worker, *total.texts(), pack_minutes(minutes)))
            self._connection.executemany(_UPSERT, rows)
            self._connection.execute(_DELETE, (MINUTE, family, hour, end))
