"""Indexes on demand in a PostgreSQL database: made by who leads for whoever asks, and removed when nobody does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from flower.store import Store, TaskQuery, open_store
from flower.store.postgres import Postgres, errands, peers, wanted
from tests.databases import Databases

NOW = 0.0


@pytest.fixture
def pair(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, Store]]:
    """Two stores on a database, of which the first leads; few tasks are enough for an index."""
    monkeypatch.setattr(peers, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(errands, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(wanted, "TASKS_LEAST", 1)
    with databases.lent() as url, closing(open_store(url)) as first, closing(open_store(url)) as second:
        first.write([{"uuid": f"u{n}", "state": "SUCCESS", "queue": f"q{n}", "retries": n % 7} for n in range(40)])
        yield first, second
        monkeypatch.setattr(wanted, "UNUSED_SECONDS", -1)
        made(first)


def made(*stores: Store) -> set[str]:
    """The indexes on demand that there are after some rounds of the savers."""
    for _ in range(4):
        for store in stores:
            store.keep_house(NOW)
            assert isinstance(store.engine, Postgres)
            store.engine._wanted.wait()
    rows = stores[0]._writer.execute(wanted._MADE)
    return {name for name, valid in rows if valid} & {f"tasks_by_{column}" for column in wanted.DEMANDED}


@pytest.mark.parametrize(
    "query, indexes",
    [
        (TaskQuery(queue="q3"), {"tasks_by_queue"}),
        (TaskQuery(sort_by="retries"), {"tasks_by_retries"}),
        (TaskQuery(queue="q3", sort_by="succeeded"), {"tasks_by_queue", "tasks_by_succeeded"}),
        (TaskQuery(sort_by="runtime", state="SUCCESS"), set()),
    ],
)
@pytest.mark.parametrize("asked", [0, 1])
def test_question_makes_an_index(pair: tuple[Store, Store], asked: int, query: TaskQuery, indexes: set[str]) -> None:
    """Whichever process is asked; of columns that every database has an index of none is made."""
    before = pair[asked].slice(query)
    settled = pair[asked].engine.is_settled()
    assert (indexes, not indexes, True) == (made(*reversed(pair)), settled, pair[0].engine.is_settled())
    assert [task.uuid for task in before.tasks] == [task.uuid for task in pair[asked].slice(query).tasks]


def test_index_is_found(pair: tuple[Store, Store]) -> None:
    """The order of the list is that of the index."""
    pair[0].slice(TaskQuery(sort_by="retries"))
    made(*pair)
    with pair[0]._connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        statement = "EXPLAIN SELECT id FROM tasks ORDER BY retries DESC NULLS LAST, id DESC LIMIT 5"
        plan = " ".join(row[0] for row in connection.exec_driver_sql(statement))
    assert (True, False) == ("tasks_by_retries" in plan, "Sort" in plan)


def test_index_that_is_not_used(pair: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody of those who share the database asked for an hour: it goes."""
    pair[1].slice(TaskQuery(queue="q3"))
    there = made(*reversed(pair))
    monkeypatch.setattr(wanted, "UNUSED_SECONDS", -1)
    assert ({"tasks_by_queue"}, set()) == (there, made(*pair))


def test_few_tasks_need_none(pair: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """Some thousand rows are read at once."""
    monkeypatch.setattr(wanted, "TASKS_LEAST", 41)
    pair[0].slice(TaskQuery(queue="q3"))
    assert set() == made(*pair)
