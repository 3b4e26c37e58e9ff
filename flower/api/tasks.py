"""`/api/tasks`, `/api/task/...`: reading tasks."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

from tornado.iostream import StreamClosedError

from flower.api import BaseApiHandler
from flower.api.control import CLASSES, BaseTaskHandler, TaskRevoke
from flower.api.queues import GetQueueLengths
from flower.control.functions import (
    get_task_result,
    task_abort,
    task_apply,
    task_async_apply,
    task_rate_limit,
    task_revoke,
    task_send_task,
    task_timeout,
)
from flower.store import COLUMNS, Task, TaskQuery
from flower.utils import shapes
from flower.utils.arguments import ArgumentError, moment, one_of, within
from flower.utils.json import dumps
from flower.utils.search import parse_query
from flower.web import NotFoundError

__all__ = [
    "BaseTaskHandler",
    "GetQueueLengths",
    "ListTaskTypes",
    "ListTasks",
    "TaskAbort",
    "TaskApply",
    "TaskAsyncApply",
    "TaskInfo",
    "TaskResult",
    "TaskRetry",
    "TaskRevoke",
    "TaskSend",
    "get_task_result",
    "task_abort",
    "task_apply",
    "task_async_apply",
    "task_rate_limit",
    "task_revoke",
    "task_send_task",
    "task_timeout",
]

TaskApply = CLASSES["TaskApply"]
TaskAsyncApply = CLASSES["TaskAsyncApply"]
TaskSend = CLASSES["TaskSend"]
TaskResult = CLASSES["TaskResult"]
TaskAbort = CLASSES["TaskAbort"]
TaskRetry = CLASSES["TaskRetry"]

LIMIT = 100
LIMIT_MOST = 10_000
CHUNK = 1_000
"""Tasks a step of a long classic answer: small enough that no other request waits for it."""

SORTABLE = tuple(column.name for column in COLUMNS if column.kind != "json")
NEWEST = "timestamp"
"""Flower 2.x's order. Ours is by received, for which there is an index with every filter."""


class ListTasks(BaseApiHandler):
    """GET /api/tasks"""

    permission = "view"

    async def get(self) -> None:
        """The tasks that match every given argument."""
        if self.classic:
            await self._classic()
            return
        limit = within("limit", self.get_argument("limit", LIMIT, type=int), 0, LIMIT_MOST)
        offset = self.get_argument("offset", 0, type=int)
        if offset < 0:
            raise ArgumentError(f"Invalid offset {offset}, expected a number from 0", "offset")
        await self._reply(self._page, self._query(limit, offset))

    async def _reply(self, build: Callable[[TaskQuery], Any], query: TaskQuery) -> None:
        # A search may speak of the time that passes.
        if query.search is None:
            await self.reply_again((self.classic, query), build, query)
        else:
            await self.reply(build, query)

    def _page(self, query: TaskQuery) -> dict[str, Any]:
        page = self.cluster.store.search(query)
        tasks = [shapes.task(self.format_task(task)) for task in page.tasks]
        return {"tasks": tasks, "total": page.total, "offset": query.offset, "limit": query.limit}

    def _query(self, limit: int, offset: int) -> TaskQuery:
        """What the arguments ask for."""
        sort_by = self.get_argument("sort_by") or (f"-{NEWEST}" if self.classic else "-received")
        search = self.get_argument("search") or None
        return TaskQuery(
            name=self._filter("taskname"),
            state=self._filter("state"),
            worker=self._filter("workername"),
            received_start=self._time("received_start"),
            received_end=self._time("received_end"),
            started_start=self._time("started_start"),
            started_end=self._time("started_end"),
            search=None if search is None else parse_query(search),
            sort_by=self._column(sort_by),
            descending=sort_by.startswith("-"),
            limit=limit,
            offset=offset,
        )

    def _column(self, sort_by: str) -> str:
        try:
            return one_of("sort_by", sort_by.lstrip("-"), SORTABLE)
        except ArgumentError as error:
            error.classic = f"Invalid sort_by {sort_by!r}, expected one of name, received, started, state"
            raise

    def _filter(self, name: str) -> str | None:
        value: str | None = self.get_argument(name)
        return None if value in (None, "", "All") else value

    def _time(self, name: str) -> float | None:
        value = self.get_argument(name)
        return moment(name, value) if value else None

    async def _classic(self) -> None:
        """As Flower 2.x: one object of tasks by uuid, all of them unless a limit is given."""
        limit = self.get_argument("limit", None, type=int)
        limit = self.site.max_tasks if limit is None else max(0, limit)
        offset = max(0, self.get_argument("offset", 0, type=int))
        query = self._query(min(limit, CHUNK), offset)
        if limit <= CHUNK:
            await self._reply(self._classic_page, query)
            return
        # Errors of the store must be told before the first byte is sent.
        chunks = self._chunks(query, limit)
        text = await anext(chunks, b"")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.write(b"{" + text)
        try:
            async for text in chunks:
                await self.flush()
                self.write(b", " + text)
            self.finish(b"}")
        except StreamClosedError:
            return  # the client went away

    def _classic_page(self, query: TaskQuery) -> bytes:
        return b"{" + self._entries(self.cluster.store.search(query).tasks) + b"}"

    async def _chunks(self, query: TaskQuery, limit: int) -> AsyncIterator[bytes]:
        """`"uuid": {task}, ...` texts.

        Tasks go on changing while a long answer is written, and a changed one moves to the top of the
        newest-first order. So each is told once, and those that changed on the way are looked at again.
        """
        began = time.time()
        told: set[str] = set()
        async for text in self._pass(query, limit, 0.0, told):
            yield text
        if limit > CHUNK and not query.offset:
            again = replace(query, sort_by=NEWEST, descending=True)
            async for text in self._pass(again, limit, began, told):
                yield text

    async def _pass(self, query: TaskQuery, limit: int, since: float, told: set[str]) -> AsyncIterator[bytes]:
        """The tasks that were not told yet, until one is older than `since`."""
        size = min(CHUNK, limit)
        offset = query.offset
        while len(told) < limit:
            page = await self.run(self.cluster.store.search, replace(query, limit=size, offset=offset))
            fresh = [task for task in page.tasks if task["uuid"] not in told][: limit - len(told)]
            if fresh:
                told.update(task["uuid"] for task in fresh)
                yield await self.run(self._entries, fresh)
            offset += len(page.tasks)
            if len(page.tasks) < size or page.tasks[-1]["timestamp"] < since:
                return

    def _entries(self, tasks: list[Task]) -> bytes:
        children = self.cluster.store.children([task["uuid"] for task in tasks])
        entries = []
        for task in tasks:
            shape = shapes.classic_listed_task(self.format_task(task), children.get(task["uuid"], []))
            entries.append(dumps(task["uuid"]) + b": " + dumps(shape))
        return b", ".join(entries)


class ListTaskTypes(BaseApiHandler):
    """GET /api/task/types"""

    permission = "view"

    async def get(self) -> None:
        """The names of all tasks that were seen."""
        await self.reply(lambda: {"task-types": self.cluster.store.names()})


class TaskInfo(BaseApiHandler):
    """GET /api/task/info/<uuid>"""

    permission = "view"

    async def get(self, taskid: str) -> None:
        """Everything that is known of one task."""
        await self.reply(self._info, taskid)

    def _info(self, uuid: str) -> dict[str, Any]:
        state = self.cluster.state
        task = state.task(uuid)
        if task is None:
            raise NotFoundError(f"Unknown task {uuid!r}" if self.classic else f"Task not found: {uuid!r}")
        children = self.cluster.store.children([uuid]).get(uuid, [])
        task = self.format_task(task)
        if self.classic:
            return shapes.classic_task(task, children)
        with state.lock:
            worker = state.workers.get(task.get("worker") or "")
            return shapes.task_info(task, None if worker is None else worker.as_dict(), children)
