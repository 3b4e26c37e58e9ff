"""From what the options say to an open store."""

from __future__ import annotations

import time

from flower.store import files
from flower.store.embedded import Embedded
from flower.store.engine import Engine
from flower.store.errors import AwayError, StoreError
from flower.store.retention import Ages
from flower.store.store import Store

SCHEMES = ("postgresql://", "postgres://")


def open_store(
    db: str = "",
    *,
    persistent: bool = False,
    max_tasks: int = 100_000,
    task_seconds: int | None = None,
    failed_seconds: int | None = None,
    patient: bool = False,
) -> Store:
    """The store that the options describe: a PostgreSQL database, a durable file, or one that goes with the process.

    Tasks are forgotten when nothing was heard of them for `task_seconds`, failed ones after `failed_seconds` if that
    is given. Raises StoreError with what is wrong and what to do. Who is `patient` gets a store whose database is
    away, too: it fails, as it would if the database had gone later, until it could be opened.
    """
    ages = Ages(task_seconds, task_seconds if failed_seconds is None else failed_seconds)
    store = Store(_engine(db, persistent), max_tasks, ages)
    try:
        store.open()
    except AwayError as error:
        if not patient:
            raise
        store.fail(error, time.time())
    return store


def _engine(db: str, persistent: bool) -> Engine:
    if is_database(db):
        return open_database(db)
    return Embedded(files.durable_file(db) if persistent else files.temporary_file())


def is_database(db: str) -> bool:
    """Whether it names a database server instead of a file."""
    return db.startswith(SCHEMES)


def open_database(url: str) -> Engine:
    """The engine for a URL, to be opened. Raises StoreError."""
    try:
        from flower.store.postgres import Postgres
    except ImportError as error:
        raise StoreError(f"A PostgreSQL database needs a driver: pip install 'flower[postgres]' ({error})") from None
    return Postgres(url)
