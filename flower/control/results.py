"""Results as the backend keeps them, and the mark by which abortable tasks end themselves."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from celery.contrib.abortable import AbortableAsyncResult, AbortableTask

from flower.control.backend import PENDING, Meta
from flower.control.context import Context
from flower.control.errors import Conflict, NoBackend, UnknownTarget
from flower.control.operation import Answer, Argument, Operation
from flower.control.waiting import READY
from flower.utils.broker import reason
from flower.utils.literals import readable

WAIT_MOST = 3600.0


async def result(context: Context, task_id: str, timeout: float | None = None) -> Answer:
    """The result of a task; waits for its end for at most `timeout` seconds, if that is greater than 0."""
    if not await context.call(context.pools.results, context.backend.configured):
        raise NoBackend("No result backend is configured")
    meta = await read(context, task_id)
    if timeout is not None and timeout > 0 and _unsettled(meta) and not await _ended(context, task_id):
        meta = await context.poller.wait(task_id, min(timeout, WAIT_MOST))
    return await describe(context, task_id, meta, insist=True)


def _unsettled(meta: Meta | None) -> bool:
    return meta is None or meta.get("status") not in READY


async def _ended(context: Context, task_id: str) -> bool:
    return (await context.states([task_id])).get(task_id) in READY


async def read(context: Context, task_id: str) -> Meta | None:
    """The record of a task, None when there is none. Raises NoBackend."""
    try:
        metas = await context.call(context.pools.results, context.backend.read, [task_id])
    except TimeoutError as error:
        raise NoBackend(f"The result backend does not answer: {reason(error)}") from error
    return metas.get(task_id)


async def describe(context: Context, task_id: str, meta: Meta | None, insist: bool = False) -> Answer:
    """The answer about a task: its record, or what was seen of it. `insist`: fail if the backend does."""
    if meta is None:
        try:
            meta = await read(context, task_id)
        except NoBackend:
            if insist:
                raise
    task = await context.task(task_id)
    if meta is None:
        return _seen(context, task_id, task)
    state = str(meta.get("status"))
    value = meta.get("result")
    done = meta.get("date_done")
    answer = {
        "task-id": task_id,
        "state": state,
        "result": _shown(state, value),
        "traceback": meta.get("traceback"),
        "success": state == "SUCCESS" if state in READY else None,
        "date_done": done.isoformat() if isinstance(done, datetime) else done,
        "known": True,
        "stored": True,
        "expired": False,
    }
    return context.record(answer, task or {"uuid": task_id})


def _seen(context: Context, task_id: str, task: Mapping[str, Any] | None) -> Answer:
    """What events told, for want of a record."""
    known = {} if task is None else context.told(task)
    state = str(known.get("state") or PENDING)
    ended = max([known.get(moment) or 0.0 for moment in ("succeeded", "failed", "revoked")])
    value = known.get("result") if state == "SUCCESS" else known.get("exception")
    return {
        "task-id": task_id,
        "state": state,
        "result": readable(value) if isinstance(value, str) and state == "SUCCESS" else value,
        "traceback": known.get("traceback") if state == "FAILURE" else None,
        "success": state == "SUCCESS" if state in READY else None,
        "date_done": None,
        "known": task is not None,
        "stored": False,
        "expired": state in READY and _has_expired(context, ended),
    }


def _has_expired(context: Context, ended: float) -> bool:
    expires = context.capp.conf.result_expires
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    return bool(seconds) and bool(ended) and time.time() - ended > float(seconds)


def _shown(state: str, value: Any) -> Any:
    """The result of an ended task; what the record of a running one has is not its result."""
    if state not in READY:
        return None
    return _jsonable(value) if state == "SUCCESS" else exception_of(value)


def _jsonable(value: Any) -> Any:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    return value


def exception_of(value: Any) -> Any:
    """An exception as Python writes it, from what the backend keeps of it."""
    if isinstance(value, dict) and "exc_type" in value:
        message = value.get("exc_message")
        args = message if isinstance(message, (list, tuple)) else [message]
        return f"{value['exc_type']}({', '.join(map(repr, args))})"
    return value if value is None or isinstance(value, str) else repr(value)


async def abort(context: Context, task_id: str) -> Answer:
    """Mark an unfinished task as aborted: an AbortableTask looks for the mark and ends itself."""
    if not await context.call(context.pools.results, context.backend.keeps):
        raise NoBackend("Aborting needs a result backend that keeps records, and none is configured")
    meta = await read(context, task_id)
    task = await context.task(task_id)
    name = (task or {}).get("name") or (meta or {}).get("name")
    if task is None and meta is None and not context.classic:
        name = await _held(context, task_id)
    state = str((meta or {}).get("status") or (task or {}).get("state") or PENDING)
    if state in READY or (task or {}).get("state") in READY:
        state = state if state in READY else str((task or {})["state"])
        raise Conflict(f"Task {task_id!r} has ended: {state}", state=state)
    abortable = await context.call(context.pools.results, _abortable, context, name)
    if abortable is False:
        raise Conflict(f"Task {task_id!r} cannot be aborted: {name} is no AbortableTask", state=state, abortable=False)
    await context.call(context.pools.results, _mark, context, task_id)
    return {
        "message": f"Aborted '{task_id}'",
        "task-id": task_id,
        "state": state,
        "known": True,
        "abortable": abortable,
    }


async def _held(context: Context, task_id: str) -> str | None:
    """The name of a task that a worker has. Raises UnknownTarget when none has it."""
    replies = await context.ask("query_task", {"ids": [task_id]}, None, context.live_workers())
    for reply in replies.values():
        found = reply.get(task_id)
        if isinstance(found, (list, tuple)):
            return str(found[1].get("name"))
    raise UnknownTarget(f"Unknown task {task_id!r}")


def _abortable(context: Context, name: str | None) -> bool | None:
    """Whether the task looks for the mark; None when its code is not here to be looked at."""
    task = context.capp.tasks.get(name)
    return None if task is None else isinstance(task, AbortableTask)


def _mark(context: Context, task_id: str) -> None:
    try:
        AbortableAsyncResult(task_id, app=context.capp).abort()
    except Exception as error:  # every driver has exceptions of its own
        raise NoBackend(f"The result backend does not answer: {reason(error)}") from error


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "task.result",
        "/api/task/result/{target}",
        "task",
        result,
        "The result of a task, from the result backend",
        arguments=(
            Argument(
                "timeout",
                "float",
                maximum=WAIT_MOST,
                help=f"Seconds to wait for the task's end, at most {WAIT_MOST:.0f}; 0 or none: do not wait",
            ),
        ),
        role="viewer",
        method="GET",
        waits=True,
        example={
            "task-id": "fbbe3520-881f-4db4-a978-551dac435525",
            "state": "SUCCESS",
            "result": 5,
            "traceback": None,
            "success": True,
            "date_done": "2026-11-21T06:23:37.749053+00:00",
            "known": True,
            "stored": True,
            "expired": False,
        },
        classic=("task-id", "state", "result", "traceback"),
    ),
    Operation(
        "task.abort",
        "/api/task/abort/{target}",
        "task",
        abort,
        "Ask an AbortableTask to end itself",
        destructive=True,
        classic_message="Aborted '{}'",
        forgiven=(Conflict,),
        example={
            "message": "Aborted 'fbbe3520-881f-4db4-a978-551dac435525'",
            "task-id": "fbbe3520-881f-4db4-a978-551dac435525",
            "state": "STARTED",
            "known": True,
            "abortable": True,
        },
    ),
)
