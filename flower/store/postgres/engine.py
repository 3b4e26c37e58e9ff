"""A PostgreSQL database, open."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from flower.store import engine
from flower.store.columns import NAMES
from flower.store.engine import Peer, Row, Span
from flower.store.errors import StoreError
from flower.store.plan import Clause
from flower.store.postgres.database import Connection, Database
from flower.store.postgres.peers import Peers
from flower.store.postgres.tables import prepare
from flower.store.postgres.texts import Texts
from flower.store.postgres.wanted import Wanted
from flower.store.postgres.writer import Writer, mended
from flower.store.query import TaskQuery
from flower.store.schema import VERSION, Columns
from flower.utils.coercion import encodable, text, whole
from flower.utils.search import Query, storable
from flower.utils.texts import say

_READ_ONLY = {"default_transaction_read_only": "on"}


class Postgres:
    """The database that the URL names, which is to be opened. Raises StoreError for what is no URL of one."""

    failures: tuple[type[Exception], ...] = (
        StoreError,
        psycopg.OperationalError,
        psycopg.InterfaceError,
        psycopg.InternalError,
        psycopg.ProgrammingError,
        psycopg.NotSupportedError,
    )
    bad_values: tuple[type[Exception], ...] = (psycopg.DataError, TypeError, ValueError, OverflowError)
    durable = True
    shared = True

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self._writer = Writer(self._database)
        self.writer: engine.Writer = self._writer
        self._texts = Texts(self._database)
        self._wanted = Wanted(self._database)
        self._peers = Peers(self._writer, self._database.lock("lead"))
        self.reader = sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._database.connect(**_READ_ONLY),
            pool_size=4,
            max_overflow=4,
            pool_pre_ping=True,
            pool_reset_on_return="rollback",
        )
        sa.event.listen(self.reader, "connect", _in_transactions)
        sa.event.listen(self.reader, "before_cursor_execute", _mend, retval=True)
        self.lookup: engine.Lookup = Lookup(self._database)

    def open(self) -> int:
        connection = self._database.first()
        try:
            prepare(self._database, connection)
            self._writer.use(connection)
            self._peers.beat()
            return self._writer.count()
        except psycopg.Error as error:
            connection.close()
            raise StoreError(f"{self._database.description} cannot be used: {str(error).strip()}") from error
        except BaseException:
            connection.close()
            raise

    @property
    def description(self) -> str:
        others = len(self.peers()) - 1
        name = self._database.description
        return say("store.shared", store=name, count=others) if others > 0 else name

    @property
    def leads(self) -> bool:
        return self._peers.leads

    @property
    def crowded(self) -> bool:
        return self._peers.crowded

    @property
    def interrupted(self) -> Span | None:
        return self._peers.interrupted

    def peers(self) -> list[Peer]:
        return self._peers.all()

    def counted(self, known: int, change: int) -> int:
        return self._writer.counted(change)

    def ask(self, query: TaskQuery, where: Sequence[Clause]) -> None:
        self._wanted.ask(query, where)

    @property
    def made(self) -> frozenset[Columns]:
        return frozenset()

    def ended(self, uuids: Sequence[str]) -> dict[str, dict[str, Any]]:
        return self._writer.ended(uuids)

    def matching(self, connection: sa.Connection, search: Query, tasks: int) -> str | None:
        return None

    def hints(self, connection: sa.Connection, search: Query) -> list[Clause]:
        return self._texts.hints(connection, search)

    def attend(self, tasks: int, behind: Callable[[], bool]) -> None:
        self._peers.attend()
        self._texts.attend(self._writer, tasks, leads=self.leads)
        self._wanted.attend(self._writer, tasks, leads=self.leads)

    def is_settled(self) -> bool:
        return self._texts.is_settled() and self._wanted.is_settled()

    def check(self) -> tuple[list[str], list[str]]:
        """A wrong number of tasks is told, and put right."""
        with self._writer.transaction():
            (there,) = self._writer.execute("SELECT count(*) FROM tasks").fetchone() or (0,)
            counted = self._writer.count()
            self._writer.counted(there - counted)
        broken = self._writer.execute(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid "
            "AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace)"
        )
        faults = [f"the index {row[0]} cannot be used: REINDEX INDEX {row[0]}" for row in broken]
        if there != counted:
            faults.append(f"{counted} tasks were counted, {there} are there; the number is put right")
        (server,) = self._writer.execute("SHOW server_version").fetchone() or ("",)
        return [f"{self.size() / 1_000_000:.1f} MB, PostgreSQL {server}, schema {VERSION}"], faults

    def give_back(self) -> None:
        """The server does, when it vacuums."""

    def storable(self, value: Any) -> Any:
        """No lone surrogate, no NUL, no huge integer, no object."""
        if isinstance(value, str):
            return storable(encodable(value))
        if isinstance(value, int):
            return whole(value)
        return value if value is None or isinstance(value, float) else text(value)

    def size(self) -> int:
        """Bytes of the tables and their indexes; 0 while nobody can be asked."""
        statement = sa.text(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        )
        with contextlib.suppress(sa.exc.DBAPIError), self.reader.connect() as connection:
            return int(connection.execute(statement).scalar_one())
        return 0

    def close(self) -> None:
        with contextlib.suppress(psycopg.Error):
            self._peers.leave()
        self.reader.dispose()
        self.lookup.close()
        self.writer.close()


def _in_transactions(connection: Connection, _: object) -> None:
    connection.autocommit = False


def _mend(_: object, __: object, statement: str, values: Any, *___: object) -> tuple[str, Any]:
    """Whatever is asked for may have a NUL in it, which no text of PostgreSQL has."""
    if isinstance(values, dict):
        values = dict(zip(values, mended(values.values()), strict=True))
    return statement, values


class Lookup:
    """One task by its uuid, on a connection of its own. Any thread."""

    _STATEMENT = f"SELECT {', '.join(NAMES)} FROM tasks WHERE uuid = %s"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def row(self, uuid: str) -> Row | None:
        """The stored row; raises psycopg.Error."""
        with self._lock:
            try:
                return self._ask(uuid)
            except psycopg.OperationalError:
                # The server may have been restarted since the last call.
                if self._connection is None or not self._connection.closed:
                    raise
                return self._ask(uuid)

    def _ask(self, uuid: str) -> Row | None:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(**_READ_ONLY)
        return self._connection.execute(self._STATEMENT.encode(), (storable(uuid),)).fetchone()

    def close(self) -> None:
        """Idempotent."""
        if self._connection is not None:
            self._connection.close()
