"""The SQLite engine: connections, the bulk upsert, and eviction.

The hot path speaks to the driver itself: one statement of many rows is one call into SQLite, which
releases the interpreter lock for as long as it works, where a call a row would take it back and
forth thousands of times a second.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from flower.store.bounded import STEPS
from flower.store.columns import BY_NAME, FINAL_STATES, NAMES
from flower.store.openrows import NEWEST_OPEN, OPEN_OF_STATE
from flower.store.schema import APPLICATION_ID, DEMANDED, ON_DEMAND, VERSION, Columns, metadata
from flower.utils.search import SQL_FUNCTIONS

Row = tuple[Any, ...]

ROWS_A_STATEMENT = (128, 16, 1)
"""Sizes of the upsert: few, so that each is prepared once. With 512 rows it is as fast, and each takes a megabyte."""

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA cache_size = -2000",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA busy_timeout = 5000",
)
_DEMANDED = {f"tasks_by_{'_'.join(columns)}": columns for columns in DEMANDED}
_NAME_OF = {columns: name for name, columns in _DEMANDED.items()}
_COLUMN_LIST = ", ".join(NAMES)
_AMONG = "IN (SELECT value FROM json_each(?))"
ROWS_WITH = f"SELECT id, {_COLUMN_LIST} FROM tasks WHERE id {_AMONG}"
"""For a list of ids as JSON."""
CHILDREN_OF = (
    # So said, the index is taken that leaves out the tasks without a parent.
    f"SELECT parent_id, uuid FROM tasks WHERE parent_id IS NOT NULL AND parent_id {_AMONG} "
    "ORDER BY parent_id, received, id"
)
"""For a list of uuids as JSON."""
_ASSIGNMENTS = ", ".join(f"{name} = excluded.{name}" for name in NAMES if name != "uuid")
_FINAL = ", ".join(f"'{state}'" for state in sorted(FINAL_STATES))
_NOTED = "SELECT number FROM counts WHERE name = 'stored'"
_NOTE = "INSERT INTO counts VALUES ('stored', ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
# Most of what is bound is None. For each the driver looks for an adapter, which takes twice as long when there is none.
sqlite3.register_adapter(type(None), lambda none: none)
_DIALECT = sa.create_engine("sqlite://").dialect
_JSON = frozenset(name for name in NAMES if BY_NAME[name].kind == "json")


def connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit mode that any one thread at a time may use."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=64)
    for pragma in _PRAGMAS:
        connection.execute(pragma)
    for name, (arguments, function) in SQL_FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)
    return connection


def reader(path: Path) -> sa.Engine:
    """The pool of read connections behind every query."""

    return sa.create_engine(
        "sqlite+pysqlite://",
        creator=lambda: _connect_to_read(path),
        poolclass=sa.QueuePool,
        pool_size=4,
        max_overflow=4,
    )


def _connect_to_read(path: Path) -> sqlite3.Connection:
    connection = connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


class Lookup:
    """One task by its uuid: what scripts ask most, at a tenth of the cost of a composed query. Any thread."""

    _STATEMENT = f"SELECT {_COLUMN_LIST} FROM tasks WHERE uuid = ?"

    def __init__(self, path: Path) -> None:
        self._connection = _connect_to_read(path)
        self._connection.execute("PRAGMA cache_size = -500")
        self._lock = threading.Lock()

    def row(self, uuid: str) -> Row | None:
        """The stored row; raises sqlite3.Error."""
        with self._lock:
            found: Row | None = self._connection.execute(self._STATEMENT, (uuid,)).fetchone()
        return found

    def close(self) -> None:
        self._connection.close()


def flat(task: dict[str, Any]) -> dict[str, Any]:
    """The facts of a task as they are stored: JSON as text."""
    if task.get("attempts") or task.get("extra"):
        return {**task, **{name: _text(task.get(name)) for name in _JSON}}
    return task


def task_of(row: Iterable[Any]) -> dict[str, Any]:
    """The known facts of a row."""
    task = {name: value for name, value in zip(NAMES, row, strict=True) if value is not None}
    for name in _JSON & task.keys():
        task[name] = orjson.loads(task[name])
    return task


def _text(value: Any) -> str | None:
    return None if not value else orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


class Writer:
    """The one connection that writes. One thread at a time."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self._path = path
        self._connection = connect(path)
        # A larger cache is no faster, as the system has the pages too; a log of 16 MB before it goes into the file.
        for pragma in ("PRAGMA cache_size = -4000", "PRAGMA wal_autocheckpoint = 4000"):
            self._connection.execute(pragma)
        # NORMAL: a killed process loses nothing that was committed, a power cut at most the last commits.
        self._connection.execute(f"PRAGMA synchronous = {'NORMAL' if durable else 'OFF'}")
        self._create()

    def _create(self) -> None:
        indexes = {index for table in metadata.tables.values() for index in table.indexes}
        statements = [
            *(
                str(CreateTable(table, if_not_exists=True).compile(dialect=_DIALECT))
                for table in metadata.tables.values()
            ),
            *(_index_statement(index) for index in indexes if index.columns[0].name not in ON_DEMAND),
        ]
        with self.transaction():
            for statement in statements:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def demanded(self) -> frozenset[Columns]:
        """The indexes on demand that there are."""
        names = self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'")
        return frozenset(_DEMANDED[name] for (name,) in names if name in _DEMANDED)

    def add_index(self, columns: Columns, give_up: Callable[[], bool]) -> bool:
        """Make an index on demand, in a second for each million tasks; False when that was given up."""
        # On a connection of its own, which sorts in a file: a hundred bytes of memory a task would be too much.
        with contextlib.closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
            connection.set_progress_handler(give_up, STEPS)
            try:
                connection.execute(f"CREATE INDEX IF NOT EXISTS {_NAME_OF[columns]} ON tasks ({', '.join(columns)})")
            except sqlite3.OperationalError as error:
                if "interrupted" not in str(error):
                    raise
                return False
        return True

    def drop_index(self, columns: Columns) -> None:
        """Remove an index on demand."""
        self._connection.execute(f"DROP INDEX IF EXISTS {_NAME_OF[columns]}")

    def give_back(self, pages: int) -> None:
        """Shorten the file by so many empty pages."""
        # A plain `execute` ends after the first: the statement has a row without columns for each.
        self._connection.executescript(f"PRAGMA incremental_vacuum({pages})")

    def transaction(self) -> Transaction:
        return Transaction(self._connection)

    def execute(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """The answer to one statement."""
        return self._connection.execute(statement, tuple(values))

    def executemany(self, statement: str, rows: Iterable[Iterable[Any]]) -> sqlite3.Cursor:
        """One statement for many rows."""
        return self._connection.executemany(statement, map(tuple, rows))

    def fetch(self, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The stored tasks among `uuids`."""
        found: dict[str, dict[str, Any]] = {}
        for start, end in _chunks(len(uuids), (4096, 512, 64, 8, 1)):
            marks = ",".join("?" * (end - start))
            statement = f"SELECT {_COLUMN_LIST} FROM tasks WHERE uuid IN ({marks})"
            for row in self._connection.execute(statement, uuids[start:end]):
                found[row[0]] = task_of(row)
        return found

    def upsert(self, tasks: Sequence[dict[str, Any]]) -> None:
        """Insert or replace whole rows by uuid."""
        # Most tasks lack most facts: what none of them has needs not be bound, and becomes NULL all the same.
        known = set().union(*tasks)
        names = tuple(name for name in NAMES if name in known)
        for start, end in _chunks(len(tasks), ROWS_A_STATEMENT):
            values = [value for task in tasks[start:end] for value in map(task.get, names)]
            self._connection.execute(_upsert_statement(names, end - start), values)

    def count(self) -> int:
        """Rows stored, as was noted with the last change; they are counted but once in the life of a file."""
        noted = self._connection.execute(_NOTED).fetchone()
        if noted is None:
            noted = self._connection.execute("SELECT count(*) FROM tasks").fetchone()
            self.counted(noted[0])
        return int(noted[0])

    def counted(self, number: int) -> None:
        """Note how many rows are stored, in the transaction that changed it."""
        self._connection.execute(_NOTE, (number,))

    def evict(self, number: int) -> int:
        """Delete the `number` oldest tasks, finished ones first; returns how many went."""
        gone = self._delete(f"WHERE state IN ({_FINAL}) ORDER BY timestamp LIMIT ?", number)
        if gone < number:
            gone += self._delete("ORDER BY timestamp LIMIT ?", number - gone)
        return gone

    def _delete(self, which: str, number: int) -> int:
        statement = f"DELETE FROM tasks WHERE id IN (SELECT id FROM tasks INDEXED BY tasks_by_timestamp {which})"
        return self._connection.execute(statement, (number,)).rowcount

    def unfinished(self, limit: int) -> list[dict[str, Any]]:
        """The newest tasks that are not final, some thousand of each state at most, oldest first."""
        rows = self._connection.execute(NEWEST_OPEN, {"most": min(limit, OPEN_OF_STATE), "limit": limit})
        return [task_of(row) for row in rows][::-1]

    def save_workers(self, facts: dict[str, dict[str, Any]], gone: Sequence[str]) -> None:
        """Keep what is known of these workers, forget the `gone` ones."""
        upsert = "INSERT INTO workers VALUES (?, ?) ON CONFLICT (hostname) DO UPDATE SET facts = excluded.facts"
        self._connection.executemany(upsert, [(name, orjson.dumps(known).decode()) for name, known in facts.items()])
        self._connection.executemany("DELETE FROM workers WHERE hostname = ?", [(name,) for name in gone])

    def load_workers(self) -> dict[str, dict[str, Any]]:
        """The kept facts by worker."""
        return {
            name: orjson.loads(text) for name, text in self._connection.execute("SELECT hostname, facts FROM workers")
        }

    def close(self) -> None:
        self._connection.close()


class Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK on any error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
        elif self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _chunks(length: int, sizes: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Ranges that cover `length` with the largest possible of `sizes`."""
    start = 0
    for size in sizes:
        while length - start >= size:
            yield start, start + size
            start += size


@lru_cache(maxsize=64)
def _upsert_statement(names: Sequence[str], rows: int) -> str:
    marks = "(" + ",".join("?" * len(names)) + ")"
    return (
        f"INSERT INTO tasks ({', '.join(names)}) VALUES {','.join([marks] * rows)} "
        f"ON CONFLICT (uuid) DO UPDATE SET {_ASSIGNMENTS}"
    )


def _index_statement(index: sa.Index) -> str:
    return str(CreateIndex(index, if_not_exists=True).compile(dialect=_DIALECT))
