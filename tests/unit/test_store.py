"""The store: rows, pages, bounds and files."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flower.ingest import views
from flower.store import NAMES, Store, StoreError, TaskQuery, open_store
from flower.store.embedded import Embedded
from flower.store.merge import View, join
from tests import factories as make
from tests.databases import EmptyStore


def view(events: list[make.Event]) -> View:
    task: View = {}
    for event in events:
        join(task, views.view_of(event["uuid"], event["hostname"], event, make.T0))
    return task


@pytest.fixture
def store(empty: EmptyStore) -> Iterator[Store]:
    with empty(max_tasks=100) as store:
        yield store


def fill(store: Store, number: int, **fields: Any) -> None:
    store.write([view(make.success(f"u{index:03}", at=float(index), **fields)) for index in range(number)])


def uuids(store: Store, **query: Any) -> list[str]:
    return [task.uuid for task in store.search(TaskQuery(**query)).tasks]


def test_row_comes_back_whole(store: Store) -> None:
    """Every fact of a task survives the store to the bit."""
    task = view(make.retry_then_success("u", parent_id="p"))
    store.write([task])
    row = store.get("u")
    assert {name: task.get(name) for name in NAMES} == row


def test_newest_first(store: Store) -> None:
    """Without a wish the newest received tasks come first."""
    fill(store, 5)
    assert ["u004", "u003"] == uuids(store, limit=2)


def test_pages_do_not_overlap(store: Store) -> None:
    """Offset and limit cut the same order."""
    fill(store, 7)
    pages = uuids(store, limit=3) + uuids(store, limit=3, offset=3) + uuids(store, limit=3, offset=6)
    assert [f"u{index:03}" for index in reversed(range(7))] == pages


def test_total_is_of_all_pages(store: Store) -> None:
    """The total counts what matches, not what is shown."""
    fill(store, 7)
    assert 7 == store.search(TaskQuery(limit=2)).total


@pytest.mark.parametrize("sort_by", NAMES)
@pytest.mark.parametrize("descending", [True, False])
def test_every_column_sorts(store: Store, sort_by: str, descending: bool) -> None:
    """Sorted by any column, tasks that lack it come last."""
    store.write([view(make.success("a")), view([make.sent("b")]), view(make.failure("c", at=5.0))])
    values = [task[sort_by] for task in store.search(TaskQuery(sort_by=sort_by, descending=descending)).tasks]
    present = [value for value in values if value is not None]
    assert values == sorted(present, reverse=descending) + [None] * (3 - len(present))


def test_unknown_sort_column_is_refused(store: Store) -> None:
    """The error names what was asked and what is allowed."""
    with pytest.raises(ValueError, match="Cannot sort by 'nope'; allowed: uuid, name"):
        store.search(TaskQuery(sort_by="nope"))


def test_names_are_distinct_and_sorted(store: Store) -> None:
    """Each task name once."""
    store.write([view(make.success("a", name="z.b")), view(make.success("b", name="a.b")), view([make.started("c")])])
    assert ["a.b", "z.b"] == store.names()


def test_children_of_a_task(store: Store) -> None:
    """The tasks that a task sent, oldest first."""
    store.write([view(make.success(uuid, at, parent_id="p")) for uuid, at in (("b", 2.0), ("a", 1.0))])
    assert {"p": ["a", "b"]} == store.children(["p", "q"])


def test_rows_are_bounded(store: Store) -> None:
    """The oldest finished tasks make room, before any that is not finished."""
    store.write([view([make.received("open", -100.0)])])
    fill(store, 150)
    left = uuids(store, limit=200)
    assert (100, "u149", "open", "u051") == (len(left), left[0], left[-1], left[-2])


def test_unfinished_tasks_are_bounded_too(store: Store) -> None:
    """When nothing is finished the oldest unfinished go."""
    store.write([view([make.received(f"u{index}", float(index))]) for index in range(120)])
    assert (100, "u20") == (store.tasks, uuids(store, limit=200)[-1])


def test_count_agrees_with_the_rows(store: Store) -> None:
    """Rewritten and evicted rows are not counted twice."""
    for _ in range(3):
        fill(store, 90)
    assert store.tasks == store.count(TaskQuery())


def test_same_task_twice_is_one_row(store: Store) -> None:
    """What the store already knows is merged, and handed back."""
    first, *rest = make.success("u")
    store.write([view([first])])
    found = store.write([view(rest)])
    row = store.get("u")
    assert row is not None
    assert ("tasks.add", "SUCCESS", ["u"]) == (row.name, row.state, list(found))


@pytest.mark.parametrize("value, kept", [(2**80, None), ("\ud800", "?"), ([1], "[1]")])
def test_impossible_value_costs_nothing_else(store: Store, value: Any, kept: Any) -> None:
    """A value that no database takes is mended; its task and the rest of the batch go in."""
    bad = {**view(make.success("bad")), "priority" if isinstance(value, int) else "result": value}
    store.write([view(make.success("a")), bad, view(make.success("b"))])
    row = store.get("bad")
    assert row is not None
    assert (kept, 3) == (row.priority if isinstance(value, int) else row.result, store.tasks)


def file_of(store: Store) -> Path:
    assert isinstance(store.engine, Embedded)
    return store.engine.file.path


def test_temporary_store_vanishes() -> None:
    """Nothing is left of an embedded store."""
    store = open_store()
    path = file_of(store)
    store.close()
    assert not path.parent.exists()


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary store whose process is gone is removed by the next one; a living one is not."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    living = open_store()
    (tmp_path / "flower-store-dead").mkdir()
    (tmp_path / "flower-store-dead" / "tasks.sqlite3").write_bytes(b"x")
    other = open_store()
    left = {path.name for path in tmp_path.iterdir()}
    living.close()
    other.close()
    assert {file_of(living).parent.name, file_of(other).parent.name} == left


def test_durable_file_is_private(tmp_path: Path) -> None:
    """Task arguments are nobody else's business."""
    old = os.umask(0)
    try:
        open_store(str(tmp_path / "db"), persistent=True).close()
    finally:
        os.umask(old)
    assert 0o600 == stat.S_IMODE((tmp_path / "db").stat().st_mode)


def test_file_in_use_is_refused(tmp_path: Path) -> None:
    """Two servers on one file would overwrite each other."""
    store = open_store(str(tmp_path / "db"), persistent=True)
    with pytest.raises(StoreError, match="in use by another Flower"):
        open_store(str(tmp_path / "db"), persistent=True)
    store.close()


def refused(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        open_store(str(path), persistent=True)
    return str(caught.value)


def test_foreign_file_is_refused_and_kept(tmp_path: Path) -> None:
    """A pickle of Flower 2.x is never read and never deleted."""
    path = tmp_path / "db"
    path.write_bytes(b"\x80\x04\x95 not ours")
    assert ("is not a Flower database" in refused(path), b"\x80\x04\x95 not ours") == (True, path.read_bytes())


def test_other_programs_database_is_refused(tmp_path: Path) -> None:
    """Somebody's own SQLite file is not taken over."""
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("CREATE TABLE people (name)")
    connection.close()
    assert "of another program" in refused(tmp_path / "db")


def test_newer_file_is_refused(tmp_path: Path) -> None:
    """A file of a later schema is left to the later Flower."""
    open_store(str(tmp_path / "db"), persistent=True).close()
    connection = sqlite3.connect(tmp_path / "db")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "newer Flower (schema 99" in refused(tmp_path / "db")


@pytest.mark.parametrize("kept", [50, 5000])
def test_half_written_file_is_set_aside(tmp_path: Path, kept: int) -> None:
    """A file that was cut short is kept under another name, and a new one works."""
    path = tmp_path / "db"
    store = open_store(str(path), persistent=True)
    fill(store, 90)
    store.close()
    path.write_bytes(path.read_bytes()[:kept])
    store = open_store(str(path), persistent=True)
    fill(store, 3)
    aside = list(tmp_path.glob("db.corrupt-*"))
    tasks = store.tasks
    store.close()
    assert (3, [kept]) == (tasks, [file.stat().st_size for file in aside])


def test_scrambled_file_is_set_aside(tmp_path: Path) -> None:
    """A file with garbage after its header is kept under another name."""
    path = tmp_path / "db"
    store = open_store(str(path), persistent=True)
    fill(store, 90)
    store.close()
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xee" * (len(data) - 100))
    open_store(str(path), persistent=True).close()
    assert 1 == len(list(tmp_path.glob("db.corrupt-*")))


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """The error says which folder is missing."""
    assert f"The directory {tmp_path / 'no'} of db does not exist" == refused(tmp_path / "no" / "db")


def test_folder_is_not_a_file(tmp_path: Path) -> None:
    """A folder as db is named as such."""
    assert "is a directory" in refused(tmp_path)
