"""Indexes of columns that somebody sorts or filters by, made beside what is written, until nobody did for an hour.

What any process is asked for is noted in the database; the one that leads makes the indexes and removes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from flower.store.plan import Clause, columns_of
from flower.store.postgres import errands
from flower.store.postgres.database import Connection, Database
from flower.store.postgres.errands import Errands
from flower.store.postgres.tables import terms_of
from flower.store.postgres.writer import Writer
from flower.store.query import TaskQuery
from flower.store.schema import ON_DEMAND
from flower.store.schema import tasks as table

TASKS_LEAST = 20_000
"""As many rows are read in the time in which a person notices nothing."""
UNUSED_SECONDS = 3_600

PREFIX, ASKED = "tasks_by_", "asked_"
DEMANDED = ON_DEMAND - {next(iter(index.columns)).name for index in table.indexes}
"""Columns whose index every database does not have."""
_NOW = "extract(epoch FROM clock_timestamp())::bigint"
_NOTE = f"INSERT INTO counts VALUES (?, {_NOW}) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
_NOTED = f"SELECT name, {_NOW} - number FROM counts WHERE starts_with(name, '{ASKED}')"
_MADE = f"""
SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = to_regclass('tasks') AND starts_with(relname, '{PREFIX}')
"""


class Wanted(Errands):
    """What this process knows of them. `ask` is for any thread, the rest for the writer's."""

    failure = "An index that would make reading fast cannot be made now"

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._asked: dict[str, None] = {}

    def ask(self, query: TaskQuery, where: Iterable[Clause]) -> None:
        """Somebody reads by these columns."""
        columns = DEMANDED & {query.sort_by}.union(*map(columns_of, where))
        self._asked.update(dict.fromkeys(columns))

    def is_settled(self) -> bool:
        """Whether what was asked for is there."""
        return self._settled and not self._asked

    def attend(self, writer: Writer, tasks: int, *, leads: bool) -> None:
        """Note what is asked for; who leads has one index made or removed. Raises psycopg.Error."""
        if not self.is_due(errands.EVERY_SECONDS):
            return
        asked, self._asked = self._asked, {}
        for column in asked:
            writer.execute(_NOTE, (ASKED + column,))
        if not leads or self.is_refused():
            return
        valid = {name.removeprefix(PREFIX): valid for name, valid in writer.execute(_MADE)}
        unasked = {name.removeprefix(ASKED): seconds for name, seconds in writer.execute(_NOTED)}
        self._settled = False
        for column in sorted(DEMANDED):
            used = unasked.get(column, UNUSED_SECONDS) < UNUSED_SECONDS
            if used and not valid.get(column) and tasks >= TASKS_LEAST:
                self.begin(partial(_make, column))
            elif not used and column in valid:
                self.begin(partial(_remove, column))
            else:
                continue
            return
        self._settled = True


def _make(column: str, connection: Connection, schema: str) -> None:
    # What a server that was stopped in the middle left cannot be used.
    _remove(column, connection, schema)
    terms = terms_of([table.c[column]])
    connection.execute(f"CREATE INDEX CONCURRENTLY {PREFIX}{column} ON tasks ({terms})".encode())


def _remove(column: str, connection: Connection, _: str) -> None:
    connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {PREFIX}{column}".encode())
