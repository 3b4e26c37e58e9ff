"""Which engine a `db` asks for."""

from __future__ import annotations

from flower.store.engine import Engine
from flower.store.errors import StoreError

SCHEMES = ("postgresql://", "postgres://")


def is_database(db: str) -> bool:
    """Whether it names a database server instead of a file."""
    return db.startswith(SCHEMES)


def open_database(url: str) -> Engine:
    """The engine for a URL. Raises StoreError."""
    try:
        from flower.store.postgres import Postgres
    except ImportError as error:
        raise StoreError(f"A PostgreSQL database needs a driver: pip install 'flower[postgres]' ({error})") from None
    return Postgres(url)
