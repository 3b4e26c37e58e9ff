"""A process that was not ended in order is noticed by the next one that opens its store."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flower.state import State
from flower.store import Store, open_store
from flower.store.embedded import Embedded
from flower.store.postgres import Postgres, peers
from tests import factories as make
from tests.databases import Databases
from tests.services import wait_for


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where a store may be; on PostgreSQL a process is thought to be gone at once."""
    if request.param == "sqlite":
        yield str(tmp_path / "tasks.db")
        return
    databases: Databases = request.getfixturevalue("databases")
    monkeypatch.setattr(peers, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(peers, "SILENT_SECONDS", 0.2)
    with databases.lent() as url:
        yield url


def lived(db: str) -> Store:
    """A store that was in use."""
    store = open_store(db, persistent=True)
    store.keep_house(make.T0)
    return store


def kill(store: Store) -> None:
    """End it as the end of its process does: nothing is said any more."""
    engine = store.engine
    if isinstance(engine, Embedded):
        engine._life._noted_at = None
        store.close()
    else:
        assert isinstance(engine, Postgres)
        engine.writer.close()
        engine.reader.dispose()


def test_killed_process_is_told(db: str, caplog: pytest.LogCaptureFixture) -> None:
    """Since it lived last until the next one began nothing was heard: the log says so once."""
    kill(lived(db))
    state = State(open_store(db, persistent=True))
    with caplog.at_level(logging.WARNING, "flower.store.condition"):
        wait_for(lambda: state.flush() and state.store.interrupted, 15, "it is noticed")
        state.flush()
    span = state.store.interrupted
    state.stop()
    assert span is not None
    assert (True, 1) == (span[0] <= span[1], caplog.text.count("nothing was heard from"))


def test_ended_process_is_not_told(db: str) -> None:
    """Who ended in order leaves nothing to tell."""
    lived(db).close()
    with closing(lived(db)) as store:
        store.keep_house(make.T0)
        assert store.engine.interrupted is None


def test_who_only_looks_hides_nothing(tmp_path: Path) -> None:
    """A file that is looked into after a crash, as --check does, still tells of it."""
    db = str(tmp_path / "tasks.db")
    kill(lived(db))
    open_store(db, persistent=True).close()
    with closing(open_store(db, persistent=True)) as store:
        assert store.engine.interrupted is not None


def test_temporary_store_tells_nothing() -> None:
    """What goes with its process knows none before it."""
    with closing(open_store()) as store:
        store.keep_house(make.T0)
        assert store.engine.interrupted is None
