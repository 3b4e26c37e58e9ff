"""Several processes on one PostgreSQL database, here several stores in one process."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from unicodedata import category

import psycopg
import pytest

from flower.ingest import views
from flower.state import State
from flower.store import Store, StoreError, TaskQuery, locate, open_store, saver
from flower.store.merge import View, join
from flower.store.postgres import peers, writer
from flower.store.postgres.database import Database
from flower.store.stats import StatsQuery
from tests import factories as make
from tests.databases import Databases
from tests.services import last, wait_for

NOW = make.T0 + 100.0
UNICODE_16 = {*map(chr, range(0x10D50, 0x10D66)), "\u1c89", "\ua7cb", "\ua7cc", "\ua7da", "\ua7dc"}
"""Capitals that are new in Unicode 16, which Python 3.14 has and the server's ICU may not have."""


@pytest.fixture
def url(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, whose users look at each other whenever they may."""
    monkeypatch.setattr(peers, "EVERY_SECONDS", 0.0)
    with databases.lent() as url:
        yield url


@pytest.fixture
def pair(url: str) -> Iterator[tuple[Store, Store]]:
    """Two stores on it that know of each other; the first leads."""
    with closing(open_store(url)) as first, closing(open_store(url)) as second:
        first.keep_house(NOW)
        yield first, second


def view(*events: make.Event) -> View:
    task: View = {}
    for event in events:
        join(task, views.view_of(event["uuid"], event["hostname"], event, make.T0))
    return task


def kill(store: Store) -> None:
    """Cut the connection that writes, as the end of its process does."""
    store.engine.writer.close()


def test_each_sees_all(pair: tuple[Store, Store]) -> None:
    """What one stored the other finds, and counts."""
    first, second = pair
    first.write([view(*make.success("a"))])
    second.write([view(*make.success("b"))])
    first.write([view(*make.success("c"))])
    found = [sorted(task.uuid for task in store.search(TaskQuery()).tasks) for store in pair]
    assert ([["a", "b", "c"]] * 2, 3) == (found, first.tasks)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_parts_of_a_task_are_merged(pair: tuple[Store, Store], order: tuple[int, ...]) -> None:
    """Whoever heard which event, and stored it in which order, the row is that of all events."""
    events = make.success("u")
    parts = [(pair[0], [events[0]]), (pair[1], [events[1]]), (pair[0], [events[2], events[0]])]
    for number in order:
        store, heard = parts[number]
        # As a process that never had to read the row believes.
        store.write([{**view(*heard), "stored": True}])
    row = pair[1].get("u")
    assert row is not None
    expected = view(*events)
    assert expected == {name: value for name, value in row.items() if value is not None}


def test_what_another_stored_is_learned(pair: tuple[Store, Store]) -> None:
    """A process that missed the end of a task tells of it all the same."""
    received, started, succeeded = make.success("u")
    state = State(pair[0])
    state.apply([received, started])
    state.flush()
    pair[1].write([view(received, started, succeeded)])
    task = state.task("u")
    state.stop()
    assert task is not None
    assert "SUCCESS" == task.state


def test_an_end_that_another_heard_leaves_memory(pair: tuple[Store, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that missed the end of a task does not count it as unfinished for ever."""
    monkeypatch.setattr(saver, "REREAD_EVERY", 1)
    received, started, succeeded = make.success("u")
    state = State(pair[0])
    state.apply([received, started, make.received("open")])
    state.flush()
    pair[1].write([view(received, started, succeeded)])
    left = last(lambda: list(state.open_tasks), ["open"], 15)
    state.stop()
    assert ["open"] == left


def test_peers_know_each_other(pair: tuple[Store, Store]) -> None:
    """Each knows how many there are, who it is itself, and who leads; people are told."""
    for store in pair:
        store.keep_house(NOW)
    known = [[(peer.ours, peer.leads) for peer in store.engine.peers()] for store in pair]
    assert [[(True, True), (False, False)], [(False, True), (True, False)]] == known
    assert all("shared with 1 other Flower" in store.description for store in pair)


def test_who_leaves_is_gone(url: str) -> None:
    """After an orderly end the others do not wait for one."""
    first = open_store(url)
    with closing(open_store(url)) as second:
        first.close()
        second.keep_house(NOW)
        assert 1 == len(second.engine.peers())


def test_another_leads_when_the_leader_is_killed(pair: tuple[Store, Store]) -> None:
    """The lock is free as soon as the connection of the leader is gone."""
    first, second = pair
    before = [store.engine.leads for store in pair]
    kill(first)

    def taken_over() -> bool:
        second.keep_house(NOW)
        return second.engine.leads

    wait_for(taken_over, 15, "the other leads")
    assert ([True, False], False) == (before, first.engine.leads)


def count(store: Store, *names: str) -> None:
    """Tasks that succeed are heard of."""
    moments = [("w", "task-succeeded", name, 1.0) for name in names]
    store.rollups.count(*make.tally(moments, waits=[("w", names[0], 0.1, "")]), NOW)


def total(store: Store) -> dict[str, int]:
    return store.stats(StatsQuery(NOW - 3600, NOW + 3600)).total.states


def test_events_that_both_hear_count_once(pair: tuple[Store, Store]) -> None:
    """Only who leads stores statistics."""
    for store in pair:
        store.rollups._began = NOW - 3600
        count(store, "a", "b")
        store.keep_house(NOW, at_once=True)
    assert {"SUCCESS": 2} == total(pair[1])


def test_a_new_leader_fills_the_gap(pair: tuple[Store, Store]) -> None:
    """What the old leader did not store any more the new one does, and nothing twice."""
    first, second = pair
    for store in pair:
        store.rollups._began = NOW - 3600
        count(store, "a", "b")
        store.keep_house(NOW, at_once=True)
    kill(first)
    count(second, "b", "c")

    def filled() -> bool:
        second.keep_house(NOW + 70, at_once=True)
        return second.engine.leads

    wait_for(filled, 15, "the other leads")
    assert {"SUCCESS": 4} == total(second)


def test_broken_connection_is_made_anew(url: str) -> None:
    """After the server cut all connections the next write, search and look-up work again."""
    with closing(open_store(url)) as store:
        store.write([view(*make.success("a"))])
        assert store.get("a") is not None
        with psycopg.connect(url.partition("?")[0], autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'flower'"
            )
        with pytest.raises(store.engine.failures):
            store.write([view(*make.success("b"))])
        store.write([view(*make.success("b"))])
        assert (2, True) == (store.search(TaskQuery()).total, store.get("b") is not None)


def test_one_bad_value_costs_nothing_else(url: str) -> None:
    """A text with NUL, which PostgreSQL has not, is mended; its task and the others go in."""
    with closing(open_store(url)) as store:
        bad = {**view(*make.success("bad")), "result": "a\x00b"}
        store.write([view(*make.success("a")), bad])
        row = store.get("bad")
        assert row is not None
        assert ("a\ufffdb", 2, []) == (row.result, store.tasks, store.search(TaskQuery(name="\x00")).tasks)


@pytest.mark.parametrize(
    "given, expected",
    [
        ("postgresql://ann:secret@db.example:5433/mon", "PostgreSQL database mon at db.example:5433"),
        ("postgres://db.example/mon?schema=eu", "PostgreSQL database mon at db.example, schema eu"),
        ("postgresql:///mon", "PostgreSQL database mon"),
    ],
)
def test_description_has_no_secret(given: str, expected: str) -> None:
    """A database is told without user and password."""
    assert expected == Database(given).description


def test_nonsense_is_refused() -> None:
    """A URL that libpq does not understand ends the start with a sentence."""
    with pytest.raises(StoreError, match="no URL of a PostgreSQL database"):
        Database("postgresql://host/db?nonsense=1")


def test_wrong_database_is_told(databases: Databases) -> None:
    """What the server says at the door is handed on."""
    with pytest.raises(StoreError, match=r'PostgreSQL database nowhere .* database "nowhere" does not exist'):
        open_store(databases.url.replace("/postgres", "/nowhere"))


def test_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without psycopg the error tells what to install."""
    monkeypatch.setitem(__import__("sys").modules, "flower.store.postgres", None)
    with pytest.raises(StoreError, match=r"pip install 'flower\[postgres\]'"):
        locate.open_database("postgresql://host/x")


def test_a_process_that_hangs_is_told_and_survived(pair: tuple[Store, Store]) -> None:
    """One that stops in the middle of a write holds the others up for a bounded time, and they say so."""
    first, second = pair
    second.engine.writer.execute("SET lock_timeout = '50ms'")
    with first.engine.writer.transaction(), pytest.raises(second.engine.failures, match="lock timeout"):
        second.write([view(*make.success("a"))])
    second.write([view(*make.success("a"))])
    assert 1 == second.tasks


def test_every_letter_is_folded_as_python_does(url: str) -> None:
    """The server's idea of small letters is Python's, for each letter that both know and for a sigma at the end."""
    every = (chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000)
    texts = [letter for letter in every if category(letter) != "Cn" and letter not in UNICODE_16]
    texts += ["ΣΑΣ", "İSTANBUL ẞ"]
    with closing(open_store(url)) as store:
        rows = store.engine.writer.execute("SELECT letter, flower_fold(letter) FROM unnest(?::text[]) letter", [texts])
        assert [] == [(text, folded) for text, folded in rows if folded != text.casefold()]


def test_unfinished_tasks_are_the_newest_of_each_state(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start reads some of each state, whatever its case, oldest first; ended ones and those without a state never."""
    monkeypatch.setattr(writer, "OPEN_OF_STATE", 2)
    states = ["RECEIVED", "SUCCESS", "Progress", None, "FAILURE"] * 3
    with closing(open_store(url)) as store:
        store.write(
            [{"uuid": f"u{n}", "state": state, "received": n, "timestamp": n} for n, state in enumerate(states)]
        )
        found = [(task["uuid"], task["state"]) for task in store.unfinished(10)]
        few = [task["uuid"] for task in store.unfinished(1)]
    assert [("u5", "RECEIVED"), ("u7", "Progress"), ("u10", "RECEIVED"), ("u12", "Progress")] == found
    assert ["u12"] == few
