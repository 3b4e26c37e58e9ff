"""What workers say about themselves when they are asked.

Lives on the web loop: `inspect` is called there, and facts are learned there. The asking is done
in daemon threads, a few at a time, so that it never holds up the loop or the end of the process.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

from celery import Celery
from tornado.ioloop import IOLoop

from flower.utils import remote
from flower.utils.broker import reason
from flower.utils.executor import DaemonExecutor
from flower.utils.inspected import tasks_of, with_tasks, without_secrets, without_time_limits
from flower.utils.masking import mask
from flower.utils.redaction import Redactor

__all__ = ("InspectError", "Inspector", "tasks_of")

logger = logging.getLogger(__name__)

ITEMS = ("exchange", "routing_key", "rate_limit", "soft_time_limit", "time_limit")
"""What workers tell of each task that they have: what they do anyhow, and its time limits."""
ARGUMENTS: dict[str, dict[str, Any]] = {
    "active": {"safe": True},
    "conf": {"with_defaults": False},
    "registered": {"taskinfoitems": ITEMS},
}
MAX_CONCURRENCY = 4
MAX_WORKERS = 5000

Answer = dict[str, Any]
TimeLimits = dict[str, tuple[float | None, float | None]]
Key = tuple[tuple[str, ...] | None, str]


class InspectError(Exception):
    """The workers could not be asked; the text says why."""


@dataclass(slots=True)
class _Inquiry:
    """What one thread asks: of whom, and who waits for which answer."""

    destination: tuple[str, ...] | None
    futures: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)


class Inspector:
    """Asks workers and keeps their answers. `timeout` is in seconds.

    `workers`: name -> method -> its newest answer, and `timestamp`; `learned`: name -> method -> when.
    `time_limits`: name -> task -> its own soft and hard limit, in seconds, of those that have one.
    `failures`: name -> why the last inspection of that worker is incomplete. `error`: why the
    last one could not be made at all. Passwords are masked, and so are secrets in arguments of tasks.
    """

    inspect_methods = ("stats", "active_queues", "registered", "conf")
    task_inspect_methods = ("scheduled", "active", "reserved", "revoked")
    methods = inspect_methods + task_inspect_methods

    def __init__(
        self,
        io_loop: IOLoop | asyncio.AbstractEventLoop | None,
        capp: Celery,
        timeout: float,
        executor: Executor | None = None,
        max_concurrency: int | None = None,
        redactor: Redactor | None = None,
    ) -> None:
        self.io_loop = io_loop
        self.capp = capp
        self.timeout = timeout
        self.redactor = redactor or Redactor(())
        self.executor = executor or DaemonExecutor(max_concurrency or MAX_CONCURRENCY, "flower-inspect")
        self.workers: dict[str, dict[str, Any]] = {}
        self.learned: dict[str, dict[str, float]] = {}
        self.failures: dict[str, str] = {}
        self.time_limits: dict[str, TimeLimits] = {}
        self.error: str | None = None
        self.on_facts: list[Callable[[str, str, Any], None]] = []
        self._asked: dict[Key, asyncio.Future[Answer]] = {}

    def methods_to_inspect(self, workername: str | Iterable[str] | None = None) -> tuple[str, ...]:
        """All methods for named workers; for all workers only those whose answers are small."""
        return self.methods if workername else self.inspect_methods

    def inspect(
        self, workername: str | Sequence[str] | None = None, methods: Iterable[str] | None = None
    ) -> list[asyncio.Future[Answer]]:
        """Ask one worker, several or all; a future for each method, with worker -> answer.

        A question that is under way is shared. The futures raise InspectError when the broker fails.
        """
        names = [workername] if isinstance(workername, str) else workername
        destination = tuple(sorted(set(names))) if names else None
        inquiry = _Inquiry(destination)
        asked = []
        for method in methods or self.methods_to_inspect(destination):
            future = self._asked.get((destination, method))
            if future is None:
                future = self._asked[destination, method] = inquiry.futures[method] = self._loop.create_future()
                future.add_done_callback(_mark_seen)
            # A reader that gives up must not take the answer from the others.
            shared = asyncio.shield(future)
            shared.add_done_callback(_mark_seen)
            asked.append(shared)
        if inquiry.futures:
            self._ask(inquiry)
        return asked

    def forget(self, names: Iterable[str]) -> None:
        """Drop what is known of workers that are gone."""
        for name in names:
            self.workers.pop(name, None)
            self.learned.pop(name, None)
            self.failures.pop(name, None)
            self.time_limits.pop(name, None)

    @property
    def _loop(self) -> asyncio.AbstractEventLoop:
        if self.io_loop is None:
            return asyncio.get_running_loop()
        if isinstance(self.io_loop, asyncio.AbstractEventLoop):
            return self.io_loop
        loop: asyncio.AbstractEventLoop = self.io_loop.asyncio_loop  # type: ignore[attr-defined]
        return loop

    def _ask(self, inquiry: _Inquiry) -> None:
        questions = {method: ARGUMENTS.get(method, {}) for method in inquiry.futures}
        loop = self._loop
        work = self.executor.submit(remote.ask, self.capp, questions, inquiry.destination, self.timeout)
        work.add_done_callback(lambda done: _tell(loop, self._finish, inquiry, done))

    def _finish(self, inquiry: _Inquiry, work: Future[remote.Answers]) -> None:
        for method in inquiry.futures:
            self._asked.pop((inquiry.destination, method), None)
        error = work.exception()
        try:
            if error is None:
                self.error = None
                self._learn(inquiry, work.result())
            else:
                self._fail(inquiry, error)
        finally:
            for method, future in inquiry.futures.items():
                if future.done():
                    continue
                if error is None:
                    future.set_result(work.result()[method])
                else:
                    future.set_exception(InspectError(self.error))

    def _learn(self, inquiry: _Inquiry, answers: remote.Answers) -> None:
        now = time.time()
        missing: dict[str, list[str]] = {name: [] for name in inquiry.destination or tuple(self.workers)}
        refused: dict[str, str] = {}
        for method, replies in answers.items():
            for name in missing.keys() - replies.keys():
                missing[name].append(method)
            for name, reply in replies.items():
                missing.setdefault(name, [])
                if isinstance(reply, dict) and reply.keys() == {"error"}:
                    refused[name] = f"{method} failed at the worker: {reply['error']}"
                else:
                    self._keep(name, method, reply, now)
        for name, methods in missing.items():
            why = refused.get(name) or self._silence(methods, len(answers))
            if why:
                self.failures[name] = why
            else:
                self.failures.pop(name, None)
        self._shrink()

    def _keep(self, name: str, method: str, reply: Any, now: float) -> None:
        if method == "stats" and isinstance(reply, dict) and isinstance(reply.get("broker"), dict):
            broker = {key: value for key, value in reply["broker"].items() if key != "alternates"}
            reply = {**reply, "broker": mask(broker)}
        elif method == "conf":
            reply = mask(reply)
        elif method == "registered" and isinstance(reply, list):
            reply, self.time_limits[name] = without_time_limits(reply)
        elif self.redactor:
            reply = with_tasks(method, reply, lambda request: without_secrets(request, self.redactor))
        self.workers.setdefault(name, {}).update({method: reply, "timestamp": now})
        self.learned.setdefault(name, {})[method] = now
        for callback in self.on_facts:
            callback(name, method, reply)

    def _silence(self, methods: list[str], asked: int) -> str | None:
        if not methods:
            return None
        to = "" if len(methods) == asked else f" to {', '.join(methods)}"
        return f"no reply{to} within {self.timeout:.1f} s: busy, or remote control is off"

    def _fail(self, inquiry: _Inquiry, error: BaseException) -> None:
        self.error = f"the broker does not answer: {reason(error)}"
        logger.warning("Workers could not be inspected: %s", self.error)
        for name in inquiry.destination or tuple(self.workers):
            self.failures[name] = self.error

    def _shrink(self) -> None:
        excess = len(self.workers) - MAX_WORKERS
        if excess > 0:
            self.forget(sorted(self.workers, key=lambda name: float(self.workers[name]["timestamp"]))[:excess])


def _tell(loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *args: Any) -> None:
    """Run `callback` on the loop, unless the process is ending."""
    try:
        loop.call_soon_threadsafe(callback, *args)
    except RuntimeError:
        logger.debug("The loop ended before an inspection did")


def _mark_seen(future: asyncio.Future[Answer]) -> None:
    """A failure is in `error`, too: nobody has to wait for the futures."""
    if not future.cancelled():
        future.exception()
