"""Running a task again with the arguments that were recorded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from celery.utils.saferepr import saferepr

from flower.control.backend import Meta
from flower.control.context import Context
from flower.control.errors import Conflict, NoBackend, UnknownTarget
from flower.control.execution import ARGUMENTS, send
from flower.control.operation import Answer, Argument, Operation
from flower.control.results import read
from flower.control.waiting import READY
from flower.utils.literals import readable
from flower.utils.redaction import MASK

AGAIN = READY | {"REJECTED"}
CUT_FROM = 200
"""Characters from which what is recorded may be cut: Celery cuts at 1,024 unless it is told otherwise."""
ROUTES = frozenset({"queue", "routing_key", "exchange"})


async def retry(
    context: Context,
    task_id: str,
    args: list[Any] | None = None,
    kwargs: dict[str, Any] | None = None,
    force: bool = False,
    options: dict[str, Any] | None = None,
) -> Answer:
    """Send a task again; what the caller gives replaces what was recorded."""
    task = await context.task(task_id)
    if task is None:
        raise UnknownTarget(f"Unknown task {task_id!r}")
    name, state = task.get("name"), str(task.get("state"))
    if not name:
        raise Conflict(f"Task {task_id!r} cannot be run again: its name was not seen", state=state)
    if state not in AGAIN and not force:
        raise Conflict(f"Task {task_id!r} has not ended: {state}. Give force to run it twice", state=state)
    record = await _record(context, task_id) if args is None or kwargs is None else None
    args = _recorded(task, record, "args", list) if args is None else args
    kwargs = _recorded(task, record, "kwargs", dict) if kwargs is None else kwargs
    began = time.time()
    new = await send(context, name, args, kwargs, _routed(task, options or {}))
    await context.adopt(
        {
            "uuid": new,
            "name": name,
            "args": saferepr(tuple(args), maxlen=1024),
            "kwargs": saferepr(kwargs, maxlen=1024),
            "sent": began,
            "extra": {"retry_of": task_id},
        }
    )
    return {"message": f"Task {task_id!r} runs again as {new!r}", "task-id": new, "retry_of": task_id, "name": name}


async def _record(context: Context, task_id: str) -> Meta:
    """With `result_extended` the backend has the arguments as they were."""
    try:
        return await read(context, task_id) or {}
    except NoBackend:
        return {}


def _recorded(task: Mapping[str, Any], record: Meta | None, which: str, kind: type) -> Any:
    """The arguments. Raises Conflict when only a part of them, or no value, was recorded."""
    kept = (record or {}).get(which)
    if isinstance(kept, tuple):
        kept = list(kept)
    if isinstance(kept, kind):
        return kept
    text = task.get(which)
    if text is None:
        raise _lost(which, "they were not recorded")
    if MASK in text:
        raise _lost(which, "a secret in them is hidden (--redact)")
    value = readable(text)
    cut = len(text) >= CUT_FROM and _has_cut_text(value)
    if isinstance(value, kind) and not cut:
        return value
    if cut or "..." in text:
        raise _lost(which, "Celery recorded only the beginning of them")
    raise _lost(which, "what was recorded is no plain value, or one that was hidden")


def _has_cut_text(value: Any) -> bool:
    """Whether a text in the value ends as Celery ends what it cuts."""
    if isinstance(value, dict):
        return any(map(_has_cut_text, value.values()))
    if isinstance(value, list):
        return any(map(_has_cut_text, value))
    return isinstance(value, str) and value.endswith("...")


def _lost(which: str, why: str) -> Conflict:
    return Conflict(f"The {which} of the task cannot be used again: {why}. Give {which} to run it with others")


def _routed(task: Mapping[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The options, with the queue and the priority that the task had where nothing else is asked for."""
    routed: dict[str, Any] = {}
    if not ROUTES & options.keys():
        queue = task.get("queue") or (task.get("routing_key") if task.get("exchange") == "" else None)
        routed = {"queue": queue} if queue else {}
    if task.get("priority") is not None:
        routed["priority"] = task["priority"]
    return {**routed, **options}


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "task.retry",
        "/api/task/retry/{target}",
        "task",
        retry,
        "Run an ended task again with the arguments that were recorded, or with others. Further members of the "
        "body are options of `apply_async`",
        arguments=(
            *ARGUMENTS,
            Argument("force", "bool", default=False, where="body", help="Also if it was not seen to end"),
        ),
        options=True,
        destructive=True,
        example={
            "message": "Task '79ceb704-33e5-4bce-97e5-1f8abbec779a' runs again as "
            "'e5e5492f-4d9e-494a-b0a7-89a1e3d37c7f'",
            "task-id": "e5e5492f-4d9e-494a-b0a7-89a1e3d37c7f",
            "retry_of": "79ceb704-33e5-4bce-97e5-1f8abbec779a",
            "name": "tasks.add",
        },
        classic=(),
    ),
)
