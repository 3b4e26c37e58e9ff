"""How a page is found: which index SQLite walks for it.

SQLite knows nothing of how many rows match, and would rather sort all of them than walk past a few; we
count them anyway.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flower.store.caseless import compared
from flower.store.columns import BY_NAME, NAMES
from flower.store.query import TaskQuery
from flower.store.schema import ALWAYS, ON_DEMAND
from flower.store.schema import tasks as table

Clause = sa.ColumnElement[bool]

GROUPING = frozenset({"name", "state", "worker"})
"""Columns with few values: within one the tasks go by received time, as their indexes do."""
INDEXED = ALWAYS | {"uuid"}
"""Columns of which every store has an index."""
SORTED = ALWAYS | ON_DEMAND
"""Columns by which an index is sorted, or will be when somebody asked."""


def page_ids(query: TaskQuery, where: list[Clause]) -> sa.Select[int]:
    """The ids of the asked page, in its order. Raises ValueError for an unknown column to sort by.

    Only ids are skipped and sorted, straight from an index; whole rows are read for the page alone.
    """
    statement = sa.select(table.c.id).where(*where).order_by(*_order(query))
    return statement.limit(query.limit).offset(query.offset)


def walking(query: TaskQuery, where: list[Clause], total: int, stored: int) -> list[Clause]:
    """The conditions, kept from choosing an index where walking the sorted one meets the page sooner.

    `total` of `stored` rows match: the walk looks at about `(offset + limit) * stored / total` rows, the
    other way sorts `total`. What is said of the sorted column itself tells where the walk begins and ends.
    """
    if query.among is not None or query.sort_by not in SORTED or (query.offset + query.limit) * stored >= total * total:
        return where
    return [clause if columns_of(clause) == {query.sort_by} else Unindexed(clause) for clause in where]


def columns_of(clause: Clause) -> set[str]:
    """The names of the columns of which a condition speaks."""
    return {part.name for part in visitors.iterate(clause) if isinstance(part, sa.Column)}


def checked(column: str) -> str:
    """The column to sort by, if there is one. Raises ValueError."""
    if column not in BY_NAME:
        raise ValueError(f"Cannot sort by {column!r}; allowed: {', '.join(NAMES)}")
    return column


def _order(query: TaskQuery) -> list[sa.ColumnElement[Any]]:
    terms: list[sa.ColumnElement[Any]] = [compared(table.c[checked(query.sort_by)])]
    if query.sort_by in GROUPING:
        terms.append(table.c.received)
    terms.append(table.c.id)
    order = [term.desc() if query.descending else term.asc() for term in terms]
    # What decides between equals is as the index has it: an empty value is the least. Ids are never empty.
    between = [term.nulls_last() if query.descending else term.nulls_first() for term in order[1:-1]]
    return [order[0].nulls_last(), *between, order[-1]]


class Unindexed(FunctionElement[bool]):
    """The condition, for which no index is looked at."""

    type = sa.Boolean()
    inherit_cache = True


@compiles(Unindexed)
def _as_it_is(element: Unindexed, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"({compiler.process(element.clauses, **kwargs)})"


@compiles(Unindexed, "sqlite")
def _with_a_plus(element: Unindexed, compiler: SQLCompiler, **kwargs: Any) -> str:
    # SQLite's documented way to keep a term from an index (query planner, "unary plus").
    return f"+({compiler.process(element.clauses, **kwargs)})"
