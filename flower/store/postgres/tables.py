"""The tables in a database: made, brought up to date, or refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.schema import CreateSchema, CreateTable

from flower.store.caseless import CASELESS
from flower.store.errors import StoreError
from flower.store.migrate import name_of, upgrade
from flower.store.postgres import fold
from flower.store.postgres.database import Connection, Database
from flower.store.schema import VERSION, metadata

DIALECT = PGDialect_psycopg()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


def prepare(database: Database, connection: Connection) -> None:
    """Make or upgrade the tables, one process at a time. Raises StoreError for what is not ours or newer."""
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: connection, poolclass=sa.StaticPool)
    connection.autocommit = False
    try:
        with engine.begin() as bound:
            bound.exec_driver_sql(f"SELECT pg_advisory_xact_lock({database.lock('tables')})")
            version = _version(database, bound)
            if version is None:
                _create(database, bound)
            elif version < VERSION:
                upgrade(bound, version)
                bound.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{name_of(VERSION)}'")
    except sa.exc.DBAPIError as error:
        raise StoreError(f"{database.description} cannot be used: {str(error.orig).strip()}") from error
    connection.autocommit = True


def _version(database: Database, bound: sa.Connection) -> int | None:
    """Of the tables that are there; None when there are none."""
    encoding = bound.exec_driver_sql("SHOW server_encoding").scalar()
    if encoding != "UTF8":
        raise StoreError(f"{database.description} has the encoding {encoding}; Flower needs one with UTF8")
    names = set(sa.inspect(bound).get_table_names(schema=database.schema))
    if "alembic_version" in names:
        found = str(bound.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
        if not found.isdigit() or int(found) > VERSION:
            raise StoreError(
                f"{database.description} was written by a newer Flower (schema {found}, this one knows {VERSION})"
            )
        return int(found)
    if names & {table.name for table in metadata.tables.values()}:
        raise StoreError(
            f"The schema {database.schema} of {database.description} has tables of another program; "
            "name another one with ?schema=NAME"
        )
    return None


def _create(database: Database, bound: sa.Connection) -> None:
    if database.schema not in sa.inspect(bound).get_schema_names():
        bound.execute(CreateSchema(database.schema))
    for statement in statements():
        bound.exec_driver_sql(statement)


def statements() -> list[str]:
    """What makes the tables of this version."""
    made = [str(CreateTable(table).compile(dialect=DIALECT)) for table in metadata.tables.values()]
    made += [_index(index) for table in metadata.tables.values() for index in sorted(table.indexes, key=_name)]
    return [
        *made,
        fold.definition(),
        "INSERT INTO counts VALUES ('tasks', 0)",
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        f"INSERT INTO alembic_version VALUES ('{name_of(VERSION)}')",
    ]


def terms_of(columns: Iterable[sa.Column[Any]]) -> str:
    """What an index of these columns is of, as SQLite has it: an empty value is the least, and the id decides."""
    terms = [f"lower({column.name})" if column.name in CASELESS else column.name for column in columns]
    return ", ".join([*(f"{term} NULLS FIRST" for term in terms), "id"])


def _name(index: sa.Index) -> str:
    return str(index.name)


def _index(index: sa.Index) -> str:
    where = index.dialect_options["sqlite"]["where"]
    only = "" if where is None else f" WHERE {where.compile(dialect=DIALECT)}".replace(f"{index.table}.", "")
    return f"CREATE INDEX {index.name} ON {index.table} ({terms_of(index.columns)}){only}"
