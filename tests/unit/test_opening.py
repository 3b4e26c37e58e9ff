"""Opening a file takes no longer because there is much in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flower.store import Store, open_store, sqlite
from flower.store.embedded import Embedded

TASKS = 3_000
NUMBER = "UPDATE counts SET number = number + 1 WHERE name = 'stored'"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Three thousand tasks that ended, and before them some that did not."""
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([task(number, "SUCCESS") for number in range(TASKS)])
    store.write([task(-1, "STARTED"), task(-2, "Waiting"), task(-3, "RECEIVED"), {"uuid": "none", "timestamp": 1.0}])
    yield store
    store.close()


def task(number: int, state: str) -> dict[str, Any]:
    return {"uuid": f"u{number}", "state": state, "received": float(number), "timestamp": float(number)}


def writer_of(store: Store) -> sqlite.Writer:
    assert isinstance(store._writer, sqlite.Writer)
    return store._writer


def steps(store: Store, read: Callable[[], Any]) -> int:
    """Instructions of SQLite that a reading by the writer takes."""
    taken = itertools.count(step=10)
    connection = writer_of(store)._connection
    connection.set_progress_handler(lambda: next(taken) < 0, 10)
    read()
    connection.set_progress_handler(None, 0)
    return next(taken)


def test_tasks_are_not_counted(store: Store) -> None:
    """How many there are is noted with each change."""
    counted: list[str] = []
    writer_of(store)._connection.set_trace_callback(counted.append)
    assert (TASKS + 4, []) == (writer_of(store).count(), [text for text in counted if "count(" in text])


def test_number_after_deletions(store: Store, tmp_path: Path) -> None:
    """Who opens the file next knows of what went, too."""
    store.max_tasks = 100
    while store.tasks > 100:
        store.keep_house(0.0)
    store.close()
    again = open_store(str(tmp_path / "db"), persistent=True)
    assert (100, 100) == (again.tasks, writer_of(again).execute("SELECT count(*) FROM tasks").fetchone()[0])
    again.close()


def test_number_of_a_write_that_failed(store: Store) -> None:
    """What is undone is not counted."""

    def fail() -> None:
        with writer_of(store).transaction():
            store.engine.counted(TASKS, 7)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert TASKS + 4 == writer_of(store).count()


def test_file_without_the_number(store: Store) -> None:
    """In a file of an earlier version the tasks are counted once."""
    writer_of(store).execute("DELETE FROM counts")
    first = writer_of(store).count()
    writer_of(store).execute(NUMBER)
    assert (TASKS + 4, TASKS + 5) == (first, writer_of(store).count())


def test_check_puts_the_number_right(store: Store) -> None:
    """A wrong number is told, and right after that."""
    writer_of(store).execute(NUMBER)
    assert isinstance(store.engine, Embedded)
    faults = [store.engine.check()[1] for _ in range(2)]
    assert [[f"{TASKS + 5} tasks were counted, {TASKS + 4} are there; the number is put right"], []] == faults


def test_finished_tasks_are_not_read(store: Store) -> None:
    """Which tasks are open is told by the index over states, however old they are."""
    found = [each["uuid"] for each in store.unfinished(10)]
    assert (["u-3", "u-2", "u-1"], True) == (found, steps(store, lambda: store.unfinished(10)) < 2_000)


def test_open_tasks_of_a_state_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many that never ended the newest are read."""
    monkeypatch.setattr(sqlite, "OPEN_OF_STATE", 2)
    store.write([task(TASKS + number, "STARTED") for number in range(5)])
    found = [each["uuid"] for each in store.unfinished(10)]
    assert ["u-3", "u-2", f"u{TASKS + 3}", f"u{TASKS + 4}"] == found
