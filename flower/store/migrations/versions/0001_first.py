"""The tables of the first version."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INDEXES = {
    "received": ("received",),
    "timestamp": ("timestamp",),
    "started": ("started",),
    "runtime": ("runtime",),
    "name": ("name", "received"),
    "state": ("state", "received"),
    "worker": ("worker", "received"),
    "parent": ("parent_id",),
}
CASELESS = ("name", "state", "worker")
TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
CASELESS_TEXT = TEXT.with_variant(sa.Text(collation="NOCASE"), "sqlite")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIMES = ("received", "sent", "started", "rejected", "succeeded", "failed", "retried", "revoked")
ROUTE = ("exchange", "routing_key")
LINKS = ("client", "root_id", "parent_id", "queue")


def upgrade() -> None:
    tasks()
    indexes()
    facts()


def tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("uuid", TEXT, nullable=False, unique=True),
        sa.Column("name", CASELESS_TEXT),
        sa.Column("state", CASELESS_TEXT),
        *(sa.Column(name, sa.Double()) for name in TIMES),
        *(sa.Column(name, TEXT) for name in ("args", "kwargs", "eta", "expires")),
        sa.Column("retries", sa.BigInteger()),
        sa.Column("worker", CASELESS_TEXT),
        *(sa.Column(name, TEXT) for name in ("result", "exception")),
        *(sa.Column(name, sa.Double()) for name in ("timestamp", "runtime")),
        *(sa.Column(name, TEXT) for name in ("traceback", *ROUTE)),
        sa.Column("clock", sa.BigInteger()),
        *(sa.Column(name, TEXT) for name in LINKS),
        sa.Column("priority", sa.BigInteger()),
        sa.Column("custom", sa.Double()),
        *(sa.Column(name, TEXT) for name in ("custom_state", "extra", "attempts")),
    )


def facts() -> None:
    """What is known besides tasks."""
    op.create_table(
        "workers",
        sa.Column("hostname", TEXT, primary_key=True),
        sa.Column("facts", TEXT, nullable=False),
    )
    op.create_table(
        "rollups",
        sa.Column("seconds", sa.Integer(), primary_key=True),
        sa.Column("family", TEXT, primary_key=True),
        sa.Column("start", sa.BigInteger(), primary_key=True),
        *(sa.Column(name, TEXT, primary_key=True) for name in ("source", "name", "worker")),
        sa.Column("states", TEXT, nullable=False),
        *(sa.Column(name, TEXT) for name in ("runtime", "waiting")),
        sa.Column("minutes", sa.LargeBinary()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("who", "address", "operation")),
        sa.Column("target", TEXT),
        *(sa.Column(name, TEXT, nullable=False) for name in ("arguments", "outcome")),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
    )
    op.create_table(
        "queue_depths",
        sa.Column("seconds", sa.Integer(), primary_key=True),
        sa.Column("queue", TEXT, primary_key=True),
        sa.Column("at", sa.BigInteger(), primary_key=True),
        *(sa.Column(name, sa.BigInteger()) for name in ("ready", "unacked", "consumers")),
        sqlite_with_rowid=False,
    )


def indexes() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    for name, columns in INDEXES.items():
        terms = list(columns)
        if not sqlite:
            terms = [f"lower({column})" if column in CASELESS else column for column in columns]
            terms = [*(f"{term} NULLS FIRST" for term in terms), "id"]
        only = " WHERE parent_id IS NOT NULL" if name == "parent" else ""
        op.execute(f"CREATE INDEX tasks_by_{name} ON tasks ({', '.join(terms)}){only}")
