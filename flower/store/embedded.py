"""SQLite as the engine of a store: one process, one file."""

from __future__ import annotations

import sqlite3
from typing import Any

from flower.store import sqlite
from flower.store.engine import Lookup, Peer, Writer
from flower.store.errors import StoreError
from flower.store.files import StoreFile
from flower.store.migrate import upgrade_file
from flower.utils.coercion import encodable, text, whole


class Embedded:
    """A file of ours, open. Raises StoreError when it cannot be used."""

    failures: tuple[type[Exception], ...] = (sqlite3.Error,)
    bad_values: tuple[type[Exception], ...] = (
        sqlite3.InterfaceError,
        sqlite3.DataError,
        sqlite3.ProgrammingError,
        OverflowError,
        UnicodeEncodeError,
    )
    leads = True
    crowded = False

    def __init__(self, file: StoreFile) -> None:
        self.file = file
        try:
            if not file.temporary:
                upgrade_file(file.path)
            self.writer: Writer = sqlite.Writer(file.path, durable=not file.temporary)
        except sqlite3.Error as error:
            file.close()
            raise StoreError(f"Cannot use {file.path}: {error}") from error
        self.reader = sqlite.reader(file.path)
        self.lookup: Lookup = sqlite.Lookup(file.path)

    @property
    def description(self) -> str:
        return "a temporary SQLite file" if self.file.temporary else f"SQLite file {self.file.path}"

    @property
    def durable(self) -> bool:
        return not self.file.temporary

    def peers(self) -> list[Peer]:
        return []

    def counted(self, known: int, change: int) -> int:
        return known + change

    def attend(self) -> None:
        """There is nobody else."""

    def storable(self, value: Any) -> Any:
        """No lone surrogate, no huge integer, no object."""
        if isinstance(value, str):
            return encodable(value)
        if isinstance(value, int):
            return whole(value)
        return value if value is None or isinstance(value, float) else text(value)

    def size(self) -> int:
        return self.file.size()

    def close(self) -> None:
        self.reader.dispose()
        self.lookup.close()
        self.writer.close()
        self.file.close()
