"""Statements that end when their time is over, in each engine."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

STEPS = 20_000
"""Instructions of SQLite between two looks at the clock: less than a millisecond."""
LOOK_EVERY = 64
"""Rows between two looks at the clock: a few are always waited for, however busy the machine is."""
INTERRUPTED = ("interrupted", "canceling statement due to statement timeout")
"""What SQLite and PostgreSQL say of a statement that was ended."""


def rows_within(connection: sa.Connection, statement: sa.Select[Any], seconds: float) -> tuple[list[Any], bool]:
    """The rows that were found in time, and whether these are all."""
    rows: list[Any] = []
    until = time.monotonic() + seconds
    with _bounded(connection, seconds) as bounded:
        try:
            # A driver that reads everything before it gives the first row would have none to give.
            with bounded.execute(statement) as found:
                for row in found:
                    rows.append(row)
                    if len(rows) % LOOK_EVERY == 0 and time.monotonic() > until:
                        return rows, False
        except sa.exc.OperationalError as error:
            if not any(words in str(error.orig) for words in INTERRUPTED):
                raise
            return rows, False
    return rows, True


@contextlib.contextmanager
def _bounded(connection: sa.Connection, seconds: float) -> Iterator[sa.Connection]:
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        until = time.monotonic() + seconds
        driver.set_progress_handler(lambda: time.monotonic() > until, STEPS)
        try:
            yield connection
        finally:
            driver.set_progress_handler(None, 0)
        return
    milliseconds = max(1, int(seconds * 1000))
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {milliseconds}")
    try:
        yield connection.execution_options(stream_results=True)
    finally:
        # The end of the transaction, which reads alone, is the end of the setting and of what still runs.
        connection.rollback()
        connection.execution_options(stream_results=False)
