"""The number beside a page: exact while it is small, a moment old when it is great."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flower.store import Store, TaskQuery, kept, totals
from tests.databases import EmptyStore


@pytest.fixture
def store(empty: EmptyStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Four tasks, three of which succeeded; more than two are many, and kept for long."""
    monkeypatch.setattr(totals, "MANY", 2)
    monkeypatch.setattr(kept, "KEPT_SECONDS", 1_000.0)
    with empty(max_tasks=1_000) as store:
        write(store, "u0", "FAILURE")
        for number in range(1, 4):
            write(store, f"u{number}", "SUCCESS")
        yield store


def write(store: Store, uuid: str, state: str) -> None:
    store.write([{"uuid": uuid, "state": state, "timestamp": 1.0}])


def test_great_number_is_kept(store: Store) -> None:
    """Whoever asks for the next page is told the number of the page before."""
    first = store.search(TaskQuery(state="SUCCESS", limit=1)).total
    write(store, "u4", "SUCCESS")
    page = store.search(TaskQuery(state="SUCCESS", offset=1, limit=2, sort_by="uuid", descending=False))
    assert (3, 3, ["u2", "u3"]) == (first, page.total, [task.uuid for task in page.tasks])


def test_small_number_is_counted(store: Store) -> None:
    """A number that is counted at once is the number now."""
    first = store.search(TaskQuery(state="FAILURE")).total
    write(store, "u4", "FAILURE")
    assert (1, 2) == (first, store.search(TaskQuery(state="FAILURE")).total)


def test_number_of_all_is_known(store: Store) -> None:
    """Nothing is counted when everything is asked for: what is stored is known."""
    before = store.search(TaskQuery()).total
    write(store, "u4", "SUCCESS")
    assert (4, 5) == (before, store.search(TaskQuery()).total)


def test_asking_for_the_number_alone(store: Store) -> None:
    """Whoever asks for the number itself gets the one that is right."""
    store.search(TaskQuery(state="SUCCESS", limit=1))
    write(store, "u4", "SUCCESS")
    assert 4 == store.count(TaskQuery(state="SUCCESS"))
