"""Empty stores of either engine, for the tests that hold both to the same claims."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator

import psycopg

from flower.store import Store, open_store

EmptyStore = Callable[..., contextlib.AbstractContextManager[Store]]

TABLES = ("tasks", "workers", "rollups", "audit", "queue_depths", "peers")


@contextlib.contextmanager
def empty_file(max_tasks: int = 100_000) -> Iterator[Store]:
    """A temporary SQLite store."""
    store = open_store(max_tasks=max_tasks)
    try:
        yield store
    finally:
        store.close()


class Databases:
    """Schemas of one server, each used by one test at a time and emptied for the next."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._free: list[str] = []
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def lent(self) -> Iterator[str]:
        """The URL of a database without tasks, for as many processes as one likes."""
        schema = self._free.pop() if self._free else f"test{next(self._numbers)}"
        yield f"{self.url}?schema={schema}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"SET search_path = {schema}")
            # Faster than TRUNCATE for the few rows of a test.
            for table in TABLES:
                connection.execute(f"DELETE FROM {table}")
            connection.execute("UPDATE counts SET number = 0")
        self._free.append(schema)

    @contextlib.contextmanager
    def empty(self, max_tasks: int = 100_000) -> Iterator[Store]:
        """A PostgreSQL store."""
        with self.lent() as url:
            store = open_store(url, max_tasks=max_tasks)
            try:
                yield store
            finally:
                store.close()
