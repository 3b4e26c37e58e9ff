"""Who did what, kept: the rows behind the audit.

Entries are added from any thread and written in the saver's. The newest are kept; those that were refused at the
gate are bounded on their own, so that nobody can flush out what was done by being refused often.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from flower.store.engine import Writer
from flower.store.schema import audit as table

REFUSED = "refused"
KEPT = 10_000
KEPT_REFUSED = 2_000
UNSAVED_MOST = 10_000

COLUMNS = tuple(column.name for column in table.columns if column.name != "id")
_INSERT = f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 our names
_TRIM = """
DELETE FROM audit WHERE (outcome = 'refused') = ? AND id <= (
SELECT id FROM audit WHERE (outcome = 'refused') = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""

Entry = dict[str, Any]
"""One value for each of COLUMNS; `arguments` is JSON text."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries; None is no filter. Texts are compared as a whole, times are inclusive."""

    who: str | None = None
    operation: str | None = None
    target: str | None = None
    outcome: str | None = None
    since: float | None = None
    until: float | None = None
    limit: int = 100
    offset: int = 0


class AuditRows:
    """The table `audit`, for those who add to it and the one who writes it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._lock = threading.Lock()
        self._unsaved: deque[Entry] = deque()
        self.lost = 0
        """Entries that found no room while the store could not be written."""

    @property
    def unsaved(self) -> int:
        """How many entries are not in the store yet."""
        return len(self._unsaved)

    def add(self, entry: Entry) -> None:
        """Keep an entry; it is in the store within a second."""
        with self._lock:
            if len(self._unsaved) >= UNSAVED_MOST:
                self.lost += 1
            else:
                self._unsaved.append(entry)

    def write(self) -> None:
        """Store what was added. Raises sqlite3.Error; can be repeated."""
        with self._lock:
            batch = list(self._unsaved)
        if not batch:
            return
        with self._writer.transaction():
            self._writer.executemany(_INSERT, [[entry[name] for name in COLUMNS] for entry in batch])
            self._writer.execute(_TRIM, (False, False, KEPT))
            self._writer.execute(_TRIM, (True, True, KEPT_REFUSED))
        with self._lock:
            for _ in batch:
                self._unsaved.popleft()


def read(connection: sa.Connection, query: AuditQuery) -> tuple[list[Entry], int]:
    """The entries of the page, newest first, and how many match."""
    where = [
        table.c[name] == wanted
        for name in ("who", "operation", "target", "outcome")
        if (wanted := getattr(query, name)) is not None
    ]
    if query.since is not None:
        where.append(table.c.at >= query.since)
    if query.until is not None:
        where.append(table.c.at <= query.until)
    total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
    columns = [table.c[name] for name in COLUMNS]
    page = sa.select(*columns).where(*where).order_by(table.c.id.desc()).limit(query.limit).offset(query.offset)
    return [_entry(row) for row in connection.execute(page)], total


def _entry(row: Any) -> Entry:
    entry = dict(zip(COLUMNS, row, strict=True))
    entry["arguments"] = orjson.loads(entry["arguments"])
    return entry
