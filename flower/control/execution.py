"""Sending tasks, and waiting for what becomes of them."""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.exceptions import CeleryError
from kombu.exceptions import OperationalError

from flower.control.context import UNAVAILABLE, Context
from flower.control.errors import BadArgument, BrokerDown, OperationError
from flower.control.limits import unknown_task
from flower.control.operation import Answer, Argument, Operation, encodable
from flower.control.options import read_options
from flower.control.results import describe
from flower.utils.broker import reason

WAIT_SECONDS = 60.0
WAIT_MOST = 3600.0
"""The longest that `apply` and `result` wait; nobody holds a thread meanwhile."""

BROKEN = (OperationalError, OSError, TimeoutError)


async def apply(
    context: Context,
    taskname: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    timeout: float | None = None,
    options: dict[str, Any] | None = None,
) -> Answer:
    """Run a task and wait for its end, for at most `timeout` seconds (60 by default)."""
    seconds = _patience(timeout, context.classic)
    task_id = await send_registered(context, taskname, args, kwargs, options)
    meta = None
    watched = context.hears() or await context.call(context.pools.publish, _stores, context, taskname, options or {})
    if watched and seconds > 0:
        meta = await context.poller.wait(task_id, seconds)
    return await describe(context, task_id, meta)


def _patience(timeout: float | None, classic: bool) -> float:
    """How many seconds to wait. Flower 2.x waited for ever without a timeout, and not at all with one of 0."""
    if classic:
        return WAIT_MOST if timeout is None else min(timeout, WAIT_MOST)
    if timeout is not None and timeout <= 0:
        raise BadArgument("timeout", f"Invalid timeout {timeout:g}, expected a number of seconds greater than 0")
    return timeout or WAIT_SECONDS


async def async_apply(
    context: Context,
    taskname: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Answer:
    """Send a task that a worker or the application has."""
    return await _sent(context, await send_registered(context, taskname, args, kwargs, options))


async def send_task(
    context: Context,
    taskname: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    options: dict[str, Any] | None = None,
) -> Answer:
    """Send a task of any name, whether somebody has it or not."""
    return await _sent(context, await send(context, taskname, args, kwargs, options))


async def _sent(context: Context, task_id: str) -> Answer:
    if context.classic and not await context.call(context.pools.publish, context.backend.configured):
        return {"task-id": task_id}
    states = await context.states([task_id])
    return {"task-id": task_id, "state": states.get(task_id, "PENDING")}


async def send_registered(
    context: Context,
    taskname: str,
    args: list[Any] | None,
    kwargs: dict[str, Any] | None,
    options: dict[str, Any] | None,
) -> str:
    """`send`, if the application or a worker has the task. Raises UnknownTarget."""
    own = await context.call(context.pools.publish, _own_tasks, context.capp)
    if taskname not in own:
        known = context.registered()
        if not any(taskname in tasks for tasks in known.values()):
            known = await context.learn_registered()
        if not any(taskname in tasks for tasks in known.values()):
            raise unknown_task(taskname, own.union(*known.values()))
    return await send(context, taskname, args, kwargs, options)


async def send(
    context: Context,
    taskname: str,
    args: list[Any] | None,
    kwargs: dict[str, Any] | None,
    options: dict[str, Any] | None,
) -> str:
    """Send a task; its id. Raises BadArgument with Celery's reason, and BrokerDown."""
    encodable("taskname", taskname)
    read = read_options(context.capp, options or {}, context.classic)
    try:
        return await context.call(context.pools.publish, _publish, context, taskname, args or [], kwargs or {}, read)
    except (BadArgument, OperationError):
        raise
    except BROKEN as error:
        raise BrokerDown(f"The broker does not take the task: {reason(error)}", classic=UNAVAILABLE) from error
    except CeleryError as error:
        raise BadArgument("options", f"Celery refuses the task: {reason(error)}") from error
    except Exception as error:  # kombu and the drivers have many; the arguments are all that a client can have wrong
        raise BadArgument("args", f"The task cannot be sent: {type(error).__name__}: {reason(error)}") from error


def _own_tasks(capp: Celery) -> set[str]:
    return set(capp.tasks)


def _stores(context: Context, taskname: str, options: dict[str, Any]) -> bool:
    """Whether the task leaves a result, as far as its code is here."""
    ignored = getattr(context.capp.tasks.get(taskname), "ignore_result", False)
    return context.backend.configured() and not options.get("ignore_result", ignored)


def _publish(context: Context, taskname: str, args: list[Any], kwargs: dict[str, Any], options: dict[str, Any]) -> str:
    capp = context.capp
    extra = context.backend.prepare_to_send()
    task = capp.tasks.get(taskname)
    if task is None:
        return str(capp.send_task(taskname, args, kwargs, **{**extra, **options}).id)
    _check_arguments(task, args, kwargs)
    return str(task.apply_async(args, kwargs, **{**extra, **options}).id)


def _check_arguments(task: Any, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Have Celery compare the arguments with the task's own, before anything is sent."""
    check = getattr(task, "__header__", None)
    if not getattr(task, "typing", False) or check is None:
        return
    try:
        check(*args, **kwargs)
    except TypeError as error:
        raise BadArgument("args", f"{task.name}: {error}") from None


ARGUMENTS = (
    Argument("args", "list", where="body", help="Positional arguments of the task"),
    Argument("kwargs", "object", where="body", help="Keyword arguments of the task"),
)
TIMEOUT = Argument(
    "timeout",
    "float",
    maximum=WAIT_MOST,
    where="body",
    classic_error="Invalid timeout",
    help=f"Seconds to wait, greater than 0 and at most {WAIT_MOST:.0f}; {WAIT_SECONDS:.0f} if none is given",
)
SENT = {"task-id": "e611e877-b90c-46ec-af0c-b0beb1eef487", "state": "PENDING"}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "task.apply",
        "/api/task/apply/{target}",
        "taskname",
        apply,
        "Run a task and wait for its result. Further members of the body are options of `apply_async`",
        arguments=(*ARGUMENTS, TIMEOUT),
        options=True,
        waits=True,
        example={
            "task-id": "e611e877-b90c-46ec-af0c-b0beb1eef487",
            "state": "SUCCESS",
            "result": 3,
            "traceback": None,
            "success": True,
            "date_done": "2026-11-21T06:26:22.123456+00:00",
            "known": True,
            "stored": True,
            "expired": False,
        },
        classic=("task-id", "result", "traceback", "state"),
    ),
    Operation(
        "task.async-apply",
        "/api/task/async-apply/{target}",
        "taskname",
        async_apply,
        "Send a task without waiting for its result. Further members of the body are options of `apply_async`",
        arguments=ARGUMENTS,
        options=True,
        example=SENT,
        classic=("task-id", "state"),
    ),
    Operation(
        "task.send-task",
        "/api/task/send-task/{target}",
        "taskname",
        send_task,
        "Send a task by name, whether a worker has it or not. Further members of the body are options of `apply_async`",
        arguments=ARGUMENTS,
        options=True,
        example=SENT,
        classic=("task-id", "state"),
    ),
)
