"""Which of several filters leads to the fewest rows.

SQLite takes any of them, for it knows no numbers; each column's index tells its own in less than a millisecond.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.sql import operators

from flower.store.facets import count
from flower.store.plan import GROUPING, Clause, Unindexed, columns_of
from flower.store.query import TaskQuery


def narrowest(connection: sa.Connection, where: list[Clause]) -> list[Clause]:
    """The conditions, of which at most one of those for a name, a state or a worker chooses an index."""
    among = [clause for clause in where if _is_equality(clause)]
    if len(among) < 2 or connection.dialect.name != "sqlite":
        return where
    # Each of their indexes goes on by received time.
    span = [clause for clause in where if columns_of(clause) == {"received"}]
    best = min(among, key=lambda clause: count(connection, [clause, *span]).number)
    others = {id(clause) for clause in among if clause is not best}
    return [Unindexed(clause) if id(clause) in others else clause for clause in where]


def is_in_order(query: TaskQuery, where: list[Clause]) -> bool:
    """Whether the tasks to which a filter leads are in the asked order already: by received time."""
    return query.sort_by == "received" and query.among is None and any(map(_is_equality, where))


def _is_equality(clause: Clause) -> bool:
    compares = isinstance(clause, sa.BinaryExpression) and clause.operator in (operators.eq, operators.in_op)
    return compares and columns_of(clause) <= GROUPING
