"""Bringing tables of an older Flower up to date, a step of Alembic's a version.

New tables are made at once from `flower.store.schema`; that both ways lead to the same is tested. A step stands in
`migrations/versions`, never changes once it is released, and says what it does to either engine.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from flower.store.schema import APPLICATION_ID, ON_DEMAND, VERSION

STEPS = Path(__file__).parent / "migrations"


def name_of(version: int) -> str:
    """The name of a version in Alembic's steps."""
    return f"{version:04}"


def upgrade(connection: sa.Connection, version: int) -> None:
    """Take all steps after `version`, in the transaction of the connection."""
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    script = ScriptDirectory(str(STEPS))
    base = name_of(version) if version else "base"
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(list(script.iterate_revisions("head", base))):
            step.module.upgrade()


def prepare_file(path: Path) -> None:
    """Bring a SQLite file of ours up to date, all or nothing; have a new one give space back.

    Raises sqlite3.Error.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        if not path.stat().st_size:
            # Only before there is anything in it.
            file.execute("PRAGMA auto_vacuum = INCREMENTAL")
            file.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            return
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if not 0 < version < VERSION:
            return
        engine = sa.create_engine("sqlite+pysqlite://", creator=lambda: file, poolclass=sa.StaticPool)
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                upgrade(connection, version)
                for column in ON_DEMAND:
                    connection.exec_driver_sql(f"DROP INDEX IF EXISTS tasks_by_{column}")
                connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
        except sa.exc.DBAPIError as error:
            raise sqlite3.OperationalError(f"it cannot be upgraded from version {version}: {error.orig}") from error
