"""The samples of queues: what is remembered, what is stored, what is told to Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from flower import sampler as module
from flower.inspector import Inspector
from flower.queues import Queues
from flower.sampler import Sampler
from flower.state import State
from flower.store import open_store
from flower.store.depths import DepthQuery
from flower.utils.broker import BrokerError, Head
from flower.utils.families import Key
from tests import factories as make
from tests.unit.test_queues import FakeBroker


class Scene:
    """A sampler with a fake broker, whose reports are never kept."""

    def __init__(self, state: State, **infos: dict[str, Any]) -> None:
        self.state = state
        self.broker = FakeBroker(**infos)
        capp = Celery(broker="memory://", set_as_current=False)
        self.inspector = Inspector(None, capp, 1.0)
        self.queues = Queues(capp, self.inspector, state)
        self.queues._broker = self.broker  # type: ignore[assignment]
        self.sampler = Sampler(self.queues, state)
        state.started_at = 0.0

    async def sample(self, times: int = 1) -> None:
        for _ in range(times):
            self.queues._fresh_until = 0.0
            await self.sampler.sample()

    def stored(self) -> dict[str, Any]:
        self.state.flush()
        now = time.time()
        return self.state.store.depths_of(DepthQuery(now - 60, now + 1), now)

    def metrics(self) -> dict[str, list[tuple[Key, float]]]:
        return {metric.name: list(samples) for metric, samples in self.sampler.metrics()}


@pytest.fixture
def state() -> Iterator[State]:
    state = State(open_store())
    yield state
    state.stop()


async def test_samples_are_stored(state: State) -> None:
    """Each queue has a row with its numbers, and none for what the broker does not tell."""
    scene = Scene(state, mail={"messages": 5, "messages_ready": 3, "messages_unacknowledged": 2, "consumers": 4})
    await scene.sample()
    found = scene.stored()
    assert ([(3, 2, 4)], [(None, None, 0)]) == ([p[1:] for p in found["mail"]], [p[1:] for p in found["celery"]])


async def test_consumers_are_not_known_at_once(state: State) -> None:
    """Just after the start nobody has been heard: that is not nobody who consumes."""
    scene = Scene(state, mail={"messages": 5})
    state.started_at = time.time()
    await scene.sample()
    assert [(5, None, None)] == [point[1:] for point in scene.stored()["mail"]]


async def test_silent_broker(state: State) -> None:
    """A broker that does not answer leaves a gap, not its old numbers."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample()
    scene.broker.failure = BrokerError("away")
    await scene.sample(3)
    assert 1 == len(scene.sampler.track("mail").points)


async def test_memory(state: State) -> None:
    """The last half hour of a queue is at hand without asking the store."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample(2)
    scene.broker.infos["mail"]["messages"] = 9
    await scene.sample()
    values = scene.sampler.track("mail").values(time.time(), 10)
    assert ([None] * 9 + [9], [5, 5, 9]) == (values, [ready for _, ready in scene.sampler.track("mail").points])


async def test_too_many_queues(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many queues the declared ones are sampled, then the deepest; how many are left out is known."""
    monkeypatch.setattr(module, "MOST_QUEUES", 2)
    scene = Scene(state, celery={"messages": 0}, a={"messages": 1}, b={"messages": 2})
    await scene.sample()
    assert ({"celery", "b"}, 1) == (set(scene.stored()), scene.sampler.left_out)


async def test_vanished_queue(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that is gone is forgotten in the end."""
    monkeypatch.setattr(module, "MEMORY_SECONDS", 0)
    scene = Scene(state, mail={"messages": 1})
    await scene.sample()
    del scene.broker.infos["mail"]
    await scene.sample()
    assert "mail" not in scene.sampler.tracks


async def test_restart(state: State) -> None:
    """After a restart the half hour before it is known."""
    now = time.time()
    state.store.depths.add(now - 100, [("mail", 7, None, 1), ("video", None, None, 1)])
    state.flush()
    scene = Scene(state)
    await scene.sampler.recall()
    assert ([7], []) == tuple([ready for _, ready in scene.sampler.track(name).points] for name in ("mail", "video"))


async def test_rates_from_events(state: State) -> None:
    """What was sent to a queue and taken from it is counted from events."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample()
    state.apply([make.sent(f"u{n}", queue="mail") for n in range(20)] + [make.received("u1")])
    track = scene.sampler.track("mail")
    at = track.flows[-1][0]
    track.flows.append((at + 10, state.sent["mail"], state.taken["mail"]))
    assert (2.0, 0.1) == track.rates


async def test_unknown_rates(state: State) -> None:
    """Without such events nothing is said, rather than zero."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample(2)
    assert (None, None) == scene.sampler.track("mail").rates


async def test_rates_of_the_broker(state: State) -> None:
    """RabbitMQ's own counts go before those of events; where it counts and nothing happened they are zero."""
    base = {"messages": 1, "consumers": 1, "vhost": "/"}
    scene = Scene(state, mail={**base, "message_stats": {"publish": 40, "deliver_get": 7}}, video=base)
    state.apply([make.sent("u", queue="mail")])
    await scene.sample(2)
    for name in ("mail", "video"):
        flows = scene.sampler.track(name).flows
        flows[0] = flows[-1][0] - 10, 0, 0
    assert ((4.0, 0.7), (0.0, 0.0)) == (scene.sampler.track("mail").rates, scene.sampler.track("video").rates)


async def test_rates_after_a_restart_of_the_broker(state: State) -> None:
    """Counts that begin anew are no negative rate."""
    scene = Scene(state, mail={"messages": 1, "consumers": 1, "vhost": "/", "message_stats": {"publish": 4}})
    await scene.sample()
    flows = scene.sampler.track("mail").flows
    flows[0] = flows[0][0] - 10, 1000, 1000
    await scene.sample()
    assert (0.0, 0.0) == scene.sampler.track("mail").rates


async def test_oldest_by_its_event(state: State) -> None:
    """The task at the head of the queue tells since when the oldest message waits."""
    scene = Scene(state, mail={"messages": 5})
    state.apply([make.sent("head of mail", queue="mail")])
    await scene.sample()
    oldest = scene.sampler.track("mail").oldest
    assert oldest is not None
    assert (make.T0, True, "head of mail") == (oldest.since, oldest.known, oldest.task)


async def test_oldest_that_nobody_announced(state: State) -> None:
    """A head without an event waits at least since it was seen first."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample()
    first = scene.sampler.track("mail").oldest
    await scene.sample()
    assert first is not None
    assert not first.known
    assert first == scene.sampler.track("mail").oldest


async def test_oldest_of_an_emptied_queue(state: State) -> None:
    """An empty queue has no oldest message."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample()
    scene.broker.infos["mail"]["messages"] = 0
    await scene.sample()
    assert scene.sampler.track("mail").oldest is None


async def test_oldest_that_the_broker_tells(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that knows the time is believed."""
    scene = Scene(state, mail={"messages": 5})

    async def heads(_: Any) -> dict[str, list[Head]]:
        return {"mail": [Head(since=2000.0), Head(since=1000.0)]}

    monkeypatch.setattr(scene.broker, "heads", heads)
    await scene.sample()
    oldest = scene.sampler.track("mail").oldest
    assert oldest is not None
    assert (1000.0, True) == (oldest.since, oldest.known)


async def test_metrics(state: State) -> None:
    """The last sample is told to Prometheus, whatever is in a name."""
    scene = Scene(state, **{'a"\n\\': {"messages": 5, "messages_unacknowledged": 2, "consumers": 4}})
    await scene.sample()
    key = ('a"\n\\',)
    told = scene.metrics()
    assert ((key, 5.0), [(key, 2.0)], (key, 4.0)) == (
        told["flower_queue_ready_messages"][0],
        told["flower_queue_unacked_messages"],
        told["flower_queue_consumers"][0],
    )


async def test_metrics_of_messages_held(state: State) -> None:
    """Where only the sum of what workers hold is known, it is told without a queue."""
    scene = Scene(state, mail={"messages": 5})
    scene.broker.unacknowledged = 7
    await scene.sample()
    assert [((), 7.0)] == scene.metrics()["flower_broker_unacked_messages"]


async def test_metrics_of_a_silent_broker(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old number is not told as the present one."""
    scene = Scene(state, mail={"messages": 5})
    await scene.sample()
    monkeypatch.setattr(module, "FRESH_SECONDS", -1.0)
    assert [[]] * 5 == list(scene.metrics().values())


async def test_failing_sample(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in a sample, the next one is taken."""
    scene = Scene(state)

    async def fail() -> None:
        raise RuntimeError("a driver has a bad day")

    monkeypatch.setattr(scene.queues, "read", fail)
    await scene.sampler._guarded(scene.sampler.sample())
    assert 1 == scene.sampler.failures


async def test_start_and_stop(state: State) -> None:
    """It runs until it is stopped, and starting it twice changes nothing."""
    scene = Scene(state)
    scene.sampler.start()
    task = scene.sampler._task
    scene.sampler.start()
    assert task is scene.sampler._task is not None
    scene.sampler.stop()
