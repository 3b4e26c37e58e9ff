"""After events were missed: what has become of the tasks that were unfinished then.

Workers are asked what they still have. Of tasks that they no longer know the result backend is asked, a few at a
time; what it does not know either is marked as unknown, and nothing is made up. On the thread of the web loop;
what blocks is done in the executor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from datetime import datetime, timezone
from math import inf, nextafter
from typing import Any

from tornado.ioloop import IOLoop

from flower.cluster import Cluster
from flower.control.backend import Backend, Meta
from flower.control.errors import NoBackend
from flower.control.results import exception_of
from flower.inspector import InspectError
from flower.store import FINAL_STATES
from flower.store.merge import View
from flower.utils.coercion import text
from flower.utils.inspected import ids_of

logger = logging.getLogger(__name__)

SETTLE_SECONDS = 3.0
"""Until workers have shown themselves, and what waited in the broker is taken in."""
TASKS_MOST = 5_000
WORKERS_MOST = 200
CHUNK, PAUSE_SECONDS = 50, 0.5
"""A hundred records a second are read."""
METHODS = ("active", "reserved", "scheduled")
NOT_HELD = FINAL_STATES | {"PENDING", "RETRY", "REJECTED"}
"""States of tasks that no worker has in hand."""
MOMENTS = {"SUCCESS": "succeeded", "FAILURE": "failed", "REVOKED": "revoked"}
BACKEND = "the result backend"


class CatchUp:
    """Looks after the unfinished tasks of a cluster, each time that events were missed."""

    def __init__(self, cluster: Cluster, backend: Backend, io_loop: IOLoop, executor: Executor) -> None:
        self._cluster = cluster
        self._backend = backend
        self._loop = io_loop
        self._executor = executor
        self._task: asyncio.Task[None] | None = None
        self._again: float | None = None
        """Until when events were dropped while tasks were looked after."""
        cluster.events.on_connected = self.begin
        cluster.events.losses.on_drop = self.resume

    def begin(self, since: float) -> None:
        """Events are heard again `since` then. Called in the events thread."""
        self._loop.add_callback(self._begin, since)

    def resume(self, since: float) -> None:
        """Events were dropped until then. Called in the events thread."""
        self._loop.add_callback(self._resume, since)

    def stop(self) -> None:
        self._again = None
        if self._task is not None:
            self._task.cancel()

    def _begin(self, since: float) -> None:
        self.stop()
        self._task = asyncio.ensure_future(self._guarded(since))

    def _resume(self, since: float) -> None:
        """Where events go on being dropped, one search is not ended by the next."""
        if self._task is None or self._task.done():
            self._begin(since)
        else:
            self._again = since

    async def _guarded(self, since: float) -> None:
        await self._run(since)
        while self._again is not None:
            since, self._again = self._again, None
            await self._run(since)

    async def _run(self, since: float) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        try:
            await self.run(since)
        except Exception:
            logger.exception("What happened while nothing could be heard could not be found out")

    async def run(self, since: float) -> None:
        """Find the ends of the tasks of which the last word is older than `since`."""
        open_tasks = self._unfinished(since)
        gone = await self._gone(open_tasks) if open_tasks else []
        # One that went from one list to the next while its worker was asked is heard of meanwhile.
        await asyncio.sleep(SETTLE_SECONDS)
        found = 0
        for start in range(0, len(gone), CHUNK):
            chunk = gone[start : start + CHUNK]
            metas = await self._records([task["uuid"] for task in chunk])
            found += sum(self._conclude(task, metas.get(task["uuid"]) or {}) for task in chunk)
            await asyncio.sleep(PAUSE_SECONDS)
        if gone:
            logger.info(
                "%d tasks ended while nothing could be heard; the result backend knew %d of them", len(gone), found
            )

    def _unfinished(self, since: float) -> list[View]:
        """Copies of the newest tasks that workers had then."""
        state, now = self._cluster.state, self._cluster.state.clock()
        with state.lock:
            online = set([name for name, worker in state.workers.items() if worker.status(now)][:WORKERS_MOST])
            old = [
                dict(task)
                for task in state.open_tasks.values()
                if task["state"] not in NOT_HELD and task.get("worker") in online and task["timestamp"] < since
            ]
        return old[-TASKS_MOST:]

    async def _gone(self, tasks: Iterable[View]) -> list[View]:
        """Those that their workers, asked just now, do not have."""
        names = sorted({task["worker"] for task in tasks})
        held: dict[str, set[str]] = {name: set() for name in names}
        silent: set[str] = set()
        for method, question in zip(METHODS, self._cluster.inspector.inspect(names, METHODS), strict=True):
            answers: Mapping[str, Any] = {}
            with suppress(InspectError):
                answers = await question
            for name in names:
                if isinstance(answers.get(name), list):
                    held[name] |= ids_of(method, answers[name])
                else:
                    silent.add(name)
        return [task for task in tasks if task["worker"] not in silent and task["uuid"] not in held[task["worker"]]]

    async def _records(self, uuids: Sequence[str]) -> dict[str, Meta]:
        """What the result backend has of them; nothing where there is none, or none that can be asked."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._read, uuids)
        except NoBackend as error:
            logger.debug("No record was read: %s", error)
            return {}

    def _read(self, uuids: Sequence[str]) -> dict[str, Meta]:
        return self._backend.read(uuids) if self._backend.keeps() else {}

    def _conclude(self, task: View, meta: Meta) -> bool:
        """Add what is known of a task's end, unless something was heard of it meanwhile; whether its end is known."""
        state = self._cluster.state
        end = end_of(task, meta)
        mark: View = {"told_by": BACKEND} if end else {"unheard": state.clock()}
        extra = {**mark, **(task.get("extra") or {}), **mark}
        # The least bit later than what was noted before, so that it goes before that (`flower.store.merge`).
        custom = task.get("custom") and nextafter(task["custom"], inf)
        with state.lock:
            known = state.open_tasks.get(task["uuid"])
            if known is None or known["timestamp"] != task["timestamp"] or known["state"] != task["state"]:
                return False
            state.note({"uuid": task["uuid"], "custom": custom, "extra": extra, **end})
        return bool(end)


def end_of(task: View, meta: Meta) -> View:
    """The end of a task as its record in the result backend has it; empty when that has none."""
    state, value = str(meta.get("status")), meta.get("result")
    moment = MOMENTS.get(state)
    if moment is None:
        return {}
    at = max(_time_of(meta.get("date_done")) or 0.0, task.get("started") or task["timestamp"])
    end: View = {"timestamp": at, moment: at}
    if state == "SUCCESS":
        end["result"] = text(repr(value))
    elif state == "FAILURE":
        end |= {"exception": text(exception_of(value)), "traceback": text(meta.get("traceback"))}
    return end


def _time_of(done: Any) -> float | None:
    """Celery writes UTC, with or without saying so."""
    if isinstance(done, str):
        with suppress(ValueError):
            done = datetime.fromisoformat(done)
    if not isinstance(done, datetime):
        return None
    return (done if done.tzinfo else done.replace(tzinfo=timezone.utc)).timestamp()
