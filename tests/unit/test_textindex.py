"""The index of texts: made when it pays, and never a task more or less than without it."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.store import Store, TaskQuery, open_store, textfile, textindex
from flower.store.embedded import Embedded
from flower.store.grams import Commonness, expression, needed, pieces_of
from flower.utils.search import Query, parse_query
from tests.unit.test_search_properties import NODES, NOW, TASK

TASKS = 40
quick = settings(max_examples=150)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Forty tasks that somebody searched in, with an index of their texts."""
    monkeypatch.setattr(textindex, "TASKS_LEAST", 1)
    store = open_store(str(tmp_path / "db"), persistent=True, max_tasks=1_000)
    store.write([task(number) for number in range(TASKS)])
    found(store, "customer")
    take_in(store)
    yield store
    store.close()


def idle() -> bool:
    """Nothing waits to be written."""
    return False


def behind() -> bool:
    """Too many tasks wait to be written."""
    return True


def task(number: int, **facts: Any) -> dict[str, Any]:
    return {"uuid": f"u{number}", "state": "SUCCESS", "args": f"('customer{number}x',)", "timestamp": 1.0, **facts}


def index_of(store: Store) -> textindex._Index | None:
    assert isinstance(store.engine, Embedded)
    return store.engine._texts._index


def take_in(store: Store) -> None:
    """Let the index take in everything that is stored, as the saver's rounds would."""
    assert isinstance(store.engine, Embedded)
    for _ in range(1_000):
        store.engine.attend(store.tasks, idle)
        index = index_of(store)
        if index is None:
            return
        if index.running is not None:
            index.running.exception()
        store.engine.attend(store.tasks, behind)
        if store.engine.is_settled():
            return


def newest(store: Store) -> int:
    return int(store._writer.execute("SELECT max(id) FROM tasks").fetchone()[0] or 0)


def found(store: Store, search: str) -> list[str]:
    page = store.search(TaskQuery(search=parse_query(search), sort_by="uuid", descending=False))
    assert page.total == len(page.tasks)
    return [each.uuid for each in page.tasks]


def candidates(store: Store, search: str) -> set[int] | None:
    """The ids of the tasks of which the index says that they may match; None when it says nothing."""
    assert isinstance(store.engine, Embedded)
    told = store.engine._texts.candidates(parse_query(search), 1_000)
    return None if told is None else set(told.ids)


def test_index_tells(store: Store) -> None:
    """A part of a text leads to its tasks alone."""
    assert ({8}, ["u7"]) == (candidates(store, "customer7x"), found(store, "customer7x"))


def test_nothing_is_made_unasked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody who never searches pays for it, nor who asks for what no text tells."""
    monkeypatch.setattr(textindex, "TASKS_LEAST", 1)
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([task(1)])
    found(store, "state:FAILURE runtime:>5")
    take_in(store)
    assert (None, []) == (index_of(store), list(tmp_path.glob("*texts*")))
    store.close()


def test_few_tasks_need_none(tmp_path: Path) -> None:
    """Some thousand texts are read at once."""
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([task(1)])
    found(store, "customer")
    take_in(store)
    assert index_of(store) is None
    store.close()


def test_writing_goes_first(store: Store) -> None:
    """While the writer is behind nothing is taken in; a search finds the rest all the same."""
    store.write([task(99)])
    for _ in range(3):
        store.engine.attend(store.tasks, behind)
    assert (TASKS, ["u99"]) == (getattr(index_of(store), "mark", None), found(store, "customer99x"))


def test_changed_task(store: Store) -> None:
    """A task that changed is found by its new text at once, and no longer by the old one."""
    store.write([task(7, args="('somebody',)", timestamp=2.0, received=2.0)])
    before = found(store, "somebody"), found(store, "customer7x")
    take_in(store)
    assert (["u7"], []) == before == (found(store, "somebody"), found(store, "customer7x"))


def test_change_is_noted_before_it_is_seen(store: Store) -> None:
    """What an open transaction changed is a candidate already, whatever becomes of it."""
    with store._writer.transaction():
        store._writer.execute("UPDATE tasks SET args = 'somebody' WHERE uuid = 'u7'")
        store.engine.counted(TASKS, 0)
        told = candidates(store, "somebody")
    assert {8} == told


def test_ids_that_are_given_again(store: Store) -> None:
    """When the last tasks go, new ones get their ids; these are found, too."""
    store._writer.execute("DELETE FROM tasks")
    store.engine.counted(TASKS, -TASKS)
    store.tasks = 0
    store.write([task(number) for number in range(100, 103)])
    early = found(store, "customer101x")
    take_in(store)
    take_in(store)
    assert (["u101"], ["u101"], 3) == (early, found(store, "customer101x"), getattr(index_of(store), "mark", 0))


def test_index_that_is_not_used(store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody searched for an hour: it goes, and its file."""
    monkeypatch.setattr(textindex, "UNUSED_SECONDS", -1.0)
    store.engine.attend(store.tasks, idle)
    assert (None, []) == (index_of(store), list(tmp_path.glob("*texts*")))


def test_index_of_tasks_that_are_gone(store: Store) -> None:
    """When most of what it holds is gone, it is made anew of what is left."""
    first = index_of(store)
    assert first is not None
    first.most = TASKS - 1
    take_in(store)
    store.engine.attend(store.tasks, idle)
    take_in(store)
    assert (False, ["u7"]) == (index_of(store) in (None, first), found(store, "customer7x"))


def test_too_many_changes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When more changes than can be remembered, nothing is asked of the index, and it is made anew."""
    monkeypatch.setattr(textindex, "CHANGED_MOST", 3)
    store.write([task(number, args="('somebody',)", timestamp=2.0) for number in range(4)])
    assert (None, 4) == (candidates(store, "somebody"), len(found(store, "somebody")))


def test_common_words_are_met_on_the_way(store: Store) -> None:
    """Where too many texts would have to be looked at, the index says so and the list is walked."""
    assert isinstance(store.engine, Embedded)
    told = store.engine._texts.candidates(parse_query("customer"), TASKS - 1)
    assert (None, TASKS) == (told, len(found(store, "customer")))


def test_file_is_private_and_goes(store: Store, tmp_path: Path) -> None:
    """Nobody else may read it, and it ends with the store."""
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("db-texts*")}
    store.close()
    assert ({0o600}, []) == (modes, list(tmp_path.glob("db-texts*")))


def test_leftover_of_a_killed_process(tmp_path: Path) -> None:
    """What a killed process left behind is removed."""
    left = [tmp_path / f"db{textfile.SUFFIX}{suffix}" for suffix in ("", "-wal", "-shm")]
    for path in left:
        path.write_text("left")
    open_store(str(tmp_path / "db"), persistent=True).close()
    assert [] == [path for path in left if path.exists()]


def test_sqlite_without_such_an_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where SQLite cannot make one, it is said once, and searches read every text."""
    monkeypatch.setattr(textindex, "TASKS_LEAST", 1)
    monkeypatch.setattr(textfile, "_CREATE", "CREATE VIRTUAL TABLE texts.pieces USING nothing")
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([task(7)])
    with caplog.at_level(logging.WARNING, "flower.store.textindex"):
        for _ in range(3):
            found(store, "customer7x")
            store.engine.attend(store.tasks, idle)
    told = [record.getMessage() for record in caplog.records]
    assert (["u7"], 1, []) == (found(store, "customer7x"), len(told), list(tmp_path.glob("db-texts*")))
    store.close()


@pytest.mark.parametrize("add", [False, True])
def test_it_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, add: bool
) -> None:
    """A full disk, at the beginning or later, keeps the index from being made for a time, each time for longer."""
    full = sqlite3.OperationalError("database or disk is full")

    def fail(*_: Any) -> None:
        raise full

    monkeypatch.setattr(textindex, "TASKS_LEAST", 1)
    now = time.monotonic()
    monkeypatch.setattr(textindex.time, "monotonic", lambda: now)
    store = open_store(str(tmp_path / "db"), persistent=True)
    store.write([task(1)])
    found(store, "customer")
    with monkeypatch.context() as broken:
        broken.setattr(textindex.TextFile, "add" if add else "__init__", fail)
        for seconds in (0.0, 59.0, 1.0, 119.0):
            now += seconds
            take_in(store)
    assert (None, 2) == (index_of(store), caplog.text.count("disk is full"))
    now += 1.0
    take_in(store)
    assert {1} == candidates(store, "customer1x")
    store.close()


def test_work_does_not_grow_with_the_tasks(store: Store) -> None:
    """A rare word costs the same steps among ten times as many tasks; facets and filters too."""
    query = TaskQuery(search=parse_query("customer7x"), state="SUCCESS", sort_by="runtime")
    few = steps(store, query)
    store.write([task(number) for number in range(100, 100 + 9 * TASKS)])
    take_in(store)
    assert steps(store, query) <= 2 * few


def steps(store: Store, query: TaskQuery) -> int:
    """Instructions of SQLite that a page takes, in twenties."""
    taken = itertools.count()
    with store._connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.set_progress_handler(lambda: next(taken) < 0, 20)
        store._page(connection, query)
        driver.set_progress_handler(None, 0)
    return next(taken)


@quick
@given(st.lists(TASK, min_size=1, max_size=4), st.lists(TASK, max_size=3), NODES, st.integers(0, 3))
def test_python_and_the_index_find_the_same_tasks(
    store: Store, early: list[dict[str, Any]], late: list[dict[str, Any]], root: Any, moment: int
) -> None:
    """Whatever is taken in, changes after that or comes later: exactly what the predicate is true of is found."""
    store.max_tasks = TASKS + 3
    at = 10.0 + newest(store)
    store.write([{**facts, "uuid": f"x{number}", "timestamp": at} for number, facts in enumerate(early)])
    if moment:
        take_in(store)
    changed = [{**facts, "uuid": f"x{number * moment}", "timestamp": at + 1} for number, facts in enumerate(late)]
    store.write(list({each["uuid"]: each for each in changed}.values()))
    query = Query(root, NOW)
    everything = TaskQuery(sort_by="uuid", descending=False, limit=1_000)
    expected = [each.uuid for each in store.search(everything).tasks if query.matches(each)]
    assert expected == [each.uuid for each in store.search(replace(everything, search=query)).tasks]


@pytest.mark.parametrize(
    "search, asked",
    [
        ("abc", '("abc")'),
        ("ab", None),
        ("ABCD", '("abc" AND "bcd")'),
        (r'"a\"b"', '("a""b")'),
        ("abc -def", '(("abc"))'),
        ("abc OR de", None),
        ("abc OR def", '(("abc") OR ("def"))'),
        ("abc state:FAILURE", '(("abc"))'),
        ("NOT abc", None),
        ("straße", '("ass" AND "ras" AND "sse" AND "str" AND "tra")'),
        ("state:FAILURE", None),
    ],
)
def test_what_is_asked_for(search: str, asked: str | None) -> None:
    """Only what every match must have is asked for, folded as texts are."""
    wanted = needed(parse_query(search).root)
    assert asked == (None if wanted is None else expression(wanted, pieces_of))


def test_rare_pieces_are_asked_for() -> None:
    """Of a needle the rarest pieces, none that most texts have, and always one."""
    commonness = Commonness()
    commonness.count([*(f"customer{number}" for number in range(9)), "customer3x"])
    assert (["3xy", "r3x"], 1) == (commonness.rarest("customer3xy")[:2], len(commonness.rarest("customer")))


def test_pieces_that_are_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many different texts there are."""
    monkeypatch.setattr("flower.store.grams.KNOWN_MOST", 3)
    commonness = Commonness()
    commonness.count(["abcde", "vwxyz"])
    assert ["abc", "bcd", "cde"] == sorted(commonness._counts)
