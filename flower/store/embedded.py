"""SQLite as the engine of a store: one process, one file."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Sequence
from math import isqrt
from typing import Any

import orjson
import sqlalchemy as sa

from flower.store import sqlite, textindex
from flower.store.engine import Lookup, Peer, Span, Writer
from flower.store.errors import StoreError
from flower.store.files import StoreFile
from flower.store.life import Life
from flower.store.migrate import prepare_file
from flower.store.plan import Clause, Unindexed
from flower.store.query import TaskQuery
from flower.store.schema import Columns
from flower.store.schema import tasks as table
from flower.store.wanted import HELD_UP_SECONDS, WantedIndexes, longer_than
from flower.store.where import conditions
from flower.utils.coercion import encodable, text, whole
from flower.utils.search import Query
from flower.utils.texts import say

logger = logging.getLogger(__name__)

FREE_PAGES, FREE_SHARE = 2_000, 10
"""Empty pages of 4 KB that are left for new tasks: 8 MB, or a tenth of the file."""
GIVEN_BACK_PAGES = 250
"""At a time, a few milliseconds."""
FOLD, FEW = 60, 500
"""Of so many times the tasks the root, and some more: how many texts a search may look at besides its index."""
TAIL_SHARE = 8
"""At most one task in so many may be missing in an index that is worth asking."""

_AMONG = sa.text(
    "tasks.id IN (SELECT value FROM json_each(:ids) UNION ALL SELECT tail.id FROM tasks AS tail WHERE tail.id > :mark)"
)


class Embedded:
    """A file of ours, open. Raises StoreError when it cannot be used."""

    failures: tuple[type[Exception], ...] = (sqlite3.Error,)
    bad_values: tuple[type[Exception], ...] = (
        sqlite3.InterfaceError,
        sqlite3.DataError,
        sqlite3.ProgrammingError,
        OverflowError,
        UnicodeEncodeError,
    )
    shared = False
    leads = True
    crowded = False

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        try:
            if not file.temporary:
                prepare_file(file.path)
            self._writer = sqlite.Writer(file.path, durable=not file.temporary)
        except sqlite3.Error as error:
            file.close()
            raise StoreError(f"Cannot use {file.path}: {error}") from error
        self.writer: Writer = self._writer
        self._life = Life(self.writer)
        self.interrupted: Span | None = None
        self._wanted = WantedIndexes(self._writer.demanded())
        self._texts = textindex.Texts(file.path)
        self.reader = sqlite.reader(file.path)
        self.lookup: Lookup = sqlite.Lookup(file.path)

    def open(self) -> int:
        if self.durable:
            self.interrupted = self._life.before()
        return self.writer.count()

    @property
    def description(self) -> str:
        return say("store.temporary") if self.file.temporary else say("store.file", path=self.file.path)

    @property
    def durable(self) -> bool:
        return not self.file.temporary

    def peers(self) -> list[Peer]:
        return []

    def counted(self, known: int, change: int) -> int:
        self._texts.note(self._writer)
        if change:
            self._writer.counted(known + change)
        return known + change

    def ask(self, query: TaskQuery, where: Sequence[Clause]) -> None:
        self._wanted.ask(query, where)

    @property
    def made(self) -> frozenset[Columns]:
        return self._wanted.made

    def ended(self, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {}

    def matching(self, connection: sa.Connection, search: Query, tasks: int) -> str | None:
        if tasks < textindex.TASKS_LEAST:
            return None
        connection.exec_driver_sql("BEGIN")
        newest = connection.exec_driver_sql("SELECT max(id) FROM tasks").scalar() or 0
        # So many are looked at in the time in which a page of matches is met on the way if they are more.
        candidates = self._texts.candidates(search, isqrt(FOLD * tasks) + FEW)
        if candidates is None or newest - candidates.mark > max(textindex.TASKS_LEAST, tasks // TAIL_SHARE):
            return None
        among = _AMONG.bindparams(ids=orjson.dumps(candidates.ids).decode(), mark=candidates.mark)
        exactly = conditions(TaskQuery(search=search), table)
        ids = connection.scalars(sa.select(table.c.id).where(among, *map(Unindexed, exactly)))
        return orjson.dumps(list(ids)).decode()

    def hints(self, connection: sa.Connection, search: Query) -> list[Clause]:
        return []

    def attend(self, tasks: int, behind: Callable[[], bool]) -> None:
        """There is nobody else, but an index may be wanted."""
        if self.durable:
            self._life.attend()
        self._texts.attend(self._writer, tasks, busy=behind())
        missing, unused = self._wanted.missing(), self._wanted.unused()
        if missing is not None and not behind():
            if self._make(missing, behind):
                self._wanted.make(missing)
            else:
                self._wanted.give_up(missing)
        elif unused is not None:
            self._writer.drop_index(unused)
            self._wanted.forget(unused)

    def _make(self, columns: Columns, behind: Callable[[], bool]) -> bool:
        """Whether an index was made. Nobody who stores tasks suffers when there is no room for it."""
        try:
            return self._writer.add_index(columns, longer_than(HELD_UP_SECONDS, behind))
        except sqlite3.Error as error:
            by = " and ".join(columns)
            logger.warning("The index that would make reading by %s fast cannot be made now: %s", by, error)
            return False

    def is_settled(self) -> bool:
        return self._wanted.missing() is None and self._texts.is_settled(self._writer)

    def check(self) -> tuple[list[str], list[str]]:
        empty, pages, size, version = (
            self.writer.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("freelist_count", "page_count", "page_size", "user_version")
        )
        faults = [row[0] for row in self.writer.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
        (there,), counted = self.writer.execute("SELECT count(*) FROM tasks").fetchone(), self.writer.count()
        if there != counted:
            self._writer.counted(there)
            faults.append(f"{counted} tasks were counted, {there} are there; the number is put right")
        megabytes = size / 1_000_000
        return [f"{pages * megabytes:.1f} MB, {empty * megabytes:.1f} MB of it empty, schema {version}"], faults

    def give_back(self) -> None:
        """A part of the empty pages, unless they are few and will be filled again."""
        if not self.durable:
            return
        free, pages = (self.writer.execute(f"PRAGMA {count}_count").fetchone()[0] for count in ("freelist", "page"))
        if free > max(FREE_PAGES, pages // FREE_SHARE):
            self._writer.give_back(GIVEN_BACK_PAGES)

    def storable(self, value: Any) -> Any:
        """No lone surrogate, no huge integer, no object."""
        if isinstance(value, str):
            return encodable(value)
        if isinstance(value, int):
            return whole(value)
        return value if value is None or isinstance(value, float) else text(value)

    def size(self) -> int:
        return self.file.size()

    def close(self) -> None:
        self.reader.dispose()
        self.lookup.close()
        self._texts.close(self._writer)
        with contextlib.suppress(sqlite3.Error):
            self._life.end()
        self.writer.close()
        self.file.close()
