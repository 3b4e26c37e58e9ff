"""Paging by place: the same order as paging by number, from any place, in both directions."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from flower.store import NAMES, Cursor, Store, TaskQuery
from tests.databases import EmptyStore

WORDS = [None, "a", "B", "b", "ç", "it's", ""]
TIMES = [None, 1.0, 1.5, 2.0, 3.25]


@pytest.fixture(scope="module")
def store(empty: EmptyStore) -> Iterator[Store]:
    """Sixty tasks with few values, many equal ones, and many without one."""
    luck = random.Random(7)
    tasks = []
    for number in range(60):
        task = {"uuid": f"u{luck.random()}", "state": luck.choice(["SUCCESS", "FAILURE", "STARTED"])}
        facts = {name: luck.choice(WORDS) for name in ("name", "worker", "queue", "args", "result")}
        facts |= {name: luck.choice(TIMES) for name in ("received", "started", "runtime", "succeeded")}
        facts |= {"retries": luck.choice([None, 0, 3]), "timestamp": float(number // 3)}
        tasks.append(task | {name: value for name, value in facts.items() if value is not None})
    with empty(max_tasks=1000) as store:
        store.write(tasks)
        yield store


def walk(store: Store, query: TaskQuery, *, backward: bool) -> list[str]:
    """All uuids, page by page, in the order of the list."""
    found: list[str] = []
    place: Cursor | None = None
    while True:
        page = store.slice(query, place, backward=backward)
        uuids = [task.uuid for task in page.tasks]
        found = uuids + found if backward else found + uuids
        place = page.first if backward else page.last
        if not (page.before if backward else page.after):
            return found


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort_by", NAMES)
def test_pages_are_the_list(store: Store, sort_by: str, descending: bool, backward: bool) -> None:
    """Walked from either end, the pages are the whole list in its order, each task once."""
    query = TaskQuery(sort_by=sort_by, descending=descending, limit=7)
    expected = [task.uuid for task in store.search(TaskQuery(sort_by=sort_by, descending=descending, limit=100)).tasks]
    assert expected == walk(store, query, backward=backward)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("sort_by", ["received", "name", "runtime", "result"])
def test_filtered_pages_are_the_list(store: Store, sort_by: str, backward: bool) -> None:
    """A filter narrows the walk, whatever it is sorted by."""
    query = TaskQuery(state="SUCCESS", sort_by=sort_by, limit=4)
    expected = [task.uuid for task in store.search(TaskQuery(state="SUCCESS", sort_by=sort_by)).tasks]
    assert expected == walk(store, query, backward=backward)


def test_ends_are_told(store: Store) -> None:
    """A page knows whether there is something on either side of it."""
    query = TaskQuery(limit=25)
    pages = [store.slice(query)]
    pages += [store.slice(query, pages[-1].last)]
    pages += [store.slice(query, pages[-1].last)]
    assert [(False, True), (True, True), (True, False)] == [(page.before, page.after) for page in pages]


def test_way_back_is_the_way(store: Store) -> None:
    """Older, then newer, is where one was."""
    query = TaskQuery(limit=20)
    first = store.slice(query)
    back = store.slice(query, store.slice(query, first.last).first, backward=True)
    assert ([task.uuid for task in first.tasks], False) == ([task.uuid for task in back.tasks], back.before)


def test_place_of_another_order(store: Store) -> None:
    """A place in the order of names is none in the order of times."""
    with pytest.raises(ValueError, match="not in this order"):
        store.slice(TaskQuery(), Cursor(("a", 1.0), 1))
