"""The index of texts in a PostgreSQL database: made when it pays, and never a task more or less than without it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.store import Store, TaskQuery, open_store
from flower.store.plan import page_ids
from flower.store.postgres import Postgres, errands, texts
from flower.store.schema import tasks as table
from flower.utils.search import Query, parse_query
from tests.databases import Databases
from tests.unit.test_search_properties import NODES, NOW, TASK

quick = settings(max_examples=40)


@pytest.fixture
def store(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Forty tasks in a database; few are enough for an index."""
    monkeypatch.setattr(texts, "TASKS_LEAST", 1)
    monkeypatch.setattr(errands, "EVERY_SECONDS", 0.0)
    with databases.lent() as url:
        store = open_store(url, max_tasks=1_000)
        store.write(
            [{"uuid": f"u{n}", "state": "SUCCESS", "args": f"customer{n}x", "timestamp": 1.0} for n in range(40)]
        )
        yield store
        attended(store)
        index_of(store).begin(texts._remove)
        index_of(store).wait()
        store.close()


def index_of(store: Store) -> texts.Texts:
    assert isinstance(store.engine, Postgres)
    return store.engine._texts


def attended(store: Store) -> bool:
    """Whether there is an index after the rounds of a saver."""
    for _ in range(3):
        store.keep_house(0.0)
        index_of(store).wait()
    return bool(store._writer.execute("SELECT to_regclass('tasks_by_texts') IS NOT NULL").fetchone()[0])


def found(store: Store, search: str) -> list[str]:
    page = store.search(TaskQuery(search=parse_query(search), sort_by="uuid", descending=False))
    return [each.uuid for each in page.tasks]


def explained(store: Store, search: str) -> str:
    """How the server finds a page when it may not read all rows."""
    with store._connect() as connection:
        query, where = store._conditions(connection, TaskQuery(search=parse_query(search), sort_by="args"))
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        text = page_ids(query, where).compile(connection, compile_kwargs={"literal_binds": True})
        return " ".join(
            row[0] for row in connection.execute(sa.text(f"EXPLAIN {str(text).replace(':', chr(92) + ':')}"))
        )


def test_nothing_is_made_unasked(store: Store) -> None:
    """Nobody who never searches pays for it, nor who asks for what no text tells."""
    found(store, "state:FAILURE ab")
    assert not attended(store)


def test_index_leads(store: Store) -> None:
    """After the first search it is there, and answers the next."""
    found(store, "customer7x")
    made = attended(store)
    assert (True, True, ["u7"]) == (
        made,
        "tasks_by_texts" in explained(store, "customer7x"),
        found(store, "customer7x"),
    )


def test_common_words_are_met_on_the_way(store: Store) -> None:
    """What many of the newest tasks match is not fetched by the index, and the list is walked without sorting."""
    found(store, "customer7x")
    made = attended(store)
    with store._connect() as connection:
        hints = store.engine.hints(connection, parse_query("customer"))
        sorts = connection.exec_driver_sql("SHOW enable_sort").scalar()
    assert (True, [], "off", 40) == (made, hints, sorts, len(found(store, "customer")))


def test_index_that_is_not_used(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody of those who share the database searched for an hour: it goes."""
    found(store, "customer7x")
    made = attended(store)
    monkeypatch.setattr(texts, "UNUSED_SECONDS", -1)
    assert (True, False, ["u7"]) == (made, attended(store), found(store, "customer7x"))


def test_server_that_refuses(store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Where none may be made it is said, searches read every text, and it is tried again after an hour."""
    found(store, "customer7x")
    with caplog.at_level(logging.WARNING, "flower.store.postgres.errands"), monkeypatch.context() as refusing:
        refusing.setattr(texts, "_EXTENSION", "SELECT 'nowhere'")
        made = attended(store), attended(store)
    assert ((False, False), 1, ["u7"]) == (made, len(caplog.records), found(store, "customer7x"))
    monkeypatch.setattr(errands, "REFUSED_SECONDS", 0.0)
    assert attended(store)


@quick
@given(st.lists(TASK, min_size=1, max_size=4), NODES)
def test_python_and_the_index_find_the_same_tasks(store: Store, tasks: list[dict[str, Any]], root: Any) -> None:
    """Whatever is stored and asked: exactly what the predicate is true of is found."""
    if not index_of(store)._ready:
        found(store, "customer")
        assert attended(store)
    at = store._writer.execute("SELECT max(timestamp) FROM tasks").fetchone()[0] + 1
    store.write([{**facts, "uuid": f"x{number}", "timestamp": at} for number, facts in enumerate(tasks)])
    query = Query(root, NOW)
    everything = TaskQuery(sort_by="uuid", descending=False, limit=1_000)
    expected = [each.uuid for each in store.search(everything).tasks if query.matches(each)]
    with store._connect() as connection:
        asked, where = store._conditions(connection, replace(everything, search=query))
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        uuids = sa.select(table.c.uuid).where(*where).order_by(table.c.uuid)
        assert expected == list(connection.scalars(uuids))
    assert asked.search is not None
