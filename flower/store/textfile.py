"""A file beside a SQLite store with an index of the pieces of its texts: FTS5's trigrams, without the texts.

It has a lock of its own, so that keeping it up never holds up who writes tasks, and is made anew by each process. A
task that changed is added once more, and one that is gone stays: what is found here are candidates.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path

import orjson

from flower.store.sqlite import connect
from flower.utils.search import WORD_COLUMNS

SUFFIX = "-texts"
_COMPANIONS = ("", "-wal", "-shm")
_ALL = " || char(10) || ".join(f"ifnull({name}, '')" for name in WORD_COLUMNS)
# Most texts are ASCII, for which Python need not be asked. SQLite counts letters up to a NUL, which so is one, too.
_FOLDED = "CASE WHEN length(text) = length(CAST(text AS BLOB)) THEN lower(text) ELSE flower_text(text) END"
_TEXTS = f"SELECT id, {_FOLDED} FROM (SELECT id, {_ALL} AS text FROM main.tasks WHERE {{}})"  # noqa: S608 # constants
_BETWEEN, _AMONG = (_TEXTS.format(which) for which in ("id > ? AND id <= ?", "id IN (SELECT value FROM json_each(?))"))
_ADD = "INSERT INTO texts.pieces (rowid, text) "
_PRAGMAS = ("texts.journal_mode = WAL", "texts.synchronous = OFF", "texts.cache_size = -4000")
_CREATE = """
CREATE VIRTUAL TABLE texts.pieces
USING fts5(text, content = '', columnsize = 0, detail = none, tokenize = 'trigram case_sensitive 1')
"""


class TextFile:
    """The index of the tasks in the file `tasks`. One thread at a time adds, any asks.

    Raises sqlite3.OperationalError where SQLite has no such index (before 3.34, or built without FTS5).
    """

    def __init__(self, tasks: Path) -> None:
        self._path = tasks.with_name(tasks.name + SUFFIX)
        self._lock = threading.Lock()
        remove(tasks)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        self._writer = connect(tasks)
        self._reader = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        try:
            self._writer.create_function("flower_text", 1, _folded, deterministic=True)
            self._writer.execute("ATTACH ? AS texts", (str(self._path),))
            for pragma in _PRAGMAS:
                self._writer.execute(f"PRAGMA {pragma}")
            self._writer.execute(_CREATE)
        except sqlite3.Error:
            self.close()
            raise

    def add(self, low: int, high: int) -> None:
        """Add the tasks with an id above `low`, up to `high`."""
        self._writer.execute(_ADD + _BETWEEN, (low, high))

    def add_again(self, ids: list[int]) -> None:
        """Add tasks whose texts changed."""
        self._writer.execute(_ADD + _AMONG, (orjson.dumps(ids).decode(),))

    def texts(self, ids: list[int]) -> list[str]:
        """The folded texts of some tasks."""
        return [text for _, text in self._writer.execute(_AMONG, (orjson.dumps(ids).decode(),))]

    def match(self, expression: str, most: int) -> list[int]:
        """The ids of tasks that may match, `most` of them at most."""
        statement = "SELECT rowid FROM pieces WHERE pieces MATCH ? LIMIT ?"
        with self._lock:
            return [id_ for (id_,) in self._reader.execute(statement, (expression, most))]

    def close(self) -> None:
        """The file is gone afterwards."""
        with self._lock:
            self._reader.close()
        self._writer.close()
        for suffix in _COMPANIONS:
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def remove(tasks: Path) -> None:
    """Remove what a killed process left."""
    for suffix in _COMPANIONS:
        with contextlib.suppress(OSError):
            tasks.with_name(tasks.name + SUFFIX + suffix).unlink(missing_ok=True)


def _folded(text: str) -> str:
    # FTS5 reads a text up to its first NUL.
    return text.casefold().replace("\0", "\n")
