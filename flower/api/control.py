"""The operations over HTTP: one handler, made for each entry of the table, under the names of Flower 2.x."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable
from typing import Any, ClassVar

from flower.api import BaseApiHandler
from flower.audit import DONE, FAILED
from flower.control import BY_NAME, OPERATIONS, Context, Operation
from flower.control.functions import (
    task_rate_limit,
    task_revoke,
    task_timeout,
    worker_autoscale,
    worker_pool_grow,
    worker_pool_restart,
    worker_pool_shrink,
    worker_queue_add_consumer,
    worker_queue_cancel_consumer,
    worker_shutdown,
)
from flower.utils.arguments import ArgumentError
from flower.utils.json import dumps
from flower.web import Problem

__all__ = (
    "ControlHandler",
    "OperationHandler",
    "TaskRateLimit",
    "TaskRevoke",
    "TaskRevokeMany",
    "TaskTimeout",
    "TaskTimout",
    "WorkerPoolAutoscale",
    "WorkerPoolGrow",
    "WorkerPoolRestart",
    "WorkerPoolShrink",
    "WorkerQueueAddConsumer",
    "WorkerQueueCancelConsumer",
    "WorkerShutDown",
    "task_rate_limit",
    "task_revoke",
    "task_timeout",
    "worker_autoscale",
    "worker_pool_grow",
    "worker_pool_restart",
    "worker_pool_shrink",
    "worker_queue_add_consumer",
    "worker_queue_cancel_consumer",
    "worker_shutdown",
)

logger = logging.getLogger(__name__)

CLIENT_GONE = 499
"""nginx's word in its log for a client that went away; nobody is sent it."""
ENDED = frozenset({"SUCCESS", "FAILURE", "REVOKED"})


class ControlHandler(BaseApiHandler):
    """Base of everything that commands workers and tasks."""


class OperationHandler(ControlHandler):
    """Performs `operation` with what the request says."""

    operation: ClassVar[Operation]

    def initialize(self, **kwargs: Any) -> None:
        self._performing: asyncio.Future[dict[str, Any]] | None = None

    def on_connection_close(self) -> None:
        """Nobody waits for the answer any more; what has effects is finished nevertheless."""
        if self._performing is not None and self.operation.waits:
            self._performing.cancel()

    async def perform(self, target: str | None = None) -> None:
        """Do it and answer."""
        began = time.monotonic()
        given: dict[str, Any] = {}
        outcome, problem = FAILED, Problem(500, "")
        try:
            given = self.given()
            for permission in self.operation.permissions(given):
                self.site.access.require(permission, self.current_user, api=True)
            performing = self.operation.perform(self._context, target, given)
            self._performing = asyncio.ensure_future(performing)
            answer = await self._performing
            outcome, problem = DONE, Problem(200, "")
        except asyncio.CancelledError:
            problem = Problem(CLIENT_GONE, "The client did not wait for the answer")
            if self._performing is None or not self._performing.cancelled():
                raise
            return
        except Exception as error:
            problem = self.problem(error)
            if not (self.classic and isinstance(error, self.operation.forgiven)):
                raise
            answer = {}
        finally:
            if self.operation.method != "GET":
                self.audit(self.operation.name, target, given, outcome, problem, time.monotonic() - began)
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(dumps(self._classic(answer, target or "") if self.classic else answer))

    @property
    def _context(self) -> Context:
        return self.site.operations.as_flower_2() if self.classic else self.site.operations

    def given(self) -> dict[str, Any]:
        """The arguments as they were sent: from a JSON body, and from the query or a form."""
        given = self._body()
        if not self.operation.options:
            for argument in self.operation.arguments:
                text = self.get_argument(argument.name)
                if text is not None:
                    given[argument.name] = text
        return given

    def _body(self) -> dict[str, Any]:
        body = self.request.body.strip()
        is_json = "json" in self.request.headers.get("Content-Type", "").lower()
        if not body or not (self.operation.options or is_json):
            return {}
        try:
            value = json.loads(body, parse_constant=_no_number)
        except (ValueError, RecursionError) as error:
            raise ArgumentError(f"The body is no JSON: {error}", classic=str(error)) from None
        if not isinstance(value, dict):
            raise ArgumentError("The body must be a JSON object", classic="invalid options")
        return value

    def _classic(self, answer: dict[str, Any], target: str) -> dict[str, Any]:
        """The answer as Flower 2.x gave it."""
        if self.operation.classic_message:
            return {"message": self.operation.classic_message.format(target)}
        shown = {name: answer[name] for name in self.operation.classic if name in answer}
        if shown.get("traceback") is None:
            shown.pop("traceback", None)
        if shown.get("result") is None and answer.get("state") not in ENDED:
            shown.pop("result", None)
        return shown


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def handler_of(name: str, operation: Operation, base: type[OperationHandler] = OperationHandler) -> Any:
    """The handler class of an operation."""

    def act(self: OperationHandler, target: str | None = None) -> Awaitable[None]:
        return self.perform(target)

    act.__doc__ = operation.help
    verb = operation.method.lower()
    permission = "view" if operation.method == "GET" else operation.name
    members = {"operation": operation, "permission": permission, verb: act, "__module__": base.__module__}
    members["in_flower_2"] = bool(operation.classic)
    return type(name, (base,), {**members, "__doc__": f"{operation.method} {operation.path}"})


HANDLERS: dict[str, str] = {
    "WorkerShutDown": "worker.shutdown",
    "WorkerPoolRestart": "worker.pool.restart",
    "WorkerPoolGrow": "worker.pool.grow",
    "WorkerPoolShrink": "worker.pool.shrink",
    "WorkerPoolAutoscale": "worker.pool.autoscale",
    "WorkerQueueAddConsumer": "worker.queue.add-consumer",
    "WorkerQueueCancelConsumer": "worker.queue.cancel-consumer",
    "TaskApply": "task.apply",
    "TaskAsyncApply": "task.async-apply",
    "TaskSend": "task.send-task",
    "TaskResult": "task.result",
    "TaskAbort": "task.abort",
    "TaskRevoke": "task.revoke",
    "TaskRevokeMany": "task.revoke-many",
    "TaskTimeout": "task.timeout",
    "TaskRateLimit": "task.rate-limit",
    "TaskRetry": "task.retry",
    "QueuePurge": "queue.purge",
}
"""Handler -> operation. The names up to TaskRateLimit are those of Flower 2.x."""


class BaseTaskHandler(OperationHandler):
    """Base of what sends tasks and looks after them."""


CLASSES: dict[str, type[OperationHandler]] = {
    name: handler_of(name, BY_NAME[operation], BaseTaskHandler if operation.startswith("task.") else OperationHandler)
    for name, operation in HANDLERS.items()
}
BY_OPERATION = {handler.operation.name: handler for handler in CLASSES.values()}

WorkerShutDown = CLASSES["WorkerShutDown"]
WorkerPoolRestart = CLASSES["WorkerPoolRestart"]
WorkerPoolGrow = CLASSES["WorkerPoolGrow"]
WorkerPoolShrink = CLASSES["WorkerPoolShrink"]
WorkerPoolAutoscale = CLASSES["WorkerPoolAutoscale"]
WorkerQueueAddConsumer = CLASSES["WorkerQueueAddConsumer"]
WorkerQueueCancelConsumer = CLASSES["WorkerQueueCancelConsumer"]
TaskRevoke = CLASSES["TaskRevoke"]
TaskRevokeMany = CLASSES["TaskRevokeMany"]
TaskTimeout = CLASSES["TaskTimeout"]
TaskTimout = TaskTimeout
TaskRateLimit = CLASSES["TaskRateLimit"]

ROUTES = [(operation.pattern, BY_OPERATION[operation.name]) for operation in OPERATIONS]
"""(pattern, handler) of every operation, in the order in which they are to be tried."""
