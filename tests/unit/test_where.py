"""The SQL of a query: filters, missing facts, and what an index answers."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from flower.store import NAMES, TaskQuery
from flower.store.schema import metadata, tasks
from flower.store.where import conditions
from flower.utils.search import SQL_FUNCTIONS, parse_query

ROWS: list[dict[str, Any]] = [
    {"uuid": "a1", "name": "shop.Pay", "state": "SUCCESS", "worker": "w1@vm", "received": 10.0, "started": 11.0},
    {"uuid": "a2", "name": "shop.pay.later", "state": "FAILURE", "worker": "W2@vm", "received": 20.0, "args": "('é',)"},
    {"uuid": "b1", "name": None, "state": "PENDING", "worker": None, "args": "('50%_off/',)", "root_id": "a1"},
]
POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped

folded: list[str | None] = []
"""The texts that Python was asked to fold, since the last test began."""


def fold(text: str | None) -> str | None:
    folded.append(text)
    return SQL_FUNCTIONS["flower_fold"][1](text)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def engine() -> Iterator[sa.Engine]:
    """A store's tables with ROWS, in memory."""

    def creator() -> sqlite3.Connection:
        raw = sqlite3.connect(":memory:")
        raw.create_function("flower_fold", 1, fold, deterministic=True)
        return raw

    engine = sa.create_engine("sqlite://", creator=creator, poolclass=sa.StaticPool)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(tasks.insert(), [{**dict.fromkeys(NAMES), **row} for row in ROWS])
    yield engine
    engine.dispose()


@pytest.fixture
def found(engine: sa.Engine) -> Any:
    """Asks for the uuids that answer a query."""
    folded.clear()

    def ask(search: str | None = None, **filters: Any) -> list[str]:
        query = TaskQuery(search=None if search is None else parse_query(search), **filters)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(tasks.c.uuid).where(*conditions(query, tasks)).order_by(tasks.c.uuid))
            return list(rows.scalars())

    return ask


@pytest.fixture
def plan(engine: sa.Engine) -> Any:
    """Asks how SQLite finds what answers a search."""

    def ask(search: str) -> str:
        statement = sa.select(tasks).where(*conditions(TaskQuery(search=parse_query(search)), tasks))
        text = statement.compile(engine, compile_kwargs={"literal_binds": True})
        with engine.connect() as connection:
            return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").first()[3])  # type: ignore[index]

    return ask


@pytest.mark.parametrize(
    "filters, uuids",
    [
        ({}, ["a1", "a2", "b1"]),
        ({"name": "SHOP.PAY"}, ["a1"]),
        ({"worker": "w2@VM"}, ["a2"]),
        ({"state": "success"}, ["a1"]),
        ({"state": "SUCC"}, []),
        ({"received_start": 10.0}, ["a1", "a2"]),
        ({"received_start": 10.5}, ["a2"]),
        ({"received_end": 10.0}, ["a1"]),
        ({"received_start": 0.0, "received_end": 99.0}, ["a1", "a2"]),
        ({"started_start": 11.0}, ["a1"]),
        ({"started_end": 10.9}, []),
        ({"name": "shop.pay", "state": "FAILURE"}, []),
    ],
)
def test_filters(found: Any, filters: dict[str, Any], uuids: list[str]) -> None:
    """Names, states and workers are whole but caseless; ranges include their ends and no task without the time."""
    assert uuids == found(**filters)


@pytest.mark.parametrize(
    "search, uuids",
    [
        ("", ["a1", "a2", "b1"]),
        ("SHOP", ["a1", "a2"]),
        ("-name:pay", ["b1"]),
        ("NOT (name:pay AND worker:w1)", ["a2", "b1"]),
        ("-worker:w1", ["a2", "b1"]),
        ("started:<2026-01-01", ["a1"]),
        ("-started:<2026-01-01", ["a2", "b1"]),
        ("50%_off/", ["b1"]),
        ("5%off", []),
        ("É", ["a2"]),
        ("-É", ["a1", "b1"]),
        ("root:a", ["b1"]),
        ("uuid:a", ["a1", "a2"]),
        ("state:success,pending", ["a1", "b1"]),
    ],
)
def test_searches(found: Any, search: str, uuids: list[str]) -> None:
    """A missing fact satisfies no term, and so every negated one."""
    assert uuids == found(search)


def test_filters_and_search_are_joined(found: Any) -> None:
    """A task must satisfy both."""
    assert ["a2"] == found("pay", state="FAILURE")


def test_python_is_asked_for_texts_beyond_ascii_only(found: Any) -> None:
    """Folding in Python costs; it is left out where it cannot find anything."""
    found("args:É")
    assert {"('é',)"} == set(folded)


def test_ages_count_from_the_moment_of_the_query() -> None:
    """`-1h` is an hour before `now` of the search, in SQL as well."""
    query = TaskQuery(search=parse_query("received:-1h", now=5000.0))
    assert [1400.0] == list(conditions(query, tasks)[0].compile().params.values())


@pytest.mark.parametrize(
    "search, index",
    [
        ("state:FAILURE", "tasks_by_state"),
        ("received:-1h", "tasks_by_received"),
        ("runtime:>5", "tasks_by_runtime"),
        ("uuid:2b7a", "uuid>"),
        ("parent:2b7a", "tasks_by_parent"),
        ("name:pay state:FAILURE", "tasks_by_state"),
    ],
)
def test_an_index_answers(plan: Any, search: str, index: str) -> None:
    """What a column's order can tell is not looked for row by row."""
    assert index in plan(search)


def test_postgresql_compares_as_sqlite_does() -> None:
    """Other databases disregard the case of ASCII letters only, too."""
    clause = conditions(TaskQuery(search=parse_query("name:Pay_")), tasks)[0]
    text = clause.compile(dialect=POSTGRESQL, compile_kwargs={"literal_binds": True})
    assert "(lower(tasks.name COLLATE \"C\") LIKE '%%pay/_%%' ESCAPE '/')" == str(text)


def test_the_order_of_evaluation() -> None:
    """Numbers and states are looked at before texts."""
    clauses = conditions(TaskQuery(search=parse_query("pay runtime:>5")), tasks)
    assert "tasks.runtime > 5.0" == str(clauses[0].compile(compile_kwargs={"literal_binds": True}))
