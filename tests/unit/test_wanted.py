"""Indexes on demand: none before somebody asks, one for whoever asks again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flower.store import Store, TaskQuery, open_store
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
    return names & {"tasks_by_runtime", "tasks_by_started"}


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


def test_index_goes_with_the_process(store: Store, tmp_path: Path) -> None:
    """A store that is opened anew begins without."""
    store.search(TaskQuery(sort_by="runtime"))
    store.keep_house(0.0)
    store.close()
    open_store(str(tmp_path / "db"), persistent=True).close()
    assert set() == made(tmp_path)
