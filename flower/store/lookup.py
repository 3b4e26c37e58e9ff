"""Finding tasks by the beginning of their id: one range of the index, however many tasks there are."""

from __future__ import annotations

import sqlalchemy as sa

from flower.store.schema import tasks as table


def starting(connection: sa.Connection, prefix: str, limit: int) -> list[tuple[str, str, str]]:
    """(uuid, name, state) of tasks whose id starts so; the prefix is not empty."""
    query = sa.select(table.c.uuid, table.c.name, table.c.state).where(
        table.c.uuid >= prefix, table.c.uuid < prefix + "\U0010ffff"
    )
    rows = connection.execute(query.order_by(table.c.uuid).limit(limit))
    return [(row[0], row[1] or "", row[2] or "") for row in rows]
