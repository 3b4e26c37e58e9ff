"""Rollups: what is counted in each minute, how it is stored, and what is read of it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.state import State
from flower.store import Store, open_store, rollups
from flower.store.rollup_rows import HOUR
from flower.store.rollups import OTHER, RETENTION_SECONDS
from flower.store.sketch import percentile, size
from flower.store.stats import Stats, StatsQuery
from flower.store.tally import Wait
from tests import factories as make
from tests.databases import EmptyStore

NOW = make.T0 // 3600 * 3600
"""The beginning of an hour."""


@pytest.fixture
def store(empty: EmptyStore) -> Iterator[Store]:
    with empty(max_tasks=100) as store:
        yield store


@pytest.fixture
def state() -> Iterator[State]:
    state = State(open_store(), clock=lambda: NOW + 30)
    yield state
    state.stop()


def count(store: Store, at: float, *moments: make.Moment, waits: tuple[Wait, ...] = ()) -> None:
    """Count moments and store them."""
    store.rollups.count(*make.tally(moments, waits=waits), NOW + at)
    store.rollups.write(NOW + at, at_once=True)


def ended(name: str = "t", worker: str = "w", runtime: float = 1.0) -> make.Moment:
    return worker, "task-succeeded", name, runtime


def hours(store: Store, number: int) -> None:
    """Three tasks in each of so many hours."""
    for hour in range(number):
        for minute in (0, 7, 59):
            count(store, hour * 3600 + minute * 60, ended(runtime=1.0 + minute))


def tidy(store: Store, at: float) -> None:
    """Every step that is due, as the saver takes them."""
    for _ in range(20):
        store.rollups.write(NOW + at, at_once=True)
        store.rollups._tidy_at = 0.0
        store.rollups.tidy(NOW + at)


def read(store: Store, end: float = 86_400.0, start: float = 0.0, **query: object) -> Stats:
    return store.stats(StatsQuery(start=NOW + start, end=NOW + end, **query))  # type: ignore[arg-type]


def states(stats: Stats) -> dict[str, dict[str, int]]:
    return {name: cell.states for name, cell in stats.groups.items()}


def test_life_of_a_task(state: State) -> None:
    """Each state that a task enters is counted, with the run time and the wait."""
    state.apply([make.sent("u", 0.0), *make.success("u")], NOW)
    assert state.flush()
    stats = read(state.store)
    assert {"tasks.add": {"PENDING": 1, "RECEIVED": 1, "STARTED": 1, "SUCCESS": 1}} == states(stats)
    assert [pytest.approx(0.5, rel=0.02)] == [percentile(stats.total.runtime, 0.5)]
    assert [pytest.approx(2.0, rel=0.02)] == [percentile(stats.total.waiting, 0.5)]


def test_wait_since_received(state: State) -> None:
    """Where nobody told of the sending, a task waits from when it was received."""
    state.apply(make.success("u"), NOW)
    assert state.flush()
    assert percentile(read(state.store).total.waiting, 0.5) == pytest.approx(1.0, rel=0.02)


def test_eta_is_no_wait(state: State) -> None:
    """A task that had to wait for its ETA is left out of the waiting times."""
    state.apply(make.success("u", eta="2026-11-21T06:00:00"), NOW)
    assert state.flush()
    assert {} == read(state.store).total.waiting


def test_client_is_no_worker(state: State) -> None:
    """By worker there are workers only; the task that was sent counts by name."""
    state.apply([make.sent("u", 0.0), make.received("u")], NOW)
    assert state.flush()
    assert {make.WORKER: {"RECEIVED": 1}} == states(read(state.store, by="worker"))


lives = st.lists(
    st.tuples(
        st.sampled_from([make.success, make.failure, make.retry_then_success]),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["w1", "w2"]),
        st.integers(0, 7200),
    ),
    max_size=20,
)


@given(lives, st.integers(0, 7200), st.integers(60, 7200))
@settings(max_examples=30, deadline=None)
def test_equals_a_naive_count(lives: list[tuple[object, str, str, int]], start: int, length: int) -> None:
    """Counts by name, by worker and by both are those of a simple loop over the events of the minutes."""
    state = State(open_store(), clock=lambda: NOW + 9000)
    first, beyond = start // 60 * 60, -(-(start + length) // 60) * 60
    expected: Counter[tuple[str, str, str]] = Counter()
    try:
        for number, (life, name, worker, at) in enumerate(lives):
            events = life(f"u{number}", name=name)  # type: ignore[operator]
            for event in events:
                event["hostname"] = worker
                if first <= at < beyond:
                    expected[name, worker, rollups.STATES[event["type"]]] += 1
            state.apply(events, NOW + at)
        assert state.flush()
        tidy(state.store, 3600 + 240)
        found: Counter[tuple[str, str, str]] = Counter()
        for worker in ("w1", "w2"):
            for name, cell in read(state.store, start + length, start, worker=worker).groups.items():
                found.update({(name, worker, state_): number for state_, number in cell.states.items()})
        assert expected == found
        by_name: Counter[str] = Counter()
        for (name, _, _), number in expected.items():
            by_name[name] += number
        groups = read(state.store, start + length, start).groups
        assert by_name == {name: sum(cell.states.values()) for name, cell in groups.items()}
    finally:
        state.stop()


def test_written_twice_is_counted_once(store: Store) -> None:
    """The running minute is stored again and again, and what it has is told once."""
    for _ in range(3):
        count(store, 1.0, ended())
    assert {"SUCCESS": 3} == read(store).total.states


def test_failed_write_is_repeated(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be stored is stored the next time, once."""
    count(store, 1.0, ended())
    with monkeypatch.context() as patch:

        def fail(*_: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        patch.setattr(store.rollups._rows, "save", fail)
        with pytest.raises(sqlite3.OperationalError):
            count(store, 2.0, ended())
    count(store, 3.0, ended())
    assert {"SUCCESS": 3} == read(store).total.states


def test_restart_within_a_minute(tmp_path: Path) -> None:
    """A minute that was counted in part before a restart is whole after it."""
    path = str(tmp_path / "flower.db")
    for _ in range(2):
        store = open_store(path, persistent=True)
        count(store, 5.0, ended(), waits=(("w", "t", 0.1, ""),))
        total = read(store).total
        store.close()
    assert ({"SUCCESS": 2}, 2, 2) == (total.states, size(total.runtime), size(total.waiting))


def test_clock_set_back(store: Store) -> None:
    """A minute that comes a second time goes on counting, before and after its hour was packed."""
    count(store, 5.0, ended())
    count(store, 65.0, ended())
    count(store, 6.0, ended())
    tidy(store, 7200.0)
    count(store, 7.0, ended())
    tidy(store, 7200.0)
    assert {"SUCCESS": 4} == read(store).total.states


@pytest.mark.parametrize("query", [{}, {"step": 60}, {"step": 3600}, {"by": "worker"}, {"name": "t", "worker": "w"}])
def test_packing_changes_no_answer(store: Store, query: dict[str, object]) -> None:
    """Packed hours tell the same as their minutes."""
    hours(store, 3)
    before = read(store, 7500.0, 300.0, **query)
    tidy(store, 4 * HOUR)
    assert before == read(store, 7500.0, 300.0, **query)


def test_packed_hours_are_few_rows(store: Store) -> None:
    """An hour is one row for each name, worker and pair, the running hour one a minute."""
    hours(store, 3)
    tidy(store, 2 * HOUR + 1800.0)
    kept = store._writer.execute("SELECT seconds, count(*) FROM rollups GROUP BY seconds ORDER BY seconds").fetchall()
    assert [(60, 9), (3600, 6)] == kept


def test_retention(store: Store) -> None:
    """Hours older than thirty days are deleted, one family of one hour at a time."""
    hours(store, 3)
    tidy(store, RETENTION_SECONDS + 2 * HOUR)
    left = store._writer.execute("SELECT DISTINCT start FROM rollups").fetchall()
    assert [(NOW + 2 * HOUR,)] == left


def test_minutes_at_the_edges(store: Store) -> None:
    """The span is widened to whole minutes, and ends before the next."""
    for minute in range(4):
        count(store, minute * 60.0, ended())
    assert {"SUCCESS": 2} == read(store, 125.0, 119.0).total.states


def test_series(store: Store) -> None:
    """A series has a point for every step, empty ones too."""
    for minute in (0, 1, 11):
        count(store, minute * 60.0, ended())
    series = read(store, 900.0, step=300).series
    assert [(0, 2), (300, 0), (600, 1)] == [(at - NOW, size(cell.runtime)) for at, cell in series.items()]


def test_since(store: Store) -> None:
    """It is told since when there is anything to count."""
    assert None is read(store).since
    hours(store, 2)
    tidy(store, HOUR + 1800.0)
    assert NOW == read(store).since


def test_pairs_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs beyond the bound count as other, and by name and by worker nothing is lost."""
    monkeypatch.setitem(rollups.MOST, "pair", 2)
    count(store, 0.0, *(ended(name, worker) for name in ("a", "b") for worker in ("v", "w")))
    assert {"a": {"SUCCESS": 2}, "b": {"SUCCESS": 2}} == states(read(store))
    assert {"v": {"SUCCESS": 2}, "w": {"SUCCESS": 2}} == states(read(store, by="worker"))
    assert {OTHER: {"SUCCESS": 2}} == states(read(store, name="b", by="worker"))
    assert {"a": {"SUCCESS": 1}, OTHER: {"SUCCESS": 1}} == states(read(store, worker="w"))


def test_names_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names beyond the bound count as other, in each family."""
    monkeypatch.setitem(rollups.MOST, "name", 2)
    count(store, 0.0, *(ended(name) for name in "abcd"))
    expected = {"a": {"SUCCESS": 1}, "b": {"SUCCESS": 1}, OTHER: {"SUCCESS": 2}}
    assert expected == states(read(store)) == states(read(store, worker="w"))


def test_memory_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many distinct counters are summed up at once instead of waiting for the saver."""
    monkeypatch.setattr(rollups, "MOST_FRESH", 10)
    store.rollups.count(*make.tally(ended(f"t{number}") for number in range(20)), NOW)
    assert {} == store.rollups._fresh


def test_states_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """States that tasks make up without end count as other, whenever they come."""
    monkeypatch.setattr(rollups, "MOST_STATES", 2)
    for number in range(4):
        count(store, 0.0, ("w", f"task-half_{number}", "t", None), ("w", f"task-whole_{number}", "t", None))
    assert {"HALF_0": 1, "WHOLE_0": 1, OTHER: 6} == read(store).total.states


def test_unsaved_minutes_are_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be stored, the oldest minutes are given up in the end."""
    monkeypatch.setattr(rollups, "MOST_UNSAVED_MINUTES", 3)
    for minute in range(5):
        store.rollups.count(*make.tally([ended()]), NOW + minute * 60)
    store.rollups.write(NOW + 300, at_once=True)
    assert {"SUCCESS": 3} == read(store).total.states


def test_custom_states(store: Store) -> None:
    """States that tasks make up are counted under their names."""
    count(store, 0.0, ("w", "task-half_done", "t", None))
    assert {"HALF_DONE": 1} == read(store).total.states
