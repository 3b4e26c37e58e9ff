"""The two evaluators of a search agree, whatever is searched and whatever tasks there are."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.store import NAMES, TaskQuery, open_store
from flower.store.postgres.database import Database
from flower.store.schema import tasks as table
from flower.store.where import conditions
from flower.utils.search import (
    FIELDS,
    SQL_FUNCTIONS,
    WORD_COLUMNS,
    And,
    Bound,
    Contains,
    MatchAll,
    Node,
    Not,
    OneOf,
    Or,
    Pair,
    Prefix,
    Query,
    QuerySyntaxError,
    Span,
    ascii_lower,
    parse_query,
)

NOW = 1_795_262_400.0
"""2026-11-21 12:00 UTC."""

# Few and awkward: LIKE's own characters, quotes, cases that only casefold unites, letters that fold to ASCII.
ALPHABET = "aAbB%_/\\'\":=, (){}-.ßẞſKéÉİıσς\U0001f600\U0010ffff"
TEXTS = st.text(ALPHABET, max_size=6)
STATES = st.sampled_from(["SUCCESS", "FAILURE", "Retry", "ÉTAT", "étAT", "ſ", ""])
NUMBERS = st.sampled_from([0, 1, 2, 0.5, 1.25, 1e9, -1.0])
TIMES = st.sampled_from([NOW, NOW - 1, NOW - 60, NOW - 3600, NOW - 86400, NOW - 43200.0, NOW + 5])
KWARGS = st.dictionaries(st.sampled_from(["a", "b", "it's", "é"]), TEXTS | st.integers(0, 11) | st.none(), max_size=2)

TEXT_COLUMNS = ("name", "worker", "args", "result", "exception", "traceback", "queue", "root_id", "parent_id")
TIME_COLUMNS = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked")
FACTS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(TEXT_COLUMNS, TEXTS),
    **dict.fromkeys(TIME_COLUMNS, TIMES),
    "kwargs": TEXTS | KWARGS.map(repr) | KWARGS.map(json.dumps),
    "state": STATES,
    "runtime": NUMBERS,
    "retries": st.integers(0, 3),
}
TASK = st.fixed_dictionaries({name: st.none() | values for name, values in FACTS.items()})
TASKS = st.lists(TASK, min_size=1, max_size=4)


def term(kind: Any, columns: list[Any], *rest: st.SearchStrategy[Any]) -> st.SearchStrategy[Node]:
    return st.builds(kind, st.just("field"), st.sampled_from(columns), *rest)


def tuples(of: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(of, min_size=1, max_size=2).map(tuple)


BOUNDS = st.none() | st.builds(Bound, NUMBERS | TIMES, st.booleans(), st.just(value=False))
AGES = st.none() | st.builds(Bound, st.sampled_from([0.0, 1.0, 3600.0, 86400.0]), st.booleans(), st.just(value=True))
KEYS = st.sampled_from(["a", "A", "it's", "é", "É"])
TERMS = st.one_of(
    st.just(MatchAll()),
    term(Contains, [WORD_COLUMNS, ("name",), ("args", "result"), ("kwargs",)], TEXTS),
    term(OneOf, ["state"], tuples(STATES.map(ascii_lower))),
    term(Prefix, ["uuid", "root_id", "parent_id"], tuples(TEXTS)),
    term(Pair, ["kwargs"], KEYS, TEXTS | st.integers(0, 11).map(str)),
    term(Span, ["runtime", "retries", "received"], BOUNDS, BOUNDS),
    term(Span, ["sent", "failed"], AGES, AGES),
)
NODES = st.recursive(
    TERMS,
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(And, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Or, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=6,
)

WORDS = [f"{field.name}:{field.example}" for field in FIELDS] + ["a", "ß", "%", '"a b"', "kwargs:a=1"]
OPERATORS = ["AND", "OR", "NOT", "(", ")", "-a", "-("]
SEARCHES = st.lists(st.sampled_from(WORDS) | st.sampled_from(OPERATORS), min_size=1, max_size=6).map(" ".join)

quick = settings(max_examples=200)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[sa.Connection]:
    """An empty store's table, of either engine."""
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            engine = in_memory()
        else:
            url = stack.enter_context(request.getfixturevalue("databases").lent())
            open_store(url).close()
            raw = stack.enter_context(contextlib.closing(Database(url).connect()))
            engine = sa.create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=sa.StaticPool)
        with engine.connect() as connection:
            table.create(connection, checkfirst=True)
            yield connection


def in_memory() -> sa.Engine:
    """SQLite without a file."""

    def creator() -> sqlite3.Connection:
        raw = sqlite3.connect(":memory:")
        for name, (arguments, function) in SQL_FUNCTIONS.items():
            raw.create_function(name, arguments, function, deterministic=True)
        return raw

    return sa.create_engine("sqlite://", creator=creator, poolclass=sa.StaticPool)


def rows_of(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**dict.fromkeys(NAMES), **task, "uuid": f"aB%{number}"} for number, task in enumerate(tasks)]


def by_sql(connection: sa.Connection, rows: list[dict[str, Any]], query: Query) -> list[str]:
    connection.execute(table.delete())
    connection.execute(table.insert(), rows)
    where = conditions(TaskQuery(search=query), table)
    return list(connection.execute(sa.select(table.c.uuid).where(*where).order_by(table.c.uuid)).scalars())


def by_python(rows: list[dict[str, Any]], query: Query) -> list[str]:
    return [row["uuid"] for row in rows if query.matches(row)]


@quick
@given(TASKS, NODES)
def test_python_and_sql_find_the_same_tasks(connection: sa.Connection, tasks: list[dict[str, Any]], root: Node) -> None:
    """Whatever tree of terms: the predicate is true of exactly the rows that SQL finds."""
    rows, query = rows_of(tasks), Query(root, NOW)
    assert by_python(rows, query) == by_sql(connection, rows, query)


@quick
@given(TASKS, SEARCHES)
def test_typed_searches_find_the_same_tasks(connection: sa.Connection, tasks: list[dict[str, Any]], text: str) -> None:
    """Whatever can be typed of fields and operators is found alike, or refused."""
    with contextlib.suppress(QuerySyntaxError):
        rows, query = rows_of(tasks), parse_query(text, now=NOW)
        assert by_python(rows, query) == by_sql(connection, rows, query)


@quick
@given(TASKS, NODES)
def test_a_negation_finds_the_others(connection: sa.Connection, tasks: list[dict[str, Any]], root: Node) -> None:
    """A query and its negation share the tasks between them, also those that lack the fact."""
    rows = rows_of(tasks)
    found = by_sql(connection, rows, Query(root, NOW)) + by_sql(connection, rows, Query(Not(root), NOW))
    assert sorted(row["uuid"] for row in rows) == sorted(found)


@quick
@given(st.text(ALPHABET + 'ORAND:>.-()" \t', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but a QuerySyntaxError comes of a text, and its position lies within."""
    refusal = None
    try:
        parse_query(text, now=NOW)
    except QuerySyntaxError as error:
        refusal = error
    assert refusal is None or 0 <= (refusal.position or 0) < len(text)


@quick
@given(st.text(ALPHABET, min_size=1, max_size=12))
def test_a_quoted_text_finds_itself(text: str) -> None:
    """Between quotes, with its quotes and backslashes escaped, every text is a word."""
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    assert parse_query(quoted).matches({"args": f"x{text}x"})
