"""PostgreSQL as the engine of a store: one database, any number of processes. Needs psycopg 3."""

from flower.store.postgres.engine import Postgres

__all__ = ["Postgres"]
