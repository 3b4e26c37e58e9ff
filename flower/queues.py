"""The queues of the cluster: all that are consumed, declared, present in the broker or seen on tasks.

Lives on the web loop. One read at a time, shared by all who ask, and kept for two seconds. While the broker does
not answer, the last numbers that it told are kept, and are said to be old.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from celery import Celery

from flower.inspector import Inspector
from flower.state import State
from flower.utils.broker import Broker, BrokerBase, BrokerError, Head, is_internal

REPORT_SECONDS = 2.0
LOOK_SECONDS = 0.4
"""How long a page waits for a broker before it shows what was known last."""

SETTLE_SECONDS = 15.0
"""After the start: until then workers may live of which nothing was heard yet."""

DELAYED = "celery_delayed_"
"""Celery's queues of delayed delivery on RabbitMQ; there are 28, so the empty ones are left out."""


@dataclass(frozen=True, slots=True)
class Queue:
    """One queue. None says that the broker did not tell.

    `consumers` are the live workers that said they consume it, `connections` is the broker's
    own count of consumers. `declared`: by the application's settings or by option. `priorities`: messages by priority
    step, where there are several. `info` is the broker's answer.
    """

    name: str
    messages: int | None = None
    ready: int | None = None
    unacked: int | None = None
    consumers: list[str] = field(default_factory=list)
    connections: int | None = None
    idle_since: str | None = None
    declared: bool = False
    priorities: dict[int, int] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def consumed(self) -> bool:
        """Whether anybody is known to consume it."""
        return bool(self.consumers or self.connections)


@dataclass(frozen=True, slots=True)
class QueueReport:
    """All queues, by name, as they were `at`.

    `error`: why nothing could be counted; all else is then as it was at `counted_at`. `note`: what the counts
    lack, and why. `unacked`: messages of all queues together that workers hold, where only that is known (Redis).
    `untold`: live workers that have not said what they consume. `workers`: how many are alive. `settled`: whether
    there was time enough for them to be heard.
    """

    queues: list[Queue]
    error: str | None
    at: float
    note: str | None = None
    unacked: int | None = None
    counted_at: float | None = None
    untold: tuple[str, ...] = ()
    workers: int = 0
    settled: bool = True

    def find(self, name: str) -> Queue | None:
        """The queue of that name."""
        return next((queue for queue in self.queues if queue.name == name), None)


class Queues:
    """Reads the queues of an application's broker."""

    def __init__(
        self,
        capp: Celery,
        inspector: Inspector,
        state: State,
        broker_api: str | None = None,
        executor: Executor | None = None,
        named: Iterable[str] = (),
    ) -> None:
        self.capp = capp
        self.inspector = inspector
        self.state = state
        self.broker_api = broker_api
        self.executor = executor
        self.named = frozenset(named)
        """Queues that somebody asked to see, found or not."""
        self._broker: BrokerBase | None = None
        self._present: list[str] = []
        self._present_until = 0.0
        self._report: QueueReport | None = None
        self._fresh_until = 0.0
        self._changes = 0
        self._reading: asyncio.Task[QueueReport] | None = None

    async def read(self) -> QueueReport:
        """The report, at most two seconds old."""
        if self._report is not None and time.monotonic() < self._fresh_until:
            return self._report
        if self._reading is None:
            self._reading = asyncio.ensure_future(self._read())
        return await asyncio.shield(self._reading)

    @property
    def last(self) -> QueueReport | None:
        """The last report, however old."""
        return self._report

    async def look(self) -> QueueReport:
        """The report for those who cannot wait long: when the broker is slow, the last one."""
        reading = asyncio.ensure_future(self.read())
        if self._report is not None:
            await asyncio.wait({reading}, timeout=LOOK_SECONDS)
        return await reading if reading.done() or self._report is None else self._report

    def expire(self) -> None:
        """Something was done to a queue: the next read asks the broker, whatever is at hand."""
        self._fresh_until = 0.0
        self._changes += 1
        if self._broker is not None:
            self._broker.expire()

    def active_names(self) -> list[str]:
        """Names of the queues that workers consume, else those that the application declares."""
        return sorted(self.consumers()) or sorted(self.declared())

    def consumers(self) -> dict[str, list[str]]:
        """Queue name -> names of the live workers that consume it."""
        found: dict[str, list[str]] = {}
        for name, facts in list(self.inspector.workers.items()):
            worker = self.state.workers.get(name)
            if worker is not None and not worker.alive:
                continue
            for queue in facts.get("active_queues") or ():
                found.setdefault(queue["name"], []).append(name)
        return {queue: sorted(workers) for queue, workers in found.items()}

    def alive(self) -> list[str]:
        """Names of the live workers."""
        return [name for name, worker in list(self.state.workers.items()) if worker.alive]

    @property
    def tells_heads(self) -> bool:
        """Whether the broker can tell what is at the head of a queue."""
        try:
            return self.broker().tells_heads
        except (BrokerError, ValueError):
            return False

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        """What is at the head of these queues, as far as the broker tells. Raises BrokerError and ValueError."""
        return await self.broker().heads(names)

    def declared(self) -> set[str]:
        """Names of the queues in the application's settings, and of those that are to be seen."""
        conf = self.capp.conf
        queues = conf.task_queues or ()
        names = {queue if isinstance(queue, str) else str(queue.name) for queue in queues}
        return names | {str(conf.task_default_queue)} | self.named

    def broker(self) -> BrokerBase:
        """The broker of the application, made once. BrokerError or ValueError when its URL is wrong."""
        if self._broker is None:
            self._broker = broker_of(self.capp, self.broker_api, self.executor)
        return self._broker

    async def _read(self) -> QueueReport:
        changes = self._changes
        try:
            self._report = await self._ask()
            if changes == self._changes:
                self._fresh_until = time.monotonic() + REPORT_SECONDS
            return self._report
        finally:
            self._reading = None

    async def _ask(self) -> QueueReport:
        consumers, declared = self.consumers(), self.declared()
        known = {*consumers, *declared, *self.state.queue_names}
        try:
            broker = self.broker()
            known.update(await self._names(broker))
            infos = await broker.queues(sorted(known))
        except (BrokerError, ValueError) as failure:
            return self._old(str(failure), known, declared)
        names, now, alive = self._shown(known, infos), time.time(), self.alive()
        return QueueReport(
            [_queue(name, infos.get(name, {}), consumers.get(name, []), name in declared) for name in names],
            None,
            now,
            broker.note,
            broker.unacknowledged,
            now,
            tuple(name for name in alive if "active_queues" not in self.inspector.workers.get(name, {})),
            len(alive),
            now - self.state.started_at > SETTLE_SECONDS,
        )

    def _old(self, error: str, known: set[str], declared: set[str]) -> QueueReport:
        """What was counted last: without a broker no worker is heard either."""
        last = self._report
        if last is None or last.counted_at is None:
            names = self._shown(known, {})
            queues = [_queue(name, {}, [], name in declared) for name in names]
            return QueueReport(queues, error, time.time(), settled=False)
        return replace(last, error=error, at=time.time())

    async def _names(self, broker: BrokerBase) -> list[str]:
        if time.monotonic() >= self._present_until:
            self._present = await broker.names()
            self._present_until = time.monotonic() + broker.names_seconds
        return self._present

    def _shown(self, names: Iterable[str], infos: dict[str, dict[str, Any]]) -> list[str]:
        prefix = str(self.capp.conf.event_queue_prefix)
        return sorted(
            name
            for name in names
            if not is_internal(name, prefix)
            and not (name.startswith(DELAYED) and not infos.get(name, {}).get("messages"))
        )


def _queue(name: str, info: dict[str, Any], consumers: list[str], declared: bool) -> Queue:
    return Queue(
        name=name,
        messages=info.get("messages"),
        ready=info.get("messages_ready", info.get("messages")),
        unacked=info.get("messages_unacknowledged"),
        consumers=consumers,
        connections=info.get("consumers"),
        idle_since=info.get("idle_since"),
        declared=declared,
        priorities=info.get("priorities", {}),
        info=info,
    )


def broker_of(capp: Celery, broker_api: str | None = None, executor: Executor | None = None) -> BrokerBase:
    """The broker from which the application's workers read."""
    connection = capp.connection_for_read()
    url = capp.conf.broker_read_url or connection.as_uri(include_password=True)
    if not isinstance(url, str):
        url = ";".join(url)
    return Broker(
        url,
        broker_api or None,
        broker_options=capp.conf.broker_transport_options,
        broker_use_ssl=capp.conf.broker_use_ssl,
        login_method=connection.login_method,
        executor=executor,
    )
