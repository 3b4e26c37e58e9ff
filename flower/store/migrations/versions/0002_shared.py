"""What processes that share a database tell each other."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "peers",
        sa.Column("name", TEXT, primary_key=True),
        *(sa.Column(name, sa.Double(), nullable=False) for name in ("started", "seen")),
        sa.Column("leads", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "counts",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO counts SELECT 'tasks', count(*) FROM tasks")
