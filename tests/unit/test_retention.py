"""Forgetting: by number and by age, a little at a time, and the space with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from flower.store import Store, TaskQuery, open_store, retention
from flower.store.retention import Ages, Retention
from tests.databases import EmptyStore

NOW = 1_000_000.0
DAY = 86_400


@pytest.fixture
def store(empty: EmptyStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store that looks at ten tasks at a time, and never rests."""
    monkeypatch.setattr(retention, "STEP", 10)
    monkeypatch.setattr(retention, "REST_SECONDS", 0.0)
    with empty() as store:
        yield store


def keep(store: Store, *ages: float, state: str = "SUCCESS", name: str = "t") -> None:
    """Store tasks of which something was last heard so many days ago."""
    first = store.tasks
    store.write(
        [
            {"uuid": f"{name}{first + number}", "state": state, "received": NOW, "timestamp": NOW - age * DAY}
            for number, age in enumerate(ages)
        ]
    )


def set_ages(store: Store, task: int | None, failed: int | None) -> None:
    store.retention = Retention(store.engine.writer, Ages(task, failed))


def tidy(store: Store, times: int = 1) -> None:
    for _ in range(times):
        store.keep_house(NOW)


def left(store: Store) -> list[str]:
    return sorted(task.uuid for task in store.search(TaskQuery(limit=1000)).tasks)


def test_old_tasks_are_forgotten(store: Store) -> None:
    """What was heard of within the time is kept, and the number of tasks is right."""
    keep(store, 3, 2, 1.5, 0.5, 0)
    set_ages(store, DAY, DAY)
    tidy(store)
    assert (["t3", "t4"], 2) == (left(store), store.tasks)


@pytest.mark.parametrize(
    "task, failed, expected",
    [
        (DAY, 3 * DAY, ["bad1", "bad2", "good3"]),
        (3 * DAY, DAY, ["bad2", "good1", "good2", "good3"]),
        (DAY, None, ["bad0", "bad1", "bad2", "good3"]),
        (None, DAY, ["bad2", "good1", "good2", "good3"]),
        (None, None, ["bad0", "bad1", "bad2", "good1", "good2", "good3"]),
    ],
)
def test_failures_have_a_time_of_their_own(
    store: Store, task: int | None, failed: int | None, expected: list[str]
) -> None:
    """Failed tasks are kept for longer, or not so long, or for ever."""
    for name, state, ages in (("bad", "FAILURE", (4, 2, 0)), ("good", "STARTED", (2, 0.5))):
        stored = [
            {"uuid": f"{name}{number}", "state": state, "timestamp": NOW - age * DAY}
            for number, age in enumerate(ages, start=0 if name == "bad" else 2)
        ]
        store.write(stored)
    store.write([{"uuid": "good1", "state": "SUCCESS", "timestamp": NOW - 2.5 * DAY}])
    set_ages(store, task, failed)
    tidy(store)
    assert expected == left(store)


def test_many_are_forgotten_little_by_little(store: Store) -> None:
    """One step looks at a bounded number of tasks."""
    keep(store, *[2.0] * 35)
    set_ages(store, DAY, DAY)
    counts = []
    for _ in range(5):
        tidy(store)
        counts.append(store.tasks)
    assert [25, 15, 5, 0, 0] == counts


def test_a_sweep_ends_where_nothing_is_old(store: Store) -> None:
    """Young tasks are not all looked through, but for a thorough sweep now and then."""
    set_ages(store, DAY, DAY)
    keep(store, 2.0, *[0.0] * 30)
    keep(store, 2.0)
    tidy(store, 4)
    thorough = left(store)
    keep(store, 2.0, name="late")
    tidy(store, 20)
    assert (30, 31) == (len(thorough), store.tasks)


def test_late_tasks_are_found_by_a_thorough_sweep(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old task that was stored among new ones goes too."""
    monkeypatch.setattr(retention, "THOROUGH_EVERY", 1)
    set_ages(store, DAY, DAY)
    keep(store, *[0.0] * 30, 2.0)
    tidy(store, 4)
    assert 30 == store.tasks


def test_what_is_too_much_goes_in_small_steps(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """When fewer tasks may be kept than before, the rest goes step by step, without a write to set it off."""
    keep(store, *[float(-number) for number in range(35)])
    store.max_tasks = 12
    counts = []
    for _ in range(4):
        tidy(store)
        counts.append(store.tasks)
    assert ([25, 15, 12, 12], "t34") == (counts, store.search(TaskQuery(sort_by="timestamp", limit=1)).tasks[0].uuid)


def test_one_write_takes_a_bounded_number_away(store: Store) -> None:
    """A write makes room for what it brings and a little more, however much is too much."""
    keep(store, *[1.0] * 3_000)
    store.max_tasks = 100
    keep(store, 0.0, 0.0)
    assert 3_000 - 1_000 == store.tasks


def test_nothing_is_forgotten_while_it_is_busy(store: Store) -> None:
    """A burst of events goes first."""
    keep(store, 2.0)
    set_ages(store, DAY, DAY)
    store.keep_house(NOW, behind=lambda: True)
    assert 1 == store.tasks


def test_file_gives_space_back(tmp_path: Path) -> None:
    """After most of a large history was forgotten the file is small again, and grew no smaller at one go."""
    store = open_store(str(tmp_path / "db"), persistent=True, max_tasks=100_000)
    text = "x" * 2_000
    for start in range(0, 20_000, 5_000):
        store.write(
            [
                {"uuid": f"{start + number}", "state": "SUCCESS", "args": text, "timestamp": float(number)}
                for number in range(5_000)
            ]
        )
    full = store.engine.size()
    store.max_tasks = 100
    sizes = []
    for _ in range(200):
        store.keep_house(NOW)
        store.engine.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        sizes.append(store.engine.size())
    store.close()
    steps = [before - after for before, after in pairwise(sizes)]
    assert (100, True, True) == (store.tasks, sizes[-1] < full / 3, max(steps) < 3_000_000)
