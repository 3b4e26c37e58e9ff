"""The state: workers, counters and open tasks out of events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from flower import state as module
from flower.metrics import Metrics
from flower.state import State
from flower.store import Store, TaskQuery, open_store
from flower.store.tally import Tally
from flower.worker import producer_of
from tests import factories as make
from tests.factories import Clock


@pytest.fixture
def state(clock: Clock) -> Iterator[State]:
    state = State(open_store(), max_workers=3, clock=clock)
    yield state
    state.stop()


class Heard(list[Tally]):
    """An observer that remembers."""

    def observe(self, tally: Tally, _: object) -> None:
        self.append(tally)


def test_task_is_seen_before_it_is_stored(state: State) -> None:
    """A task can be asked for as soon as its first event was applied."""
    state.apply([make.received("u")])
    task = state.task("u")
    assert task is not None
    assert ("RECEIVED", None) == (task.state, task.result)


def test_flushed_task_is_in_the_store(state: State) -> None:
    """After a flush every list has the task."""
    state.apply(make.success("u"))
    state.flush()
    assert ["SUCCESS"] == [task.state for task in state.store.search(TaskQuery()).tasks]


def test_finished_task_leaves_memory(state: State) -> None:
    """Memory holds what is alive; history is the store's."""
    state.apply(make.success("u"))
    state.flush()
    assert {} == state.open_tasks


def test_late_event_meets_its_stored_task(state: State) -> None:
    """An event that comes after its task left memory completes the row."""
    first, *rest = make.success("u")
    state.apply(rest)
    state.flush()
    state.apply([first])
    state.flush()
    row = state.store.get("u")
    assert row is not None
    assert ("SUCCESS", "tasks.add", 0.5) == (row.state, row.name, row.runtime)


def test_late_event_does_not_reopen_a_task(state: State) -> None:
    """A finished task is not open again because of a late event."""
    first, *rest = make.success("u")
    state.apply(rest)
    state.flush()
    state.apply([first])
    state.flush()
    assert {} == state.open_tasks


def test_unsaved_late_event_is_seen_with_its_row(state: State) -> None:
    """The freshest view joins memory and store."""
    state.apply(make.success("u"))
    state.flush()
    state.apply([make.received("u", 1.0, name="tasks.other")])
    task = state.task("u")
    assert task is not None
    assert "SUCCESS" == task.state


def test_unknown_task(state: State) -> None:
    """None for a task that nobody told of."""
    assert state.task("nope") is None


def test_worker_is_alive_until_its_heartbeat_expires(state: State, clock: Clock) -> None:
    """As Celery computes it: two intervals after the last heartbeat."""
    state.apply([make.heartbeat(freq=2.0)])
    worker = state.workers[make.WORKER]
    assert (True, False) == (worker.status(clock.now + 3.9), worker.status(clock.now + 4.1))


def test_worker_that_says_goodbye_is_offline(state: State, clock: Clock) -> None:
    """An offline event counts at once."""
    state.apply([make.heartbeat(), make.heartbeat(kind="worker-offline")])
    assert not state.workers[make.WORKER].status(clock.now)


def test_wrong_clock_of_a_worker_does_not_kill_it(state: State, clock: Clock) -> None:
    """Heartbeats count from when they arrive."""
    state.apply([make.heartbeat(at=-90_000.0)])
    assert state.workers[make.WORKER].status(clock.now)


def test_counters_by_worker_and_type(state: State) -> None:
    """Every event is counted for its worker."""
    state.apply([make.heartbeat(), *make.success("u"), *make.failure("v")])
    counted = state.counter[make.WORKER]
    assert (1, 2, 1, 1) == tuple(
        counted[type_] for type_ in ("worker-heartbeat", "task-received", "task-succeeded", "task-failed")
    )


def test_client_is_not_a_worker(state: State) -> None:
    """Who sends tasks does not appear among the workers."""
    state.apply([make.sent("u")])
    assert {} == state.workers


def test_workers_are_bounded(state: State, clock: Clock) -> None:
    """The worker that was silent for longest makes room."""
    for number in range(5):
        clock.now += 1
        state.apply([make.heartbeat(f"celery@w{number}")])
    assert ["celery@w2", "celery@w3", "celery@w4"] == list(state.workers)


def test_event_types_are_bounded(state: State) -> None:
    """A worker that invents event types cannot fill the memory."""
    state.apply([make.event(f"task-x{number}", 1.0, uuid="u") for number in range(500)])
    assert len(state.counter[make.WORKER]) <= 65


@pytest.mark.parametrize(
    "event",
    [
        {"type": "task-received", "hostname": "w", "timestamp": 1.0},
        {"type": "task-received", "uuid": "u", "timestamp": 1.0},
        {"type": "task-received", "uuid": "", "hostname": "w"},
        {"hostname": "w", "uuid": "u"},
        {"type": None, "hostname": "w"},
        {"type": "worker-heartbeat"},
        "text",
        None,
        [],
        {"type": "task-received", "uuid": ["a"], "hostname": None},
    ],
)
def test_event_that_makes_no_sense_is_counted(state: State, event: Any) -> None:
    """It is counted, and the good event after it is not lost."""
    state.apply([event, make.received("good")])
    assert (1, "RECEIVED") == (state.totals["malformed"], state.open_tasks["good"]["state"])


@pytest.mark.parametrize(
    "field", ["name", "uuid", "hostname", "args", "kwargs", "retries", "clock", "root_id", "eta", "pid"]
)
@pytest.mark.parametrize("value", [7, 1.5, True, [1], {"a": 1}, "x", 2**80, float("nan"), "\x00", "\ud800"])
def test_field_of_a_wrong_type_is_stored(state: State, field: str, value: Any) -> None:
    """No value of any field keeps a task out of the store."""
    state.apply([{**make.received("u"), field: value}])
    state.flush()
    assert (1, 0) == (state.store.tasks, state.totals["malformed"])


def test_observers_hear_every_task_event(state: State) -> None:
    """Worker, type, name, and the run time where it ends."""
    state.observers.append(heard := Heard())
    state.apply([make.heartbeat(), *make.success("u")])
    event, run = heard[-1].events[-1], heard[-1].runs[-1]
    assert (("tasks.add", "task-succeeded", make.WORKER), (make.WORKER, "tasks.add", 0.5)) == (event, run)


def test_a_burst_is_told_now_and_then(state: State, clock: Clock) -> None:
    """While more is to come, what was applied is counted four times a second."""
    state.observers.append(heard := Heard())
    told = []
    for seconds in (0.0, 0.1, 0.1, 0.1):
        clock.now += seconds
        state.apply([make.received("u")], more=True)
        told.append(len(heard))
    assert ([1, 1, 1, 2], 4) == (told, sum(len(tally.events) for tally in heard))


def test_a_burst_is_told_to_who_asks(state: State, clock: Clock) -> None:
    """The metrics of a moment have all that was applied."""
    metrics = Metrics(state, buckets=[1.0], registry=CollectorRegistry())
    state.observers.append(metrics)
    for uuid in "ab":
        state.apply([make.received(uuid)], more=True)
    assert b'type="task-received",worker="celery@w1"} 2.0' in metrics.render()[0]


def test_the_end_of_a_burst_is_told(state: State) -> None:
    """When nothing more is to come, everything is counted."""
    state.observers.append(heard := Heard())
    state.apply([make.received("a")], more=True)
    state.apply([make.received("b")], more=True)
    state.apply([make.received("c")])
    assert [1, 2] == [len(tally.events) for tally in heard]


@pytest.mark.parametrize("host, expected", [("gen42@vm", "gen@vm"), ("42@vm", "@vm"), ("web", "web")])
def test_producers_are_told_by_machine(host: str, expected: str) -> None:
    """The process number of a producer makes no series of its own."""
    assert expected == producer_of(host)


def test_appeared_tells_once(state: State) -> None:
    """A worker appears when it comes, not with every heartbeat."""
    state.apply([make.heartbeat(), make.heartbeat()])
    assert ([make.WORKER], []) == (state.appeared(), state.appeared())


def test_adopted_task_becomes_a_row(state: State) -> None:
    """What inspection finds running is shown after a restart."""
    state.adopt([{"uuid": "u", "name": "tasks.slow", "worker": make.WORKER, "started": make.T0}])
    state.flush()
    row = state.store.get("u")
    assert row is not None
    assert ("STARTED", "tasks.slow") == (row.state, row.name)


def test_adoption_does_not_overrule_events(state: State) -> None:
    """A task whose events were seen is not touched by inspection."""
    state.apply(make.success("u"))
    state.flush()
    state.adopt([{"uuid": "u", "name": "tasks.add", "worker": make.WORKER, "started": make.T0 + 50}])
    task = state.task("u")
    assert task is not None
    assert ("SUCCESS", None) == (task.state, task.attempts)


def test_forgotten_worker_is_gone_everywhere(state: State, clock: Clock) -> None:
    """A worker offline for long enough is dropped; a live one stays."""
    state.apply([make.heartbeat("celery@old"), make.heartbeat("celery@new")])
    clock.now += 60
    state.apply([make.heartbeat("celery@new")])
    assert (["celery@old"], ["celery@new"]) == (state.forget_workers(30), list(state.workers))


def test_open_tasks_are_bounded(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest unfinished tasks leave memory, and stay in the store."""
    monkeypatch.setattr(module, "MAX_OPEN_TASKS", 10)
    for number in range(30):
        state.apply([make.received(f"u{number}")])
        state.flush()
    assert (True, 30) == (len(state.open_tasks) <= 11, state.store.tasks)


def test_failing_store_is_told_and_nothing_lost(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store cannot be written events wait in memory; then they are stored."""
    write: Callable[..., Any] = state.store.write
    monkeypatch.setattr("flower.store.saver.RETRY_SECONDS", 0.01)

    def full(_: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(state.store, "write", full)
    state.apply(make.success("u"))
    state.flush(0.1)
    failure = state.store.failure
    monkeypatch.setattr(state.store, "write", write)
    state.flush()
    assert ("database or disk is full", 1, None) == (failure, state.store.tasks, state.store.failing_since)


def test_too_much_for_a_failing_store_is_counted(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be kept is never dropped silently."""
    monkeypatch.setattr(module, "MAX_UNSAVED", 0)
    monkeypatch.setattr(module, "MAX_UNSTORED", 2)
    monkeypatch.setattr(state.store, "failing_since", make.T0)
    monkeypatch.setattr(state.store, "write", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("gone")))
    for uuid in ("u", "v", "w"):
        state.apply(make.success(uuid))
    assert (3, True) == (state.totals["dropped"], state.task("w") is None)


def durable(path: Path) -> Store:
    return open_store(str(path), persistent=True)


def test_restart_knows_everything(tmp_path: Path) -> None:
    """Tasks, workers and counters are there after a restart."""
    before = State(durable(tmp_path / "db"))
    before.apply([make.heartbeat(), *make.success("u"), make.received("open")])
    before.stop()
    after = State(durable(tmp_path / "db"))
    known = (after.store.tasks, list(after.open_tasks), after.counter[make.WORKER]["task-succeeded"])
    after.stop()
    assert (2, ["open"], 1) == known


def test_task_goes_on_after_a_restart(tmp_path: Path) -> None:
    """A task that was open at the stop is completed by its later events."""
    first, *rest = make.success("u")
    before = State(durable(tmp_path / "db"))
    before.apply([first])
    before.stop()
    after = State(durable(tmp_path / "db"))
    after.apply(rest)
    task = after.task("u")
    after.stop()
    assert task is not None
    assert ("SUCCESS", "tasks.add") == (task.state, task.name)
