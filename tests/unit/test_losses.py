"""Events that are missing, found by what workers count; and nothing found where nothing is missing."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence

import pytest

from flower.losses import Losses
from flower.worker import Worker
from tests import factories as make

HOST = make.WORKER


class Fleet:
    """One worker as it behaves: it counts a task, acknowledges it, and tells its start; task events may be buffered."""

    def __init__(self, seed: int, slots: int = 4, buffered: bool = True) -> None:
        self.random = random.Random(seed)
        self.slots = slots
        self.buffered = buffered
        self.begin()

    def begin(self) -> None:
        """A new process."""
        self.pid = self.random.randrange(1, 99_999)
        self.clock = self.processed = 0
        self.telling = True
        self.accepted: deque[int] = deque()
        self.buffer: list[make.Event] = []

    def event(self, type_: str, **fields: object) -> make.Event:
        self.clock += self.random.choice((1, 1, 1, 7))
        return {"type": type_, "hostname": HOST, "pid": self.pid, "clock": self.clock, **fields}

    def steps(self, number: int) -> list[make.Event]:
        """What it sends while it begins so many tasks, in the order in which it comes."""
        sent: list[make.Event] = []
        for _ in range(number):
            self.processed += 1
            self.accepted.append(self.processed)
            if self.buffered or len(self.accepted) > self.slots or self.random.random() < 0.7:
                self.tell()
            if not self.buffered or len(self.buffer) >= 24 or self.random.random() < 0.2:
                sent += self.flush()
            if self.random.random() < 0.03:
                sent.append(self.beat())
        return sent

    def tell(self) -> None:
        while self.accepted:
            number = self.accepted.popleft()
            if self.telling:
                self.buffer.append(self.event("task-started", uuid=f"u{number}"))

    def flush(self) -> list[make.Event]:
        flushed, self.buffer = self.buffer, []
        return flushed

    def beat(self) -> make.Event:
        active = self.random.randint(len(self.accepted), self.slots)
        return self.event("worker-heartbeat", processed=self.processed, active=active)

    def rest(self, beats: int = 8) -> list[make.Event]:
        """It has nothing to do any more."""
        self.tell()
        return [
            *self.flush(),
            *(self.event("worker-heartbeat", processed=self.processed, active=0) for _ in range(beats)),
        ]


@pytest.fixture
def worker() -> Worker:
    return Worker(HOST)


@pytest.fixture
def losses(worker: Worker) -> Losses:
    return Losses({HOST: worker})


def hear(losses: Losses, events: Sequence[make.Event], random_: random.Random) -> None:
    """In batches of any size."""
    rest = list(events)
    while rest:
        size = random_.randint(1, 60)
        losses.hear(rest[:size], make.T0)
        del rest[:size]


def starts(events: Sequence[make.Event]) -> int:
    return sum(event["type"] == "task-started" for event in events)


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_told_while_nothing_is_lost(worker: Worker, losses: Losses, seed: int, buffered: bool) -> None:
    """Buffers, batches, connections that come back in time, and restarts look like no loss."""
    fleet = Fleet(seed, slots=seed % 9 + 1, buffered=buffered)
    for _ in range(4):
        hear(losses, fleet.steps(500), fleet.random)
        losses.miss(make.T0)
        hear(losses, fleet.steps(500), fleet.random)
        hear(losses, fleet.rest(), fleet.random)
        fleet.begin()
    assert 0 == worker.lost


@pytest.mark.parametrize("buffered", [True, False])
@pytest.mark.parametrize("seed", range(20))
def test_what_was_lost_is_told(worker: Worker, losses: Losses, seed: int, buffered: bool) -> None:
    """As soon as the worker rests, every start that was cut out is counted, and nothing else."""
    fleet = Fleet(seed, slots=seed % 9 + 1, buffered=buffered)
    hear(losses, [*fleet.steps(300), *fleet.rest()], fleet.random)
    lost = fleet.steps(fleet.random.randint(20, 400))
    losses.miss(make.T0 + 60)
    hear(losses, [*fleet.steps(300), *fleet.rest()], fleet.random)
    assert (starts(lost), 1) == (worker.lost, len(worker.losses))


@pytest.mark.parametrize("seed", range(20))
def test_never_more_is_told_than_was_lost(worker: Worker, losses: Losses, seed: int) -> None:
    """A worker that never rests may hide some of what was lost behind what it is just beginning."""
    fleet = Fleet(seed, buffered=False)
    hear(losses, fleet.steps(500), fleet.random)
    lost = fleet.steps(200)
    losses.miss(make.T0 + 60)
    hear(losses, fleet.steps(2_000), fleet.random)
    assert starts(lost) - 2 * fleet.slots <= worker.lost <= starts(lost)


def mute(fleet: Fleet) -> list[make.Event]:
    """Its task events are switched off, and on again."""
    fleet.telling = False
    events = fleet.steps(300)
    fleet.telling = True
    return events


def secretive(fleet: Fleet) -> list[make.Event]:
    """It runs tasks that send no events, among others."""
    events: list[make.Event] = []
    for _ in range(30):
        fleet.processed += 1
        events += [*fleet.steps(20), *fleet.rest(2)]
    return events


def crowded(fleet: Fleet) -> list[make.Event]:
    """Another worker has the same name."""
    other = Fleet(1)
    other.steps(5_000)
    return [event for _ in range(20) for event in (*fleet.steps(30), fleet.beat(), *other.steps(40), other.beat())]


@pytest.mark.parametrize("habit", [mute, secretive, crowded])
@pytest.mark.parametrize("seed", range(5))
def test_odd_workers_make_no_alarm(
    worker: Worker, losses: Losses, habit: Callable[[Fleet], list[make.Event]], seed: int
) -> None:
    """Where a worker's count proves nothing, nothing is told, though the connection was away for a moment."""
    fleet = Fleet(seed)
    hear(losses, fleet.steps(300), fleet.random)
    hear(losses, habit(fleet), fleet.random)
    losses.miss(make.T0 + 60)
    hear(losses, [*habit(fleet), *fleet.rest()], fleet.random)
    assert 0 == worker.lost


class Drops:
    """A worker whose events are cut out while the connection holds; `questions` are those that it was asked."""

    def __init__(self, losses: Losses, seed: int, tells: bool | None) -> None:
        self.losses = losses
        self.fleet = Fleet(seed, slots=seed % 4 + 1)
        self.questions: list[str] = []
        self.until: list[float] = []

        def doubt(host: str, answer: Callable[[bool], None]) -> None:
            self.questions.append(host)
            if tells is not None:
                answer(tells)

        losses.on_doubt, losses.on_drop = doubt, self.until.append

    def play(self) -> int:
        """How many starts were cut out."""
        hear(self.losses, [*self.fleet.steps(300), *self.fleet.rest()], self.fleet.random)
        cut = self.fleet.steps(self.fleet.random.randint(20, 400))
        hear(self.losses, [*self.fleet.steps(300), *self.fleet.rest()], self.fleet.random)
        return starts(cut)


@pytest.mark.parametrize("seed", range(20))
def test_what_the_broker_dropped_is_told(worker: Worker, losses: Losses, seed: int) -> None:
    """Without a reconnect, too, every start that was cut out is counted, if the worker says that all its tasks tell."""
    drops = Drops(losses, seed, tells=True)
    number = drops.play()
    assert (number, [HOST], [make.T0]) == (worker.lost, drops.questions, drops.until)


@pytest.mark.parametrize("tells", [False, None])
def test_tasks_that_tell_nothing_are_no_loss(worker: Worker, losses: Losses, tells: bool | None) -> None:
    """A worker that has tasks without events, or does not answer, is asked once, and nothing is told."""
    drops = Drops(losses, 1, tells)
    drops.play()
    drops.play()
    losses.miss(make.T0)
    drops.play()
    assert (0, [HOST], []) == (worker.lost, drops.questions, drops.until)


@pytest.mark.parametrize("seed", range(5))
def test_events_that_were_switched_off_were_not_dropped(losses: Losses, seed: int) -> None:
    """The clock of a worker that tells nothing stands still, so it is not even asked."""
    drops = Drops(losses, seed, tells=True)
    hear(losses, drops.fleet.steps(300), drops.fleet.random)
    hear(losses, [*mute(drops.fleet), *drops.fleet.steps(300), *drops.fleet.rest()], drops.fleet.random)
    assert [] == drops.questions


def test_dropped_events_count_as_lost(worker: Worker, losses: Losses) -> None:
    """What the store could not take is counted by worker; of hosts that are no workers nothing is."""
    odd = ["nonsense", make.started("u3", hostname={"a": 1}), {}]
    losses.drop([make.started("u1"), make.received("u2"), make.sent("u2"), *odd], make.T0)
    assert (2, [[make.T0, make.T0, 2]]) == (worker.lost, worker.losses)


def test_losses_of_a_minute_are_one(worker: Worker) -> None:
    """Losses one after the other are told as one; those of another hour by themselves; a restart knows them."""
    for since, until, number in ((10.0, 20.0, 3), (30.0, 40.0, 4), (4000.0, 4010.0, 5)):
        worker.lose(number, since, until)
    again = Worker.restore(HOST, worker.facts())
    assert (12, [[10.0, 40.0, 7], [4000.0, 4010.0, 5]]) == (again.lost, again.losses)


def test_odd_events_are_passed_over(worker: Worker, losses: Losses) -> None:
    """Heartbeats without numbers, clocks of any type and things that are no events change nothing."""
    odd = [
        {"type": "worker-heartbeat", "hostname": HOST, "clock": "x"},
        {"type": "task-started", "hostname": {"a": 1}},
        3,
    ]
    losses.hear([make.heartbeat(), *odd, make.started("u", clock=None), make.heartbeat()], make.T0)
    assert 0 == worker.lost
