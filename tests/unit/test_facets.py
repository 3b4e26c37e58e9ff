"""Facets: how many tasks another choice would show."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from flower.store import Count, Store, TaskQuery, facets
from flower.store.bounded import rows_within
from flower.store.schema import tasks as table
from flower.utils.search import parse_query
from tests.databases import EmptyStore, empty_file

STATES = ["SUCCESS"] * 6 + ["FAILURE"] * 3 + ["STARTED"]


@pytest.fixture
def store(empty: EmptyStore) -> Iterator[Store]:
    """Ten tasks: two names, two queues, all received."""
    with empty(max_tasks=1000) as store:
        store.write(
            [
                {
                    "uuid": f"u{number}",
                    "state": state,
                    "name": "mail" if number % 2 else "pay",
                    "worker": "w1",
                    "queue": "fast" if number < 4 else "slow",
                    "received": float(number),
                    "timestamp": float(number),
                }
                for number, state in enumerate(STATES)
            ]
        )
        yield store


def write_many(store: Store) -> None:
    """More than are read between two looks at the clock."""
    store.write([{"uuid": f"x{number}", "state": "SUCCESS", "timestamp": 0.0} for number in range(900)])


def counts(store: Store, **query: str) -> dict[str, dict[str, int]]:
    found = store.facets(TaskQuery(**query))  # type: ignore[arg-type]
    return {name: facet.counts for name, facet in (found or {}).items()}


def test_everything_is_counted(store: Store) -> None:
    """Without a filter every task counts once in each facet, the greatest number first."""
    expected = {
        "state": {"SUCCESS": 6, "FAILURE": 3, "STARTED": 1},
        "name": {"mail": 5, "pay": 5},
        "worker": {"w1": 10},
        "queue": {"slow": 6, "fast": 4},
    }
    assert expected == counts(store)


def test_facet_disregards_its_own_filter(store: Store) -> None:
    """With a state chosen the other states still tell what they have; names tell what the state leaves."""
    found = counts(store, state="FAILURE")
    assert ({"SUCCESS": 6, "FAILURE": 3, "STARTED": 1}, {"mail": 1, "pay": 2}) == (found["state"], found["name"])


def test_search_narrows_all(store: Store) -> None:
    """What was searched holds for every facet."""
    found = store.facets(TaskQuery(search=parse_query("queue:fast"))) or {}
    assert {"SUCCESS": 4} == found["state"].counts


def test_beyond_the_bound_numbers_are_the_least(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When too many match, the newest are counted and it is said."""
    monkeypatch.setattr(facets, "MOST", 4)
    found = store.facets(TaskQuery(name="mail")) or {}
    assert (False, True) == (found["state"].whole, found["state"].counts["SUCCESS"] <= 3)


def test_time_is_bounded(store: Store) -> None:
    """When there is no time at all, that is no error: nothing is counted and it is said."""
    write_many(store)
    with store._connect() as connection:
        found = facets.read(connection, TaskQuery(search=parse_query("none OR nothing OR nobody")), seconds=-1)
    assert found["state"].counts == {}


def test_hurry_takes_what_is_known(store: Store) -> None:
    """In a hurry nothing is counted, and what was counted just now is told."""
    before = store.facets(TaskQuery(), hurry=True)
    counted = store.facets(TaskQuery())
    assert (None, counted) == (before, store.facets(TaskQuery(limit=3), hurry=True))


def test_count_is_whole_or_the_least(store: Store) -> None:
    """A count ends at the bound and says so."""
    with store._connect() as connection:
        where = facets.conditions(TaskQuery(state="SUCCESS"), facets.table)
        told = [facets.count(connection, where, most) for most in (5, 6)]
    assert [Count(5, False), Count(6, True)] == told


def test_count_of_all_is_known(store: Store) -> None:
    """Without a filter nothing is counted."""
    assert Count(10) == store.about(TaskQuery())


def test_cut_count_tells_what_it_found() -> None:
    """When there is no time to count them all, there are at least as many as were met."""
    with empty_file() as store, store._connect() as connection:
        write_many(store)
        # One task in ninety: too far between for the fast way of counting.
        where = facets.conditions(TaskQuery(search=parse_query("9")), facets.table)
        told = facets.count(connection, where, seconds=0)
    assert (False, True) == (told.whole, 0 <= told.number < 900)


def test_rows_that_come_too_late(store: Store) -> None:
    """When the time is over what was found is told, as a part; nothing is left open on the way out."""
    write_many(store)
    with store._connect() as connection:
        _, whole = rows_within(connection, sa.select(table.c.uuid), 0.0)
    # What is left open warns when it is collected, which fails the test.
    gc.collect()
    assert not whole
