"""The operations as functions for Python programs: `await task_apply("tasks.add", args=[1, 2])`.

`app` is the Celery application, the current one by default. Each returns the answer that the API gives,
and raises an exception of `flower.control` when the operation was not done.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from celery import Celery, current_app

from flower.control.context import Context
from flower.control.errors import StillRunning, TaskFailed
from flower.control.operation import Answer
from flower.control.table import BY_NAME
from flower.control.waiting import READY

_contexts: WeakKeyDictionary[Celery, Context] = WeakKeyDictionary()


def context_of(app: Celery | None) -> Context:
    """The context of an application, made once."""
    capp = app if app is not None else current_app._get_current_object()
    context = _contexts.get(capp)
    if context is None:
        context = _contexts[capp] = Context(capp)
    return context


async def _perform(name: str, target: str, app: Celery | None, **given: Any) -> Answer:
    return await BY_NAME[name].perform(context_of(app), target, given)


async def task_apply(
    task_name: str,
    args: list[Any] | tuple[Any, ...] | None = None,
    kwargs: dict[str, Any] | None = None,
    *,
    app: Celery | None = None,
    **options: Any,
) -> Answer:
    """Run a task and wait for its result, for at most `timeout` seconds.

    Raises StillRunning when the time passed, and TaskFailed when the task failed; both have the answer as `facts`.
    """
    answer = await _perform("task.apply", task_name, app, **_sent(args, kwargs, options))
    if answer["state"] not in READY and not _ignored(app, task_name):
        raise StillRunning(f"Timeout: task {answer['task-id']} is {answer['state']}", **answer)
    if answer["success"] is False:
        raise TaskFailed(f"Task {answer['task-id']} failed: {answer['result']}", **answer)
    return answer


async def task_async_apply(
    task_name: str,
    args: list[Any] | tuple[Any, ...] | None = None,
    kwargs: dict[str, Any] | None = None,
    *,
    app: Celery | None = None,
    **options: Any,
) -> Answer:
    """Send a task that the application or a worker has, without waiting for its result."""
    return await _perform("task.async-apply", task_name, app, **_sent(args, kwargs, options))


async def task_send_task(
    task_name: str,
    args: list[Any] | tuple[Any, ...] | None = None,
    kwargs: dict[str, Any] | None = None,
    *,
    app: Celery | None = None,
    **options: Any,
) -> Answer:
    """Send a task of any name."""
    return await _perform("task.send-task", task_name, app, **_sent(args, kwargs, options))


async def get_task_result(task_id: str, timeout: float | None = None, *, app: Celery | None = None) -> Answer:
    """The result of a task, after waiting for its end for up to `timeout` seconds."""
    return await _perform("task.result", task_id, app, timeout=timeout)


async def task_abort(task_id: str, *, app: Celery | None = None) -> Answer:
    """Ask an AbortableTask to end itself."""
    return await _perform("task.abort", task_id, app)


async def task_revoke(
    task_id: str, terminate: bool = False, signal: str = "SIGTERM", *, app: Celery | None = None
) -> Answer:
    """Have no worker run a task; with `terminate` a running one is ended."""
    return await _perform("task.revoke", task_id, app, terminate=terminate, signal=signal)


async def task_rate_limit(
    task_name: str, rate_limit: str, workername: str | None = None, *, app: Celery | None = None
) -> Answer:
    """Limit how often the tasks of a name are started."""
    given = {"ratelimit": str(rate_limit), "workername": workername}
    return await _perform("task.rate-limit", task_name, app, **given)


async def task_timeout(
    task_name: str,
    soft: float | None = None,
    hard: float | None = None,
    workername: str | None = None,
    *,
    restart: bool = False,
    app: Celery | None = None,
) -> Answer:
    """Limit how long the tasks of a name run; with `restart` at once."""
    given = {"soft": soft, "hard": hard, "workername": workername, "restart": restart}
    return await _perform("task.timeout", task_name, app, **given)


async def worker_shutdown(workername: str, *, app: Celery | None = None) -> Answer:
    """End a worker."""
    return await _perform("worker.shutdown", workername, app)


async def worker_pool_restart(workername: str, *, app: Celery | None = None) -> Answer:
    """Start the processes of a worker's pool anew."""
    return await _perform("worker.pool.restart", workername, app)


async def worker_pool_grow(workername: str, n: int = 1, *, app: Celery | None = None) -> Answer:
    """Add processes to a worker's pool."""
    return await _perform("worker.pool.grow", workername, app, n=n)


async def worker_pool_shrink(workername: str, n: int = 1, *, app: Celery | None = None) -> Answer:
    """Take processes from a worker's pool."""
    return await _perform("worker.pool.shrink", workername, app, n=n)


async def worker_autoscale(workername: str, min: int, max: int, *, app: Celery | None = None) -> Answer:
    """Set the bounds of a worker's pool."""
    return await _perform("worker.pool.autoscale", workername, app, min=min, max=max)


async def worker_queue_add_consumer(workername: str, queue: str, *, app: Celery | None = None) -> Answer:
    """Have a worker consume a queue."""
    return await _perform("worker.queue.add-consumer", workername, app, queue=queue)


async def worker_queue_cancel_consumer(workername: str, queue: str, *, app: Celery | None = None) -> Answer:
    """Have a worker leave a queue."""
    return await _perform("worker.queue.cancel-consumer", workername, app, queue=queue)


def _sent(args: Any, kwargs: Any, options: dict[str, Any]) -> dict[str, Any]:
    given = {"args": list(args) if isinstance(args, tuple) else args, "kwargs": kwargs}
    readable = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in options.items()}
    return {**given, **readable}


def _ignored(app: Celery | None, task_name: str) -> bool:
    """Whether the task stores no result, as far as its code is here."""
    task = context_of(app).capp.tasks.get(task_name)
    return bool(task is not None and task.ignore_result)
