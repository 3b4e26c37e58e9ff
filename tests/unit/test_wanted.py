"""Indexes on demand: none before somebody asks, one for whoever asks again."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from flower.store import Store, TaskQuery, open_store, wanted
from flower.store.schema import DEMANDED
from flower.utils.search import parse_query


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(str(tmp_path / "db"), persistent=True)
    yield store
    store.close()


def made(path: Path) -> set[str]:
    """The indexes on demand that a file has."""
    with closing(sqlite3.connect(path / "db")) as file:
        names = {name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'index'")}
    return names & {f"tasks_by_{'_'.join(columns)}" for columns in DEMANDED}


def test_new_file(store: Store, tmp_path: Path) -> None:
    """What nobody asked for costs nothing."""
    store.search(TaskQuery(sort_by="received"))
    store.keep_house(0.0)
    assert set() == made(tmp_path)


@pytest.mark.parametrize(
    "query, index",
    [
        (TaskQuery(sort_by="runtime"), "tasks_by_runtime"),
        (TaskQuery(sort_by="started"), "tasks_by_started"),
        (TaskQuery(search=parse_query("runtime:>5 name:a")), "tasks_by_runtime"),
        (TaskQuery(started_start=1.0), "tasks_by_started"),
        (TaskQuery(sort_by="retries"), "tasks_by_retries"),
        (TaskQuery(queue="mail"), "tasks_by_queue"),
        (TaskQuery(name="a", worker="w"), "tasks_by_name_worker_received"),
        (TaskQuery(name="a", state="FAILURE"), "tasks_by_name_state_received"),
        (TaskQuery(worker="w", search=parse_query("state:FAILURE")), "tasks_by_state_worker_received"),
        (TaskQuery(name="a", worker="w", state="FAILURE"), "tasks_by_name_worker_received"),
    ],
)
@pytest.mark.parametrize("read", ["search", "slice", "count", "about", "iterate"])
def test_question_makes_an_index(store: Store, tmp_path: Path, read: str, query: TaskQuery, index: str) -> None:
    """Whoever sorts or filters by such a column has an index the next time."""
    answer = getattr(store, read)(query)
    if read == "iterate":
        list(answer)
    store.keep_house(0.0)
    assert {index} == made(tmp_path)


def test_index_outlives_a_restart(store: Store, tmp_path: Path) -> None:
    """A store that is opened anew has what was asked for shortly before, and can use it."""
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0)
    store.close()
    with closing(open_store(str(tmp_path / "db"), persistent=True)) as again:
        again.keep_house(0.0)
        assert {"tasks_by_runtime"} == made(tmp_path)


def test_index_that_is_not_used(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes when nobody asked for an hour, and is made again for whoever does."""
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0)
    with monkeypatch.context() as hour:
        hour.setattr(wanted, "UNUSED_SECONDS", -1.0)
        store.keep_house(0.0)
    gone = made(tmp_path)
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0)
    assert (set(), {"tasks_by_runtime"}) == (gone, made(tmp_path))


@pytest.mark.parametrize("query", [TaskQuery(name="a"), TaskQuery(search=parse_query("state:FAILURE state:RETRY"))])
def test_no_pair(store: Store, tmp_path: Path, query: TaskQuery) -> None:
    """A single filter has its index already, and so has one of several states."""
    store.slice(query)
    store.keep_house(0.0)
    assert set() == made(tmp_path)


def test_nothing_is_made_while_tasks_wait(store: Store, tmp_path: Path) -> None:
    """Who writes goes first."""
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0, behind=lambda: True)
    assert set() == made(tmp_path)


def test_making_is_given_up(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When tasks begin to wait while an index is made, that ends, and is tried again after a while."""
    monkeypatch.setattr("flower.store.sqlite.STEPS", 1)
    monkeypatch.setattr("flower.store.embedded.HELD_UP_SECONDS", -1.0)
    looks = itertools.count()
    store.write([{"uuid": f"u{number}", "runtime": 1.0} for number in range(50)])
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0, behind=lambda: next(looks) > 1)
    given_up = made(tmp_path)
    store.keep_house(0.0)
    early = made(tmp_path)
    with monkeypatch.context() as later:
        later.setattr(wanted, "time", SimpleNamespace(monotonic=lambda: 10.0**9))
        store.keep_house(0.0)
    assert (set(), set(), {"tasks_by_runtime"}, True) == (given_up, early, made(tmp_path), next(looks) > 2)


def test_no_room_for_an_index(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk on which there is no room for it goes on taking tasks; the log says it once, until it is tried again."""

    def fail(*_: object) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("flower.store.sqlite.Writer.add_index", fail)
    store.search(TaskQuery(sort_by="runtime"))
    for _ in range(2):
        store.keep_house(0.0)
    told = "The index that would make reading by runtime fast cannot be made now: database or disk is full"
    assert (set(), [told]) == (made(tmp_path), [record.getMessage() for record in caplog.records])
