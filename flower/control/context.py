"""What operations work with: the application, threads for what blocks, and what is known of the cluster.

The base class knows nothing of the cluster and asks it: that is what a Python program has. The server's own
(`flower.operate`) answers from what it has seen.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ParamSpec, TypeVar

from celery import Celery

from flower.control.backend import Backend
from flower.control.errors import BrokerDown
from flower.control.waiting import Poller
from flower.utils import remote
from flower.utils.broker import reason
from flower.utils.executor import DaemonExecutor

REPLY_SECONDS = 3.0
"""How long a worker may take to reply: longer than for an inspection, for it has something to do."""
BLOCKING_SECONDS = 10.0
"""After which a blocking call is given up: its thread may hang as long as the driver lets it."""

P = ParamSpec("P")
T = TypeVar("T")
Replies = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a worker. `alive` is None when nobody listened for its heartbeats."""

    name: str
    alive: bool | None = None
    left: bool = False
    """Whether it said goodbye."""
    last_seen: float | None = None
    pid: int | None = None


def _pool(name: str, threads: int) -> Executor:
    return DaemonExecutor(threads, f"flower-{name}")


@dataclass(slots=True)
class Pools:
    """Threads, apart for what must not wait for each other; they never hold up the end of the process."""

    control: Executor = field(default_factory=lambda: _pool("control", 8))
    publish: Executor = field(default_factory=lambda: _pool("publish", 8))
    results: Executor = field(default_factory=lambda: _pool("results", 4))
    reading: Executor = field(default_factory=lambda: _pool("operate", 4))
    closed: bool = False


class Context:
    """One application and the ways to command it. Used on one event loop or on several, one after the other."""

    def __init__(self, capp: Celery, timeout: float = REPLY_SECONDS) -> None:
        self.capp = capp
        self.timeout = timeout
        self.pools = Pools()
        self.classic = False
        """Whether what Flower 2.x took is taken."""
        self.secret = secrets.token_bytes(32)
        """Signs the tokens that confirm destructive operations."""
        self.backend = Backend(capp)
        self.poller = Poller(self.backend, self.ended)

    def as_flower_2(self) -> Context:
        """The same context for a request that is to be taken as Flower 2.x took it."""
        twin = copy.copy(self)
        twin.classic = True
        return twin

    def close(self) -> None:
        """Leave the threads to end by themselves."""
        self.pools.closed = True
        self.poller.close()
        for pool in (self.pools.control, self.pools.publish, self.pools.results, self.pools.reading):
            pool.shutdown(wait=False, cancel_futures=True)

    async def call(self, pool: Executor, func: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a call that may block. Raises TimeoutError after `BLOCKING_SECONDS`."""
        future = asyncio.wrap_future(pool.submit(partial(func, *args, **kwargs)))
        try:
            return await asyncio.wait_for(future, BLOCKING_SECONDS)
        except asyncio.TimeoutError:  # not the same as TimeoutError before Python 3.11
            raise TimeoutError(f"no answer within {BLOCKING_SECONDS:.0f} s") from None

    async def ask(
        self,
        question: str,
        arguments: dict[str, Any],
        destination: Sequence[str] | None,
        expected: Sequence[str] | None = None,
        timeout: float | None = None,
    ) -> Replies:
        """Worker -> its reply to a remote control command. `expected`: whom to wait for when all are asked."""
        questions = {question: arguments}
        seconds = self.timeout if timeout is None else timeout
        try:
            answers = await self.call(
                self.pools.control, remote.ask, self.capp, questions, destination, seconds, expected=expected
            )
        except Exception as error:  # every driver has exceptions of its own
            raise BrokerDown(f"The broker does not answer: {reason(error)}", classic=UNAVAILABLE) from error
        return {name: reply if isinstance(reply, dict) else {"ok": reply} for name, reply in answers[question].items()}

    # What is known

    def worker(self, name: str) -> Seen | None:
        """The worker; None when there is none of this name."""
        return Seen(name)

    def live_workers(self) -> list[str] | None:
        """Names of the workers that are online; None when nobody listens."""
        return None

    def registered(self) -> dict[str, set[str]]:
        """Worker -> names of the tasks that it said it has."""
        return {}

    async def learn_registered(self) -> dict[str, set[str]]:
        """`registered`, after asking all workers."""
        replies = await self.ask("registered", {}, None, self.live_workers())
        return {name: task_names(reply.get("ok")) for name, reply in replies.items()}

    def refresh(self, workers: Sequence[str]) -> None:
        """Learn anew what was changed."""

    async def task(self, uuid: str) -> Mapping[str, Any] | None:
        """What is known of a task."""
        return None

    def told(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        """The task as whoever asks may see it."""
        return task

    def record(self, answer: dict[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
        """What the result backend keeps of that task, as whoever asks may see it."""
        return answer

    async def states(self, uuids: Sequence[str]) -> dict[str, str]:
        """The states of those tasks that are known."""
        return {}

    async def search(self, criteria: Mapping[str, str], limit: int) -> list[str]:
        """The uuids of unfinished tasks that match, at most `limit`."""
        return []

    async def queues(self) -> set[str]:
        """Names of all queues that are known."""
        return {str(self.capp.conf.task_default_queue)}

    def recount(self) -> None:
        """Queues are no longer as deep as they were."""

    async def adopt(self, task: Mapping[str, Any]) -> None:
        """Take in a task that was just sent."""

    def hears(self) -> bool:
        """Whether the ends of tasks are seen, so that waiting needs no result."""
        return False

    def ended(self, uuid: str) -> bool:
        """Whether a task was seen to end. Called in the thread that waits for results; may block."""
        return False


UNAVAILABLE = "Broker or result backend unavailable"


def task_names(registered: Any) -> set[str]:
    """The names in a worker's answer, which may have facts behind them: `tasks.sleep [rate_limit=0]`."""
    return {str(name).partition(" [")[0] for name in registered or ()}
