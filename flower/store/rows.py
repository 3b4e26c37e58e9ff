"""Rows of the store as tasks."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from flower.store.columns import BY_NAME, NAMES
from flower.store.errors import StoreError
from flower.store.schema import tasks as table
from flower.store.sqlite import ROWS_WITH
from flower.store.task import Task

_COLUMNS = [table.c[name] for name in NAMES]
_JSON = [name for name in NAMES if BY_NAME[name].kind == "json"]


def tasks_with(connection: sa.Connection, ids: Sequence[int]) -> list[tuple[int, Task]]:
    """The tasks with these ids, each with its id, in this order, without those that are gone."""
    rows = at_once(connection, ROWS_WITH, ids)
    if rows is None:
        rows = connection.execute(sa.select(table.c.id, *_COLUMNS).where(table.c.id.in_(ids))).all()
    by_id = {row[0]: task_of(row[1:]) for row in rows}
    return [(id_, by_id[id_]) for id_ in ids if id_ in by_id]


def at_once(connection: sa.Connection, statement: str, among: Sequence[int | str]) -> Sequence[Sequence[Any]] | None:
    """All rows of a statement for SQLite, which its driver runs in a third of the time; None for another engine.

    Raises StoreError.
    """
    if connection.dialect.name != "sqlite":
        return None
    driver: Any = connection.connection.driver_connection
    try:
        rows: list[tuple[Any, ...]] = driver.execute(statement, (orjson.dumps(among).decode(),)).fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"The store cannot be read: {error}") from error
    return rows


def task_of(row: Any) -> Task:
    """The task of a row with all columns of `NAMES`."""
    task = Task(zip(NAMES, row, strict=True))
    for name in _JSON:
        if task[name] is not None:
            task[name] = orjson.loads(task[name])
    return task
