"""Which of several filters leads to the fewest rows.

SQLite takes any of them, for it knows no numbers; each column's index tells its own in less than a millisecond.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.util import ClauseAdapter

from flower.store.facets import count
from flower.store.plan import GROUPING, Clause, Unindexed, columns_of
from flower.store.query import TaskQuery
from flower.store.schema import tasks as table

LOOK_SECONDS = 0.012
"""How long it is looked at one of them at most: an index tells ten thousand in one or two milliseconds."""


def narrowest(connection: sa.Connection, where: list[Clause]) -> list[Clause]:
    """The conditions, of which one of those for a name, a state and a worker leads, and the others are looked up."""
    among = [clause for clause in where if _is_equality(clause)]
    if len(among) < 2 or connection.dialect.name != "sqlite":
        return where
    # Each of their indexes goes on by received time.
    span = [clause for clause in where if columns_of(clause) == {"received"}]
    best = min(among, key=lambda clause: count(connection, [clause, *span], seconds=LOOK_SECONDS).number)
    others = {id(clause) for clause in among if clause is not best}
    return [_beside(clause) if id(clause) in others else clause for clause in where]


def _beside(clause: Clause) -> Clause:
    """The condition as a look into the index of its column: dozens of tasks share a page of it, but few one of rows."""
    other = table.alias()
    same = sa.and_(other.c.received.is_not_distinct_from(table.c.received), Unindexed(other.c.id == table.c.id))
    # Of the row itself, and not led to by its id, which would be the row again.
    found = sa.select(sa.literal(1)).select_from(other).where(ClauseAdapter(other).traverse(clause), same)
    return sa.exists(found.correlate(table))


def is_in_order(query: TaskQuery, where: list[Clause]) -> bool:
    """Whether the tasks to which a filter leads are in the asked order already: by received time."""
    return query.sort_by == "received" and query.among is None and any(map(_is_equality, where))


def _is_equality(clause: Clause) -> bool:
    compares = isinstance(clause, sa.BinaryExpression) and clause.operator in (operators.eq, operators.in_op)
    return compares and columns_of(clause) <= GROUPING
