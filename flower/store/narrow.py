"""Which of several filters leads to the fewest rows.

SQLite takes any of them, for it knows no numbers; each column's index tells its own in less than a millisecond. Two
filters for which there is an index lead together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import operators
from sqlalchemy.sql.util import ClauseAdapter

from flower.store.facets import count
from flower.store.plan import GROUPING, Clause, Unindexed, columns_of
from flower.store.query import TaskQuery
from flower.store.schema import TOGETHER, Columns
from flower.store.schema import tasks as table

EQUALITIES = (operators.eq, operators.in_op)
LOOK_SECONDS = 0.012
"""How long it is looked at one of them at most: an index tells ten thousand in one or two milliseconds."""


def narrowest(connection: sa.Connection, where: list[Clause], made: Collection[Columns] = ()) -> list[Clause]:
    """The conditions, of which one of those for a name, a state and a worker leads, and the others are looked up.

    Or two, for which there is an index among those that were `made`.
    """
    leaders = _leaders([clause for clause in where if _is_equality(clause)], made)
    if len(leaders) < 2 or connection.dialect.name != "sqlite":
        return where
    # Each of their indexes goes on by received time.
    span = [clause for clause in where if columns_of(clause) == {"received"}]
    best = min(leaders, key=lambda leader: count(connection, [*leader, *span], seconds=LOOK_SECONDS).number)
    others = {id(clause) for leader in leaders if leader is not best for clause in leader}
    return [_beside(clause) if id(clause) in others else clause for clause in where]


def together(where: Sequence[Clause]) -> list[Columns]:
    """The indexes by which two of these conditions would lead together."""
    single = {name for clause in where if _is_equality(clause, EQUALITIES[:1]) for name in columns_of(clause)}
    return [columns for columns in TOGETHER if single.issuperset(columns[:2])]


def _leaders(among: list[Clause], made: Collection[Columns]) -> list[list[Clause]]:
    pair = next((frozenset(columns[:2]) for columns in together(among) if columns in made), frozenset())
    paired = [clause for clause in among if columns_of(clause) <= pair]
    alone = [[clause] for clause in among if not columns_of(clause) <= pair]
    return [paired, *alone] if paired else alone


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


def _is_equality(clause: Clause, operations: Collection[Any] = EQUALITIES) -> bool:
    compares = isinstance(clause, sa.BinaryExpression) and clause.operator in operations
    return compares and columns_of(clause) <= GROUPING
