"""Which way to a page SQLite takes: as many rows are looked at as there is reason to, and no more."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from flower.store import Count, Store, TaskQuery
from flower.store.narrow import narrowest
from flower.store.plan import page_ids, walking
from flower.store.schema import tasks as table
from flower.store.where import conditions
from tests.databases import empty_file

TASKS = 2_000
STEPS_A_ROW = 20
"""Instructions of SQLite for one row of an index that is read, looked up and sorted: 10 to 15."""
INSTRUCTIONS = 10
"""Between two counts of them."""


@contextlib.contextmanager
def filled() -> Iterator[Store]:
    """One task in a hundred is rare by name, one in ten by worker, one in four by state."""
    with empty_file() as store:
        store.write(
            [
                {
                    "uuid": f"u{number}",
                    "name": "rare" if number % 100 == 0 else "usual",
                    "worker": "quiet" if number % 10 == 0 else "busy",
                    "state": "FAILURE" if number % 4 == 0 else "SUCCESS",
                    "received": float(number),
                    "runtime": float(number % 7),
                    "timestamp": float(number),
                }
                for number in range(TASKS)
            ]
        )
        store.write([{"uuid": "never", "name": "Usual", "worker": "QUIET", "state": "FAILURE", "timestamp": 0.0}])
        store.search(TaskQuery(sort_by="runtime"))
        store.keep_house(0.0)
        yield store


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with filled() as store:
        yield store


@pytest.fixture(scope="module")
def asked() -> Iterator[Store]:
    """The same after somebody filtered by a name and a worker."""
    with filled() as store:
        store.slice(TaskQuery(name="usual", worker="busy"))
        store.keep_house(0.0)
        yield store


def explained(store: Store, query: TaskQuery, total: int | None = None) -> str:
    """How SQLite finds the page."""
    with store._connect() as connection:
        # Only reading tells a connection of new indexes.
        connection.exec_driver_sql("SELECT id FROM tasks LIMIT 1").all()
        where = narrowest(connection, conditions(query, table), store.engine.made)
        if total is not None:
            where = walking(query, where, total, TASKS)
        text = page_ids(query, where).compile(connection, compile_kwargs={"literal_binds": True})
        return " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))


@pytest.mark.parametrize(
    "filters, index",
    [
        ({"name": "rare", "worker": "busy"}, "tasks_by_name"),
        ({"name": "usual", "worker": "quiet"}, "tasks_by_worker"),
        ({"worker": "busy", "state": "FAILURE"}, "tasks_by_state"),
        ({"name": "usual", "worker": "busy", "state": "FAILURE"}, "tasks_by_state"),
        ({"name": "nobody", "state": "FAILURE", "received_start": 5.0}, "tasks_by_name (name=? AND received>?)"),
    ],
)
def test_the_rarest_value_leads(store: Store, filters: dict[str, Any], index: str) -> None:
    """Of several filters that have an index the one with the fewest tasks is followed."""
    assert index in explained(store, TaskQuery(**filters))


def test_other_filters_are_looked_up_in_their_indexes(store: Store) -> None:
    """No row of the table is read to tell which tasks match several filters."""
    plan = explained(store, TaskQuery(name="usual", worker="busy", state="FAILURE"))
    looked_up = [f"tasks_by_{column} ({column}=? AND received=?)" for column in ("name", "worker")]
    assert [True, True, False] == [*(index in plan for index in looked_up), "INTEGER PRIMARY KEY" in plan]


PAIR = "SEARCH tasks USING COVERING INDEX tasks_by_name_worker_received (name=? AND worker=?)"


@pytest.mark.parametrize(
    "filters, index",
    [
        ({"name": "usual", "worker": "busy"}, PAIR),
        ({"name": "usual", "worker": "quiet", "state": "SUCCESS"}, PAIR),
        ({"name": "usual", "worker": "busy", "state": "FAILURE"}, "SEARCH tasks USING COVERING INDEX tasks_by_state"),
        ({"name": "usual", "state": "FAILURE"}, "SEARCH tasks USING COVERING INDEX tasks_by_state"),
    ],
)
def test_two_filters_lead_together(asked: Store, filters: dict[str, Any], index: str) -> None:
    """Once they were asked for there is an index of both, which leads unless another filter has fewer tasks."""
    assert explained(asked, TaskQuery(**filters)).startswith(index)


def test_two_filters_are_counted(asked: Store) -> None:
    """What an index of both tells is counted to the end."""
    assert Count(1_800) == asked.slice(TaskQuery(name="usual", worker="busy", limit=5)).total


@pytest.mark.parametrize("which", ["store", "asked"])
@pytest.mark.parametrize("filters", [{}, {"received_start": 55.0}, {"sort_by": "runtime"}, {"sort_by": "args"}])
def test_looking_up_finds_the_same(request: pytest.FixtureRequest, which: str, filters: dict[str, Any]) -> None:
    """Several filters find the tasks that have all of it, also one that was never received."""
    store: Store = request.getfixturevalue(which)
    query = TaskQuery(name="usual", worker="quiet", state="failure", limit=1_000, **filters)
    expected = {
        f"u{number}" for number in range(0, TASKS, 20) if number % 100 and number >= filters.get("received_start", 0)
    }
    if "received_start" not in filters:
        expected.add("never")
    assert expected == {each.uuid for each in store.search(query).tasks}


def test_number_is_not_less_than_what_is_shown(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without time to count, a page tells of the tasks on it and before it."""
    monkeypatch.setattr("flower.store.keyset.count", lambda *_, **__: Count(3, False))
    assert Count(61, False) == store.slice(TaskQuery(state="SUCCESS", offset=40, limit=20)).total


def test_walk_begins_where_the_filter_does(store: Store) -> None:
    """A span of the sorted column is not walked to, however many tasks it has."""
    query = TaskQuery(received_start=100.0, received_end=900.0, limit=5)
    assert "tasks_by_received (received>? AND received<?)" in explained(store, query, total=800)


def test_many_matches_are_met_on_the_way(store: Store) -> None:
    """When half of the tasks match, the first page of them in another order needs no sorting."""
    query = TaskQuery(state="FAILURE", sort_by="runtime", limit=5)
    assert "tasks_by_runtime" in explained(store, query, total=500)


def test_few_matches_are_sorted(store: Store) -> None:
    """When few match, they are fetched and sorted rather than met among all others."""
    query = TaskQuery(name="rare", sort_by="runtime", limit=50)
    assert "tasks_by_name" in explained(store, query, total=20)


@pytest.mark.parametrize("filters", [{}, {"state": "FAILURE"}, {"sort_by": "runtime"}, {"received_start": 5.0}])
def test_what_an_index_of_texts_found_leads(store: Store, filters: dict[str, Any]) -> None:
    """The few tasks that a search left are looked at, whatever else is asked."""
    plan = explained(store, TaskQuery(among="[1,2,3]", limit=5, **filters), total=3)
    assert plan.startswith("SEARCH tasks USING INTEGER PRIMARY KEY (rowid=?)")


@pytest.mark.parametrize(
    "query, most",
    [
        (TaskQuery(name="rare", worker="busy"), 20),
        (TaskQuery(received_start=100.0, received_end=400.0, limit=5), 5),
        (TaskQuery(state="SUCCESS", sort_by="runtime", limit=5), 10),
        (TaskQuery(offset=1_500, limit=5), 1_505),
    ],
)
def test_rows_looked_at_are_bounded(store: Store, query: TaskQuery, most: int) -> None:
    """A page costs the steps of its own tasks and of those before it, not of all."""
    assert steps(store, query) < STEPS_A_ROW * most


def steps(store: Store, query: TaskQuery) -> int:
    """Instructions of SQLite that a page takes."""
    taken = 0

    def step() -> int:
        nonlocal taken
        taken += INSTRUCTIONS
        return 0

    with contextlib.ExitStack() as stack:
        connection = stack.enter_context(store._connect())
        where = conditions(query, table)
        driver: Any = connection.connection.driver_connection
        total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
        statement = page_ids(query, walking(query, narrowest(connection, where), total, TASKS))
        driver.set_progress_handler(step, INSTRUCTIONS)
        stack.callback(driver.set_progress_handler, None, 0)
        connection.execute(statement).all()
    return taken
