"""What is kept of how deep queues were."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator

import pytest

from flower.store import Store, depths
from flower.store.depths import DAY, HOUR, MINUTE, DepthQuery, Point
from tests.databases import EmptyStore

NOW = 1_800_000_000.0


@pytest.fixture
def store(empty: EmptyStore) -> Iterator[Store]:
    with empty() as store:
        yield store


def sample(store: Store, at: float, *rows: depths.Depth) -> None:
    store.depths.add(NOW + at, rows)
    store.depths.write()


def points(store: Store, start: float, step: int = 10, *queues: str) -> dict[str, list[Point]]:
    return store.depths_of(DepthQuery(NOW + start, NOW + 1, step, queues or None), NOW)


def rows(store: Store) -> list[tuple[int, int]]:
    """(resolution, rows)"""
    statement = "SELECT seconds, count(*) FROM queue_depths GROUP BY seconds ORDER BY seconds"
    return store._writer.execute(statement).fetchall()


def test_sample(store: Store) -> None:
    """Every number of a sample comes back, and what the broker did not tell is still unknown."""
    sample(store, -10, ("mail", 3, 2, 1), ("video", 7, None, None))
    at = int(NOW) - 10
    assert {"mail": [(at, 3, 2, 1)], "video": [(at, 7, None, None)]} == points(store, -60)


def test_one_queue(store: Store) -> None:
    """Others are left out."""
    sample(store, -10, ("mail", 3, 2, 1), ("video", 7, None, None))
    assert {"mail"} == points(store, -60, 10, "mail").keys()


def test_worst_of_a_step(store: Store) -> None:
    """A step tells the most messages and the fewest consumers in it, whatever the order and what was unknown."""
    for at, ready, consumers in ((-60, 1, 3), (-50, 9, 2), (-40, None, None), (-30, 4, 5)):
        sample(store, at, ("q", ready, None, consumers))
    assert {"q": [(int(NOW) - 60, 9, None, 2)]} == points(store, -60, 60)


def test_steps_of_any_size(store: Store) -> None:
    """Steps that no row has are made of finer ones."""
    for at in range(-120, 0, 10):
        sample(store, at, ("q", -at, 0, 1))
    assert {"q": [(int(NOW) - 120, 120, 0, 1), (int(NOW) - 90, 90, 0, 1), (int(NOW) - 60, 60, 0, 1)]} == {
        name: found[:3] for name, found in points(store, -120, 30).items()
    }


def test_gap(store: Store) -> None:
    """A span in which nothing was sampled has no point, rather than zero."""
    sample(store, -50, ("q", 1, 1, 1))
    sample(store, -10, ("q", 2, 2, 2))
    assert [int(NOW) - 50, int(NOW) - 10] == [point[0] for point in points(store, -60)["q"]]


@pytest.mark.parametrize(
    "start, step, expected",
    [
        (HOUR, 10, 10),
        (HOUR, 30, 10),
        (HOUR, 60, 60),
        (DAY, 10, 60),
        (7 * DAY, 60, 600),
        (90 * DAY, 10, 600),
        (HOUR, 5, 10),
        (HOUR, 3600, 600),
    ],
)
def test_resolution(start: float, step: int, expected: int) -> None:
    """The rows that are read are as coarse as the steps allow, and reach back far enough."""
    assert expected == depths.resolution_of(DepthQuery(NOW - start, NOW, step), NOW)


def test_forgetting_by_age(store: Store) -> None:
    """The finer the rows, the sooner they go."""
    for age in (40 * DAY, 3 * DAY, 4 * HOUR, HOUR):
        sample(store, -age, ("q", 1, 1, 1))
    for seconds in depths.KEPT:
        store.depths.forget(seconds, NOW)
    assert [(10, 1), (60, 2), (600, 3)] == rows(store)


def test_forgetting_by_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are too many rows, young ones are left."""
    monkeypatch.setattr(depths, "MOST_ROWS", 40)
    for at in range(-600, 0, 10):
        sample(store, at, ("q", 1, 1, 1))
    store.depths.forget(10, NOW)
    left = points(store, -DAY / 12)["q"]
    assert (True, int(NOW) - 10) == (0 < len(left) <= 40, left[-1][0])


def test_tidy_goes_round(store: Store) -> None:
    """One resolution at a time, and each has its turn."""
    sample(store, -40 * DAY, ("q", 1, 1, 1))
    for _ in depths.KEPT:
        store.depths._tidy_at = 0.0
        store.depths.tidy(NOW)
    assert [] == rows(store)


def test_failing_store(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples wait for a store that cannot be written; of too many the oldest go."""
    monkeypatch.setattr(store.depths, "_unsaved", deque(maxlen=3))

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(store._writer, "executemany", fail)
        for at in (-50, -40, -30, -20):
            with pytest.raises(sqlite3.OperationalError):
                sample(store, at, ("q", 1, 1, 1))
    store.depths.write()
    assert (3, 0) == (len(points(store, -MINUTE)["q"]), store.depths.unsaved)


@pytest.mark.parametrize("name", ["\ud800", "'; DROP TABLE queue_depths; --", "x" * 1000, "a\x00b", ""])
def test_hostile_name(store: Store, name: str) -> None:
    """Any name is stored, and found again."""
    sample(store, -10, (name, 2**80, -1, 0))
    assert [(int(NOW) - 10, None, -1, 0)] == next(iter(points(store, -60, 10, name).values()))
