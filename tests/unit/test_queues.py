"""The list of queues: from where they are known, and what is told when the broker is silent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery import Celery
from kombu import Queue as KombuQueue

from flower import queues as module
from flower.inspector import Inspector
from flower.queues import Queue, Queues, broker_of
from flower.utils.broker import BrokerError, Head, RabbitMQ, RedisSentinel


class FakeBroker:
    """A broker that has these queues."""

    note: str | None = None
    names_seconds = 0.0
    unacknowledged: int | None = None

    def __init__(self, **infos: dict[str, Any]) -> None:
        self.infos = infos
        self.reads = 0
        self.failure: BrokerError | None = None

    async def names(self) -> list[str]:
        return list(self.infos)

    def expire(self) -> None:
        """Nothing is kept."""

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        return {name: [Head(task=f"head of {name}")] for name in names}

    async def queues(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.failure:
            raise self.failure
        return {name: self.infos[name] for name in names if name in self.infos}


class Scene:
    """Queues with a fake broker and fake facts."""

    def __init__(self, **infos: dict[str, Any]) -> None:
        self.broker = FakeBroker(**infos)
        self.capp = Celery(broker="memory://", set_as_current=False)
        self.inspector = Inspector(None, self.capp, 1.0)
        self.state: Any = SimpleNamespace(workers={}, queue_names=set(), started_at=0.0)
        self.queues = Queues(self.capp, self.inspector, cast(Any, self.state))
        self.queues._broker = self.broker  # type: ignore[assignment]

    def consumes(self, worker: str, *names: str, alive: bool | None = None) -> None:
        """Let a worker have said what it consumes; `alive` None: no event of it was seen."""
        self.inspector.workers[worker] = {"active_queues": [{"name": name} for name in names]}
        if alive is not None:
            self.state.workers[worker] = SimpleNamespace(alive=alive)

    async def names(self) -> list[str]:
        return [queue.name for queue in (await self.queues.read()).queues]

    async def one(self, name: str) -> Queue:
        return next(queue for queue in (await self.queues.read()).queues if queue.name == name)


async def test_default_queue() -> None:
    """The application's default queue is listed, whoever else knows it."""
    assert ["celery"] == await Scene().names()


async def test_declared_queues() -> None:
    """So are the queues of its settings."""
    scene = Scene()
    scene.capp.conf.task_queues = [KombuQueue("video"), KombuQueue("mail")]
    assert ["celery", "mail", "video"] == await scene.names()


async def test_named_queues() -> None:
    """So are those that the operator names."""
    scene = Scene()
    scene.queues.named = frozenset({"night"})
    assert ["celery", "night"] == await scene.names()


async def test_consumed_queue() -> None:
    """So are those that workers consume."""
    scene = Scene()
    scene.consumes("w1", "video")
    assert ["celery", "video"] == await scene.names()


async def test_queue_that_only_the_broker_knows() -> None:
    """So is a queue with messages that nobody consumes or declares."""
    assert ["celery", "nobody"] == await Scene(nobody={"messages": 5}).names()


async def test_queue_seen_on_tasks() -> None:
    """So are queues that tasks were sent to."""
    scene = Scene()
    scene.state.queue_names.add("seen")
    assert ["celery", "seen"] == await scene.names()


async def test_internal_queues() -> None:
    """Celery's own queues, and its empty ones of delayed delivery, are not."""
    infos = {
        "celeryev.1": {},
        "w1.celery.pidbox": {},
        "celery_delayed_1": {"messages": 0},
        "celery_delayed_2": {"messages": 1},
    }
    assert ["celery", "celery_delayed_2"] == await Scene(**infos).names()


async def test_counts() -> None:
    """What the broker tells is in the queue."""
    info = {"messages": 5, "messages_ready": 3, "messages_unacknowledged": 2, "consumers": 4, "idle_since": "today"}
    queue = await Scene(celery=info).one("celery")
    assert (5, 3, 2, 4, "today", info) == (
        queue.messages,
        queue.ready,
        queue.unacked,
        queue.connections,
        queue.idle_since,
        queue.info,
    )


async def test_unknown_count() -> None:
    """A queue that the broker does not know has no count, rather than zero."""
    assert (await Scene().one("celery")).messages is None


async def test_consumers() -> None:
    """The consumers of a queue are the workers that said so, but for those that died."""
    scene = Scene()
    scene.consumes("w3", "celery")
    scene.consumes("w1", "celery", alive=True)
    scene.consumes("w2", "celery", alive=False)
    assert ["w1", "w3"] == (await scene.one("celery")).consumers


async def test_failure() -> None:
    """A broker that fails leaves the known queues without counts, and the reason."""
    scene = Scene(celery={"messages": 1})
    scene.broker.failure = BrokerError("Redis at x does not answer")
    report = await scene.queues.read()
    assert ("Redis at x does not answer", [("celery", None)]) == (
        report.error,
        [(queue.name, queue.messages) for queue in report.queues],
    )


async def test_old_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that falls silent leaves the last counts, and when they were true."""
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    scene = Scene(celery={"messages": 7}, nobody={"messages": 5})
    before = await scene.queues.read()
    scene.broker.failure = BrokerError("Redis at x does not answer")
    report = await scene.queues.read()
    assert ("Redis at x does not answer", {"celery": 7, "nobody": 5}, before.counted_at) == (
        report.error,
        {queue.name: queue.messages for queue in report.queues},
        report.counted_at,
    )


async def test_old_consumers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are silent with their broker: that is not nobody who consumes."""
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    scene = Scene(celery={"messages": 7})
    scene.consumes("w1", "celery", alive=True)
    await scene.queues.read()
    scene.broker.failure = BrokerError("Redis at x does not answer")
    scene.state.workers["w1"].alive = False
    assert ["w1"] == (await scene.one("celery")).consumers


async def test_slow_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page does not wait for a slow broker, once there is something to show."""
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.0)
    scene, answer = Scene(celery={"messages": 7}), asyncio.Event()
    first = await scene.queues.look()

    async def wait() -> list[str]:
        await answer.wait()
        return []

    monkeypatch.setattr(scene.broker, "names", wait)
    assert first is await scene.queues.look()
    answer.set()


async def test_silent_workers() -> None:
    """Who is alive and did not say what it consumes is named."""
    scene = Scene()
    scene.consumes("w1", "celery", alive=True)
    scene.state.workers["w2"] = SimpleNamespace(alive=True)
    scene.state.workers["w3"] = SimpleNamespace(alive=False)
    report = await scene.queues.read()
    assert (("w2",), 2) == (report.untold, report.workers)


async def test_priorities() -> None:
    """Priority steps are told beside their sum."""
    info = {"messages": 5, "priorities": {0: 3, 9: 2}}
    assert {0: 3, 9: 2} == (await Scene(celery=info).one("celery")).priorities


async def test_wrong_url() -> None:
    """A broker URL that cannot be right is told, too."""
    scene = Scene()
    scene.queues._broker = None
    scene.capp.conf.broker_url = "redis://host/x"
    report = await scene.queues.read()
    assert "Database is int between 0 and limit - 1, not x" == report.error


async def test_note() -> None:
    """What the counts lack is passed on."""
    scene = Scene()
    scene.broker.note = "the management API does not answer"
    assert "the management API does not answer" == (await scene.queues.read()).note


async def test_readers_share_a_read() -> None:
    """Ten readers at once, and one after them, cost one read."""
    scene = Scene()
    await asyncio.gather(*(scene.queues.read() for _ in range(10)))
    await scene.queues.read()
    assert 1 == scene.broker.reads


async def test_expired_report() -> None:
    """After something was done to a queue it is read anew, also when a read is under way."""
    scene = Scene()
    reading = asyncio.ensure_future(scene.queues.read())
    for _ in range(5):
        await asyncio.sleep(0)
    scene.queues.expire()
    await reading
    await scene.queues.read()
    assert 2 == scene.broker.reads


async def test_old_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """An old report is not given again."""
    monkeypatch.setattr(module, "REPORT_SECONDS", 0.0)
    scene = Scene()
    await scene.queues.read()
    await scene.queues.read()
    assert 2 == scene.broker.reads


async def test_reader_that_leaves() -> None:
    """A reader that gives up does not take the answer from another."""
    scene = Scene(celery={"messages": 7})
    leaving = asyncio.ensure_future(scene.queues.read())
    staying = asyncio.ensure_future(scene.queues.read())
    await asyncio.sleep(0)
    leaving.cancel()
    assert [7] == [queue.messages for queue in (await staying).queues]


def test_active_names() -> None:
    """Flower 2's list is the consumed queues, or the declared ones while none is known."""
    scene = Scene()
    before = scene.queues.active_names()
    scene.consumes("w1", "video", "mail")
    assert (["celery"], ["mail", "video"]) == (before, scene.queues.active_names())


def test_broker_of_an_app() -> None:
    """The app's URL, transport options and API make the broker."""
    capp = Celery(broker="amqp://u:p@host/shop", set_as_current=False)
    broker = broker_of(capp, "http://a:b@api:1/api/")
    assert (RabbitMQ, "host", "shop", "http://api:1/api/") == (
        type(broker),
        broker.host,
        broker.vhost,
        getattr(broker, "address", None),
    )


def test_broker_of_an_app_with_sentinels() -> None:
    """All hosts of a list of URLs reach the broker."""
    capp = Celery(broker=["sentinel://a:1/2", "sentinel://b:2/2"], set_as_current=False)
    capp.conf.broker_transport_options = {"master_name": "m"}
    broker = broker_of(capp)
    assert isinstance(broker, RedisSentinel)
    assert [("a", 1), ("b", 2)] == broker.sentinels
