"""Looking tasks up without reading them all: by the beginning of an id, by who sent them, and what names there are."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from flower.store.caseless import compared
from flower.store.rows import at_once
from flower.store.schema import tasks as table
from flower.store.sqlite import CHILDREN_OF

AT_ONCE = 1000
"""Values in one statement: fewer than either engine takes."""


def starting(connection: sa.Connection, prefix: str, limit: int) -> list[tuple[str, str, str]]:
    """(uuid, name, state) of tasks whose id starts so; the prefix is not empty."""
    query = sa.select(table.c.uuid, table.c.name, table.c.state).where(
        table.c.uuid >= prefix, table.c.uuid < prefix + "\U0010ffff"
    )
    rows = connection.execute(query.order_by(table.c.uuid).limit(limit))
    return [(row[0], row[1] or "", row[2] or "") for row in rows]


def children(connection: sa.Connection, uuids: Sequence[str]) -> dict[str, list[str]]:
    """The uuids of the tasks that each of `uuids` sent, oldest first; childless ones are left out."""
    found: dict[str, list[str]] = {}
    query = sa.select(table.c.parent_id, table.c.uuid).order_by(table.c.parent_id, table.c.received, table.c.id)
    for start in range(0, len(uuids), AT_ONCE):
        chunk = uuids[start : start + AT_ONCE]
        pairs = at_once(connection, CHILDREN_OF, chunk)
        if pairs is None:
            pairs = connection.execute(query.where(table.c.parent_id.in_(chunk))).all()
        for parent, child in pairs:
            found.setdefault(parent, []).append(child)
    return found


def names(connection: sa.Connection) -> list[str]:
    """The distinct task names, sorted."""
    # One step of the index a name, where DISTINCT would read every row of it.
    name = table.c.name
    order = compared(name)
    walk = sa.select(_first(sa.select(name).where(name.is_not(None)), order).label("name")).cte("walk", recursive=True)
    following = _first(sa.select(name).where(order > compared(walk.c.name)), order)
    walk = walk.union_all(sa.select(following).where(walk.c.name.is_not(None)))
    rows = connection.execute(sa.select(walk.c.name).where(walk.c.name.is_not(None)))
    return sorted(row[0] for row in rows)


def _first(statement: sa.Select[str], order: sa.ColumnElement[str]) -> sa.ScalarSelect[str]:
    return statement.order_by(order.asc().nulls_first()).limit(1).scalar_subquery()
