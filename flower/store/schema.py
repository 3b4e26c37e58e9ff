"""The tables of the store, made from the one table of columns."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from flower.store.caseless import CASELESS
from flower.store.columns import COLUMNS

VERSION = 2
"""Version of the schema, kept in the file. A newer file is refused."""
APPLICATION_ID = 0x466C6F77
"""`Flow`: how a SQLite file says that it is ours."""

metadata = sa.MetaData()

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
"""Compared and ordered by code points in both engines."""
_CASELESS = _TEXT.with_variant(sa.Text(collation="NOCASE"), "sqlite")
_TYPES: dict[str, Any] = {
    "text": _TEXT,
    "time": sa.Double(),
    "seconds": sa.Double(),
    "integer": sa.BigInteger(),
    "json": _TEXT,
}


def _column(name: str, kind: str) -> sa.Column[Any]:
    type_ = _CASELESS if name in CASELESS else _TYPES[kind]
    return sa.Column(name, type_, nullable=name != "uuid", unique=name == "uuid" or None)


tasks = sa.Table(
    "tasks",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    *(_column(column.name, column.kind) for column in COLUMNS),
)

ALWAYS = frozenset({"received", "timestamp", "name", "state", "worker", "parent_id"})
"""Columns by which an index of every store is sorted."""

# Every list of the pages and of the API walks one of these instead of sorting all rows.
sa.Index("tasks_by_received", tasks.c.received)
sa.Index("tasks_by_timestamp", tasks.c.timestamp)
sa.Index("tasks_by_started", tasks.c.started)
sa.Index("tasks_by_runtime", tasks.c.runtime)
sa.Index("tasks_by_name", tasks.c.name, tasks.c.received)
sa.Index("tasks_by_state", tasks.c.state, tasks.c.received)
sa.Index("tasks_by_worker", tasks.c.worker, tasks.c.received)
# For every engine: an argument of another dialect would load all of that.
sa.Index("tasks_by_parent", tasks.c.parent_id, sqlite_where=tasks.c.parent_id.is_not(None))
ON_DEMAND = frozenset(
    column.name
    for column in COLUMNS
    if column.name == "queue" or (column.kind in ("time", "seconds", "integer") and column.name not in ALWAYS)
)
"""Columns whose index is not worth its cost to everybody: SQLite has it on demand, see `flower.store.wanted`."""

Columns = tuple[str, ...]
TOGETHER: tuple[Columns, ...] = (
    ("name", "worker", "received"),
    ("name", "state", "received"),
    ("state", "worker", "received"),
)
"""Indexes, by their columns, for who filters by two of them. SQLite has them on demand; the first is of most use."""
DEMANDED: frozenset[Columns] = frozenset({*TOGETHER, *((column,) for column in ON_DEMAND)})
"""All indexes that SQLite has on demand."""

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("hostname", _TEXT, primary_key=True),
    sa.Column("facts", _TEXT, nullable=False),
)
"""One row a worker: its last known facts and its counters, as JSON text."""

rollups = sa.Table(
    "rollups",
    metadata,
    sa.Column("seconds", sa.Integer(), primary_key=True),
    sa.Column("family", _TEXT, primary_key=True),
    sa.Column("start", sa.BigInteger(), primary_key=True),
    sa.Column("source", _TEXT, primary_key=True),
    sa.Column("name", _TEXT, primary_key=True),
    sa.Column("worker", _TEXT, primary_key=True),
    sa.Column("states", _TEXT, nullable=False),
    sa.Column("runtime", _TEXT),
    sa.Column("waiting", _TEXT),
    sa.Column("minutes", sa.LargeBinary()),
    sqlite_with_rowid=False,
)
"""What happened in a minute or an hour (`seconds` from `start`), see `flower.store.rollups`.

`source` is the process that counted. The key begins as every reading does: a family and a span of time.
"""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("at", sa.Double(), nullable=False),
    sa.Column("who", _TEXT, nullable=False),
    sa.Column("address", _TEXT, nullable=False),
    sa.Column("operation", _TEXT, nullable=False),
    sa.Column("target", _TEXT),
    sa.Column("arguments", _TEXT, nullable=False),
    sa.Column("outcome", _TEXT, nullable=False),
    sa.Column("status", sa.Integer(), nullable=False),
    sa.Column("message", _TEXT, nullable=False),
    sa.Column("seconds", sa.Double(), nullable=False),
)
"""Who did what, see `flower.store.audit`; `arguments` is JSON text."""

queue_depths = sa.Table(
    "queue_depths",
    metadata,
    sa.Column("seconds", sa.Integer(), primary_key=True),
    sa.Column("queue", _TEXT, primary_key=True),
    sa.Column("at", sa.BigInteger(), primary_key=True),
    sa.Column("ready", sa.BigInteger()),
    sa.Column("unacked", sa.BigInteger()),
    sa.Column("consumers", sa.BigInteger()),
    sqlite_with_rowid=False,
)
"""How deep a queue was in the `seconds` from `at`, see `flower.store.depths`."""

peers = sa.Table(
    "peers",
    metadata,
    sa.Column("name", _TEXT, primary_key=True),
    sa.Column("started", sa.Double(), nullable=False),
    sa.Column("seen", sa.Double(), nullable=False),
    sa.Column("leads", sa.Boolean(), nullable=False),
)
"""The processes that share the database, see `flower.store.postgres.peers`; nobody shares a file."""

counts = sa.Table(
    "counts",
    metadata,
    sa.Column("name", _TEXT, primary_key=True),
    sa.Column("number", sa.BigInteger(), nullable=False),
)
"""How many `tasks` there are, for processes that cannot count what the others store."""
