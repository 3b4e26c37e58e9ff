"""When to ask the workers, and when to forget them.

On the thread of the web loop, but for `appeared`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any

from tornado.ioloop import IOLoop, PeriodicCallback

from flower.cluster import Cluster
from flower.inspector import InspectError, tasks_of
from flower.utils import remote

logger = logging.getLogger(__name__)

GREETING_SECONDS = (0.5, 0.5, 1.0, 2.0)
"""Pauses before a worker that appears is asked. The first collects a fleet that restarts at once; the others are
for workers that are not listening yet: Celery says worker-online before it looks for its neighbours, for a second.
"""
STALE_SECONDS = 30.0
"""Age from which the facts of the workers are asked for again, while somebody looks."""
LOOK_SECONDS = 10.0
PURGE_SECONDS = 10.0
TELLING: dict[str, dict[str, Any]] = {"registered": {"taskinfoitems": ("send_events",)}}
TELLS = " [send_events=True]"
"""How a worker says that a task of it sends events."""


class Watch:
    """Asks all workers at the start, each that appears at once, and all again while a page is open.

    What they are working on becomes rows, so that a start in the middle of work shows it.
    `purge_seconds`: workers that are silent for longer are forgotten.
    """

    def __init__(
        self,
        cluster: Cluster,
        io_loop: IOLoop,
        executor: Executor,
        *,
        enable_events: bool = True,
        purge_seconds: float | None = None,
    ) -> None:
        self._cluster = cluster
        self._loop = io_loop
        self._executor = executor
        self._enable_events = enable_events
        self._purge_seconds = purge_seconds
        self._appeared: set[str] = set()
        self._doubts: dict[str, Callable[[bool], None]] = {}
        self._is_doubting = False
        self._asked_at = 0.0
        self._timers: list[PeriodicCallback] = []
        self._stopped = False
        cluster.events.on_workers = self.appeared
        cluster.events.losses.on_doubt = self.doubted
        cluster.inspector.on_facts.append(self._learned)

    def start(self) -> None:
        """Ask everybody, without waiting for answers."""
        self._ask_all()
        self._every(LOOK_SECONDS, self._refresh)
        if self._purge_seconds is not None:
            self._every(PURGE_SECONDS, self._purge)

    def stop(self) -> None:
        self._stopped = True
        for timer in self._timers:
            timer.stop()

    def appeared(self, names: list[str]) -> None:
        """Workers came online; called in the events thread."""
        if not self._stopped:
            self._loop.add_callback(self._greet_soon, names)

    def doubted(self, name: str, answer: Callable[[bool], None]) -> None:
        """It shall be known whether all tasks of a worker tell events; called in the events thread."""
        if not self._stopped:
            logger.info("%s counted more than was heard of it; it is asked for tasks that send no events", name)
            self._loop.add_callback(self._doubt, name, answer)

    async def _doubt(self, name: str, answer: Callable[[bool], None]) -> None:
        """Ask at once, or, while others are asked, together with all who are doubted meanwhile."""
        self._doubts[name] = answer
        if self._is_doubting:
            return
        self._is_doubting = True
        while self._doubts and not self._stopped:
            doubts, self._doubts = self._doubts, {}
            await self._in_thread(partial(self._ask_whether_all_tell, doubts))
        self._is_doubting = False

    def _ask_whether_all_tell(self, doubts: dict[str, Callable[[bool], None]]) -> None:
        """Blocks. Nobody is told of a worker that does not answer."""
        inspector = self._cluster.inspector
        answers = remote.ask(self._cluster.capp, TELLING, tuple(doubts), inspector.timeout)
        for name, answer in doubts.items():
            tasks = answers["registered"].get(name)
            if isinstance(tasks, list):
                answer(all(isinstance(task, str) and task.endswith(TELLS) for task in tasks))

    def _every(self, seconds: float, callback: Callable[[], None]) -> None:
        timer = PeriodicCallback(callback, seconds * 1000)
        timer.start()
        self._timers.append(timer)

    def _ask_all(self) -> None:
        self._asked_at = time.monotonic()
        self._cluster.inspector.inspect()

    def _refresh(self) -> None:
        if self._cluster.hub.listeners and time.monotonic() - self._asked_at >= STALE_SECONDS:
            self._ask_all()

    def _greet_soon(self, names: list[str]) -> None:
        if not self._appeared:
            self._loop.call_later(GREETING_SECONDS[0], self._greet_appeared)
        self._appeared.update(names)

    async def _greet_appeared(self) -> None:
        names, self._appeared = sorted(self._appeared), set()
        await self._greet(names, GREETING_SECONDS[1:])

    async def _greet(self, names: list[str], pauses: Sequence[float]) -> None:
        """Ask workers for their events and their facts; ask those that are silent once more after each pause."""
        if self._stopped or not names:
            return
        if self._enable_events:
            await self._in_thread(partial(self._cluster.capp.control.enable_events, destination=names))
        answered: set[str] = set()
        for question in self._cluster.inspector.inspect(names):
            with suppress(InspectError):
                answered.update(await question)
        silent = [name for name in names if name not in answered]
        if pauses:
            self._loop.call_later(pauses[0], self._greet, silent, pauses[1:])

    def _learned(self, worker: str, method: str, reply: Any) -> None:
        tasks = tasks_of(worker, method, reply, time.time())
        if tasks and not self._stopped:
            self._loop.add_callback(self._in_thread, partial(self._cluster.state.adopt, tasks))

    async def _in_thread(self, call: partial[Any]) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, call)
        except Exception as error:  # noqa: BLE001  # of any broker library; the connection's state tells of an outage
            logger.warning("%s failed: %s", getattr(call.func, "__name__", call.func), error)

    def _purge(self) -> None:
        gone = self._cluster.state.forget_workers(self._purge_seconds or 0)
        self._cluster.inspector.forget(gone)
        self._cluster.metrics.forget(gone)
