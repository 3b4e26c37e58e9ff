"""An index of the pieces of all texts (pg_trgm), made when somebody first searches and removed when nobody does.

The server makes it beside what is written, in a connection of its own. It only ever leads to tasks: what is found is
compared as ever.
"""

from __future__ import annotations

import sqlalchemy as sa

from flower.store.grams import Any, Needed, needed
from flower.store.plan import Clause
from flower.store.postgres import errands, fold
from flower.store.postgres.database import Connection, Database, quoted
from flower.store.postgres.errands import Errands
from flower.store.postgres.writer import Writer
from flower.store.query import TaskQuery
from flower.store.schema import tasks as table
from flower.store.where import conditions
from flower.utils.search import WORD_COLUMNS, Query

TASKS_LEAST = 20_000
"""As many texts are read in the time in which a person notices nothing."""
UNUSED_SECONDS = 3_600

LOOKED_AT, COMMON = 300, 5
"""What so many of the newest tasks match is met often enough on the way."""

FUNCTION, INDEX = "flower_texts", "tasks_by_texts"
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(?)"
_NOW = "extract(epoch FROM clock_timestamp())::bigint"
_ASKED = f"""
INSERT INTO counts VALUES ('texts_asked', {_NOW}) ON CONFLICT (name) DO UPDATE SET number = excluded.number
"""
_UNASKED_SECONDS = f"SELECT {_NOW} - number FROM counts WHERE name = 'texts_asked'"
_EXTENSION = "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'pg_trgm'"


class Texts(Errands):
    """What this process knows of the index. `hints` is for any thread, the rest for the writer's."""

    failure = "Searches read every text, for there can be no index of them"

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._asked = False
        self._ready = False

    def hints(self, connection: sa.Connection, search: Query) -> list[Clause]:
        """What every match fulfils and the index answers; nothing without an index, or for what is common.

        The server cannot know how common: it would fetch all matches by the index, or sort them, instead of walking
        past a few. So the newest tasks are looked at, and then the connection is told for its transaction.
        """
        wanted = needed(search.root)
        if wanted is None:
            return []
        self._asked = True
        hit = sa.and_(*conditions(TaskQuery(search=search), table)).label("hit")
        newest = (
            sa.select(hit)
            .select_from(table)
            .order_by(table.c.received.desc().nulls_last(), table.c.id.desc())
            .limit(LOOKED_AT)
        )
        hits = sum(map(bool, connection.scalars(newest)))
        if hits >= COMMON:
            connection.exec_driver_sql("SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
            return []
        return [_clause(wanted)] if self._ready else []

    def is_settled(self) -> bool:
        """Whether what was asked for is there."""
        return self._settled and not self._asked

    def attend(self, writer: Writer, tasks: int, *, leads: bool) -> None:
        """Look what is asked for and what there is; who leads has it made or removed. Raises psycopg.Error."""
        if not self.is_due(errands.EVERY_SECONDS):
            return
        if self._asked:
            self._asked = False
            writer.execute(_ASKED)
        valid = (writer.execute(_VALID, (INDEX,)).fetchone() or (None,))[0]
        self._ready = valid is True
        (unasked,) = writer.execute(_UNASKED_SECONDS).fetchone() or (UNUSED_SECONDS,)
        self._settled = self._ready == (unasked < UNUSED_SECONDS and tasks >= TASKS_LEAST)
        if not leads or self.is_refused():
            return
        if unasked >= UNUSED_SECONDS:
            if valid is not None:
                self.begin(_remove)
        elif not self._ready and tasks >= TASKS_LEAST:
            self.begin(_make)


def _make(connection: Connection, schema: str) -> None:
    connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    (home,) = connection.execute(_EXTENSION).fetchone() or (schema,)
    connection.execute(_definition(schema).encode())
    # What a server that was stopped in the middle left cannot be used.
    _remove(connection, schema)
    call = f"{FUNCTION}({', '.join(WORD_COLUMNS)})"
    made = f"CREATE INDEX CONCURRENTLY {INDEX} ON tasks USING gin ({call} {quoted(home)}.gin_trgm_ops)"
    connection.execute(made.encode())
    # Now it can be known how common pieces are.
    connection.execute("ANALYZE tasks")


def _remove(connection: Connection, _: str) -> None:
    connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}".encode())


def _definition(schema: str) -> str:
    # Qualified, for the server looks at indexes without our search path.
    texts = " || E'\\n' || ".join(f"coalesce(${number}, '')" for number in range(1, len(WORD_COLUMNS) + 1))
    arguments = ", ".join(["text"] * len(WORD_COLUMNS))
    return f"""
CREATE OR REPLACE FUNCTION {FUNCTION}({arguments}) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
AS $texts$ SELECT {quoted(schema)}.{fold.NAME}({texts}) $texts$
"""


def _clause(wanted: Needed) -> Clause:
    if isinstance(wanted, str):
        texts = sa.func.flower_texts(*(table.c[name] for name in WORD_COLUMNS), type_=sa.Text())
        pattern = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return texts.like(sa.literal(f"%{pattern}%", sa.Text()))
    clauses = map(_clause, wanted.parts)
    return sa.or_(*clauses) if isinstance(wanted, Any) else sa.and_(*clauses)
