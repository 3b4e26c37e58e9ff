"""Files and databases of earlier versions: brought up to date, and then as new ones are."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from flower.store import StoreError, TaskQuery, migrate, open_store
from flower.store.postgres import fold
from flower.store.schema import VERSION
from tests.databases import Databases

SCHEMAS = Path(__file__).parent / "schemas"
TASK = ("u", "tasks.add", "SUCCESS", 1.0)


def words(sql: str) -> str:
    """The statement without what is a matter of taste: blanks and quotes."""
    return "".join(sql.replace('"', "").split())


def tables_of(path: Path) -> dict[str, str]:
    with closing(sqlite3.connect(path)) as file:
        rows = file.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: words(sql) for name, sql in rows}


def first_file(path: Path) -> None:
    """A file as the first version made it, with a task in it."""
    with closing(sqlite3.connect(path)) as file:
        file.executescript((SCHEMAS / "1.sql").read_text())
        file.execute("INSERT INTO tasks (uuid, name, state, received, timestamp) VALUES (?, ?, ?, ?, 2.0)", TASK)
        file.commit()


def test_first_step_makes_the_first_version(tmp_path: Path) -> None:
    """The step that stands for the first version makes what that version made."""
    first_file(tmp_path / "made")
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'stepped'}")
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        ScriptDirectory(str(migrate.STEPS)).get_revision("0001").module.upgrade()
    engine.dispose()
    assert tables_of(tmp_path / "made") == tables_of(tmp_path / "stepped")


def test_upgraded_file_is_as_a_new_one(tmp_path: Path) -> None:
    """A file of the first version has after its upgrade what a new file has."""
    first_file(tmp_path / "old")
    for name in ("old", "new"):
        open_store(str(tmp_path / name), persistent=True).close()
    assert tables_of(tmp_path / "new") == tables_of(tmp_path / "old")


def test_upgraded_file_keeps_its_tasks(tmp_path: Path) -> None:
    """What was stored by the first version is there, and more can be stored."""
    first_file(tmp_path / "db")
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([{"uuid": "v", "state": "PENDING", "received": 2.0, "timestamp": 3.0}])
    found = [(task.uuid, task.name, task.state, task.received) for task in store.search(TaskQuery()).tasks]
    store.close()
    assert [("v", None, "PENDING", 2.0), TASK] == found


def test_upgraded_file_says_its_version(tmp_path: Path) -> None:
    """After an upgrade the older Flower refuses the file."""
    first_file(tmp_path / "db")
    open_store(str(tmp_path / "db"), persistent=True).close()
    with closing(sqlite3.connect(tmp_path / "db")) as file:
        assert (VERSION,) == file.execute("PRAGMA user_version").fetchone()


def test_failed_upgrade_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that fails half-way leaves the file as it was, and says so."""
    first_file(tmp_path / "db")
    before = tables_of(tmp_path / "db")

    def fail(connection: sa.Connection, _: int) -> None:
        connection.exec_driver_sql("CREATE TABLE half (done)")
        connection.exec_driver_sql("CREATE NONSENSE")

    monkeypatch.setattr(migrate, "upgrade", fail)
    with pytest.raises(StoreError, match="cannot be upgraded from version 1"):
        open_store(str(tmp_path / "db"), persistent=True)
    assert before == tables_of(tmp_path / "db")


def test_last_step_is_the_version() -> None:
    """Every version has its step, in a row."""
    steps = ScriptDirectory(str(migrate.STEPS)).walk_revisions()
    assert [migrate.name_of(number) for number in range(VERSION, 0, -1)] == [step.revision for step in steps]


# -- PostgreSQL


def structure(url: str, schema: str) -> dict[str, Any]:
    """Columns with their types and collations, and indexes."""
    columns = """
        SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns
        WHERE table_schema = %s ORDER BY table_name, ordinal_position
    """
    indexes = "SELECT indexname, replace(indexdef, %s, '') FROM pg_indexes WHERE schemaname = %s ORDER BY indexname"
    with psycopg.connect(url) as connection:
        found = connection.execute(columns, (schema,)).fetchall()
        return {"columns": found, "indexes": connection.execute(indexes, (f"{schema}.", schema)).fetchall()}


def first_database(url: str, schema: str) -> None:
    """A database as its first version was, with a task in it."""
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
        connection.exec_driver_sql(f"SET LOCAL search_path = {schema}")
        ScriptDirectory(str(migrate.STEPS)).get_revision("0001").module.upgrade()
        connection.exec_driver_sql(fold.definition())
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('0001')")
        connection.exec_driver_sql(
            "INSERT INTO tasks (uuid, name, state, received, timestamp) VALUES (%s, %s, %s, %s, 2.0)", TASK
        )
    engine.dispose()


def test_upgraded_database_is_as_a_new_one(databases: Databases) -> None:
    """A database of the first version has after its upgrade what a new one has, and still its task."""
    first_database(databases.url, "older")
    store = open_store(f"{databases.url}?schema=older")
    found = [(task.uuid, task.name, task.state, task.received) for task in store.search(TaskQuery()).tasks]
    tasks = store.tasks
    store.close()
    open_store(f"{databases.url}?schema=newer").close()
    assert ([TASK], 1) == (found, tasks)
    assert structure(databases.url, "newer") == structure(databases.url, "older")


def test_newer_database_is_refused(databases: Databases) -> None:
    """Tables of a later version are left to the later Flower."""
    open_store(f"{databases.url}?schema=later").close()
    with psycopg.connect(databases.url) as connection:
        connection.execute("UPDATE later.alembic_version SET version_num = '0099'")
    with pytest.raises(StoreError, match="newer Flower"):
        open_store(f"{databases.url}?schema=later")


def test_tables_of_another_program_are_refused(databases: Databases) -> None:
    """Somebody's own table `tasks` is not taken over."""
    with psycopg.connect(databases.url) as connection:
        connection.execute("CREATE SCHEMA others")
        connection.execute("CREATE TABLE others.tasks (title text)")
    with pytest.raises(StoreError, match="tables of another program"):
        open_store(f"{databases.url}?schema=others")
