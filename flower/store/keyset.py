"""Pages by the place where they begin instead of by how many tasks to skip: as fast at the end as at the start.

An order is a column and what decides between equals: for columns with few values the received time, and
always the id. Tasks that lack the column come last, whatever the direction. An index knows no such order
as a whole, but each part of it: the rest of those equal to the place, what lies beyond them, those without
a value. So a page is read part by part until it is full.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from flower.store.caseless import CASELESS, compared
from flower.store.facets import count, patience
from flower.store.narrow import is_in_order
from flower.store.plan import GROUPING, SORTED, Clause, checked, page_ids, walking
from flower.store.query import Count, Cursor, Slice, TaskQuery
from flower.store.rows import tasks_with
from flower.store.schema import tasks as table
from flower.store.task import Task
from flower.utils.search import ascii_lower

WALKED = SORTED | {"uuid"}
"""Columns with an index: parts of the order are found at once."""

Order = sa.ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class _Key:
    """A column of an order, walked in one direction."""

    column: sa.Column[Any]
    falling: bool
    empty_last: bool

    @property
    def compared(self) -> sa.ColumnElement[Any]:
        return compared(self.column)

    @property
    def order(self) -> Order:
        """As an index has it: an empty value is the least."""
        return self._order(self.falling)

    @property
    def whole_order(self) -> Order:
        return self._order(self.empty_last)

    def _order(self, empty_last: bool) -> Order:
        order = self.compared.desc() if self.falling else self.compared.asc()
        if not self.column.nullable:
            return order
        return order.nulls_last() if empty_last else order.nulls_first()

    def equal(self, value: Any) -> Clause:
        return self.column.is_(None) if value is None else self.compared == self._small(value)

    def beyond(self, value: Any) -> Clause:
        value = self._small(value)
        clause: Clause = self.compared < value if self.falling else self.compared > value
        return clause

    def _small(self, value: Any) -> Any:
        return ascii_lower(value) if self.column.name in CASELESS else value


@dataclass(frozen=True, slots=True)
class _Part:
    where: list[Clause]
    order: list[Order]


def read(
    connection: sa.Connection,
    query: TaskQuery,
    where: list[Clause],
    place: Cursor | None,
    backward: bool,
    stored: int,
) -> Slice:
    """The tasks next to the place. Raises ValueError for an unknown column, and a place of another order."""
    began = time.monotonic()
    total = Count(stored) if not where else None
    # Reading every text twice is dear, so with a search the page itself may tell the number.
    if where and query.search is None and not is_in_order(query, where):
        total = count(connection, where, seconds=patience(query))
        where = walking(query, where, total.number or query.limit, stored)
    wanted = replace(query, limit=query.limit + 1)
    if place is None and not backward and query.offset:
        near = ids(connection, wanted, where)
    else:
        near = _neighbours(connection, wanted, where, place, backward)
    more, near = len(near) > query.limit, near[: query.limit]
    behind = place is not None or bool(query.offset)
    if total is None:
        left = patience(query) - (time.monotonic() - began)
        total = count(connection, where, seconds=max(0.0, left)) if more or behind else Count(len(near))
    if not total.whole:
        total = Count(max(total.number, query.offset + len(near) + more), False)
    found = tasks_with(connection, near[::-1] if backward else near)
    return Slice(
        [task for _, task in found],
        _place(query, *found[0]) if found else None,
        _place(query, *found[-1]) if found else None,
        before=more if backward else behind,
        after=place is not None if backward else more,
        total=total,
    )


def ids(connection: sa.Connection, query: TaskQuery, where: list[Clause]) -> list[int]:
    """The ids of the asked page, in its order. Raises ValueError for an unknown column to sort by."""
    if connection.dialect.name == "sqlite" or query.descending:
        return list(connection.scalars(page_ids(query, where)))
    # PostgreSQL takes an index only for its own whole order, in which empty values come first.
    wanted = replace(query, limit=query.offset + query.limit)
    return _neighbours(connection, wanted, where, None, False)[query.offset :]


def _place(query: TaskQuery, id_: int, task: Task) -> Cursor:
    columns = [query.sort_by, "received"] if query.sort_by in GROUPING else [query.sort_by]
    return Cursor(tuple(task[name] for name in columns), id_)


def _neighbours(
    connection: sa.Connection, query: TaskQuery, where: list[Clause], place: Cursor | None, backward: bool
) -> list[int]:
    """The ids of the tasks on one side of the place, the nearest first.

    Without a place from the beginning, or, backward, from the end.
    """
    keys = _keys(query, backward)
    values = None if place is None else (*place.values, place.id)
    if values is not None and len(values) != len(keys):
        raise ValueError("This place is not in this order")
    parts = list(_parts(keys, values))
    if query.sort_by not in WALKED:
        parts = [_Part([sa.or_(*(sa.and_(*part.where) for part in parts))], [key.whole_order for key in keys])]
    found: list[int] = []
    for part in parts:
        statement = sa.select(table.c.id).where(*where, *part.where).order_by(*part.order)
        found += connection.scalars(statement.limit(query.limit - len(found)))
        if len(found) >= query.limit:
            break
    return found


def _keys(query: TaskQuery, backward: bool) -> list[_Key]:
    falling = query.descending != backward
    keys = [_Key(table.c[checked(query.sort_by)], falling, not backward)]
    if query.sort_by in GROUPING:
        # As the index has it: an empty value is the least.
        keys.append(_Key(table.c.received, falling, falling))
    return [*keys, _Key(table.c.id, falling, falling)]


def _parts(keys: list[_Key], values: tuple[Any, ...] | None) -> Iterator[_Part]:
    """The parts of the order beyond the place of the values, the nearest first."""
    if not keys:
        return
    key, rest = keys[0], keys[1:]
    order = [each.order for each in keys]
    known = _Part([key.column.is_not(None)], order)
    empty = _Part([key.column.is_(None)], order[1:])
    if values is None:
        yield from (known, empty) if key.empty_last else (empty, known)
        return
    value = values[0]
    same = key.equal(value)
    for part in _parts(rest, values[1:]):
        yield _Part([same, *part.where], part.order)
    if value is not None:
        yield _Part([key.beyond(value)], order)
        if key.empty_last and key.column is not table.c.id:
            yield empty
    elif not key.empty_last:
        yield known
