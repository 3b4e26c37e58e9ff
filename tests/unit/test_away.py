"""A store whose database is away when a server starts: it fails as it would if the database had gone later."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from flower.state import State
from flower.store import AwayError, Store, StoreError, TaskQuery, open_store, saver
from flower.store.audit import AuditQuery
from flower.store.postgres.database import Database
from tests import factories as make
from tests.databases import Databases
from tests.services import wait_for

NOBODY = "postgresql://ann:secret@127.0.0.1:1/x"
SAID = "PostgreSQL database x at 127.0.0.1:1 cannot be used: connection failed"


@pytest.fixture
def away() -> Iterator[Store]:
    """A store that could not be opened."""
    with closing(open_store(NOBODY, patient=True)) as store:
        yield store


class Door:
    """Lets connections to a database through or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = False
        connect = Database.connect

        def knock(database: Database, **settings: str) -> Any:
            if not self.open:
                raise psycopg.OperationalError("connection failed: nobody is there\n\tIs the server running?")
            return connect(database, **settings)

        monkeypatch.setattr(Database, "connect", knock)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """The way to every database, which is closed; it is tried often."""
    monkeypatch.setattr(saver, "RETRY_SECONDS", 0.02)
    return Door(monkeypatch)


def test_who_is_not_patient_is_told_at_once() -> None:
    """What needs its database at once ends with a sentence, without the password."""
    with pytest.raises(AwayError) as told:
        open_store(NOBODY)
    assert (True, False) == (str(told.value).startswith(SAID), "secret" in str(told.value))


def test_it_fails_from_the_beginning(away: Store) -> None:
    """Since when, and why, is told as of any store that cannot be written."""
    assert (False, True, 0, 0) == (away.is_open, str(away.failure).startswith(SAID), away.tasks, away.size())
    assert away.failing_since is not None
    assert abs(time.time() - away.failing_since) < 60


@pytest.mark.parametrize(
    "read",
    [
        lambda store: store.search(TaskQuery()),
        lambda store: store.get("u"),
        lambda store: store.names(),
        lambda store: store.audited(AuditQuery()),
    ],
)
def test_nothing_can_be_read(away: Store, read: Any) -> None:
    """Every question is answered at once, by the reason."""
    with pytest.raises(StoreError, match=f"The store cannot be read: {SAID}"):
        read(away)


def test_what_is_wrong_is_not_waited_for() -> None:
    """A URL that cannot be understood is refused, however patient one is."""
    with pytest.raises(StoreError, match="no URL of a PostgreSQL database"):
        open_store("postgresql://host/db?nonsense=1", patient=True)


def test_tables_of_another_program_are_refused_at_once(databases: Databases) -> None:
    """A database that is there and holds something else ends the start, however patient one is."""
    with psycopg.connect(databases.url) as connection:
        connection.execute("CREATE SCHEMA foreigners")
        connection.execute("CREATE TABLE foreigners.tasks (title text)")
    with pytest.raises(StoreError, match="tables of another program"):
        open_store(f"{databases.url}?schema=foreigners", patient=True)


def earlier(url: str) -> None:
    """A server watched: three tasks run, and two workers are known."""
    state = State(open_store(url))
    for host in ("a@old", "b@old"):
        state.apply([make.heartbeat(host, at=1.0)])
    state.apply([event for uuid in ("open", "ends", "goes on") for event in make.success(uuid)[:2]])
    state.stop()


def test_opened_later(databases: Databases, door: Door) -> None:
    """What was heard meanwhile is joined with what the database knows, as if it had been there from the beginning."""
    with databases.lent() as url:
        door.open = True
        earlier(url)
        door.open = False
        state = State(open_store(url, patient=True))
        before = sorted(state.open_tasks)
        state.apply([make.heartbeat("b@old", at=500.0), make.succeeded("ends"), make.started("goes on", at=2.5)])
        wait_for(lambda: not state.unsaved(), 15, "they are in the hand of who saves")
        state.apply(make.success("new"))
        door.open = True
        wait_for(lambda: state.store.failing_since is None and not state.unsaved(), 15, "everything is stored")
        state.flush()
        stored = {(task.uuid, task.state, task.name) for task in state.store.search(TaskQuery()).tasks}
        open_tasks, workers = sorted(state.open_tasks), dict(state.workers)
        state.stop()
    expected = {"open": "STARTED", "ends": "SUCCESS", "goes on": "STARTED", "new": "SUCCESS"}
    assert {(uuid, found, "tasks.add") for uuid, found in expected.items()} == stored
    assert ([], ["goes on", "open"]) == (before, open_tasks)
    assert {"a@old", "b@old", make.WORKER} == set(workers)
    assert workers["b@old"].last_seen > workers["a@old"].last_seen


def test_a_wrong_database_that_comes_later_is_told(databases: Databases, door: Door) -> None:
    """What would have ended the start is told as the reason instead, until it is put right."""
    door.open = True
    with psycopg.connect(databases.url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA late; CREATE TABLE late.tasks (title text)")
        door.open = False
        state = State(open_store(f"{databases.url}?schema=late", patient=True))
        door.open = True
        wait_for(lambda: "tables of another program" in str(state.store.failure), 15, "it is told")
        connection.execute("DROP TABLE late.tasks")
        wait_for(lambda: state.store.failing_since is None, 15, "the store is opened")
    state.stop()
    assert state.store.is_open


def test_the_end_does_not_wait_for_it(away: Store) -> None:
    """A state whose store never opened ends in the time of one that did, and tells that something was not stored."""
    state = State(away)
    state.apply(make.success("u"))
    began = time.monotonic()
    stored = state.stop()
    assert (False, True) == (stored, time.monotonic() - began < 10)
