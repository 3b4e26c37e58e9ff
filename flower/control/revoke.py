"""Revoking tasks: one, many by id, or all that a search finds."""

from __future__ import annotations

import signal as signals
from collections.abc import Mapping, Sequence
from typing import Any

from flower.control.context import Context
from flower.control.errors import BadArgument, ConfirmationNeeded, NoReply, Refused
from flower.control.operation import Answer, Argument, Operation, encodable
from flower.control.replies import outcome
from flower.control.waiting import READY
from flower.utils.tokens import MAX_AGE_SECONDS, confirms, token_for

MOST = 10_000
"""Tasks that are revoked at once; workers remember no more than 50,000."""
ID_LENGTH = 255
SIGNALS = tuple(sorted(signal.name for signal in signals.Signals))
CRITERIA = ("search", "state", "name", "worker")


async def revoke(context: Context, task_id: str, terminate: bool = False, signal: str = "SIGTERM") -> Answer:
    """Have no worker run a task; with `terminate` the process that runs it gets the signal."""
    encodable("task", task_id)
    states = await context.states([task_id])
    done = await _revoke(context, [task_id], states, terminate, signal)
    state = states.get(task_id)
    message = f"Revoked '{task_id}'"
    if not done["revoked"]:
        message = f"Task '{task_id}' has ended already: {state}"
    return {"message": message, "task-id": task_id, "state": state, **done}


async def revoke_many(
    context: Context,
    _target: None,
    ids: list[Any] | None = None,
    terminate: bool = False,
    signal: str = "SIGTERM",
    confirm: str | None = None,
    **criteria: str | None,
) -> Answer:
    """Revoke the tasks with these ids, or, after a confirmation, all unfinished ones that match."""
    wanted = {name: value for name, value in criteria.items() if value}
    if ids is not None and wanted:
        raise BadArgument("ids", f"Give either ids or {', '.join(wanted)}, not both")
    if ids is None and not wanted:
        raise BadArgument("ids", f"Missing argument ids, or one of {', '.join(CRITERIA)}")
    if ids is None:
        uuids = await _found(context, wanted, terminate, confirm)
    else:
        uuids = _checked(ids)
    states = await context.states(uuids)
    done = await _revoke(context, uuids, states, terminate, signal)
    return {"message": f"Revoked {done['revoked']} tasks", **done}


def _checked(ids: list[Any]) -> list[str]:
    if not 1 <= len(ids) <= MOST:
        raise BadArgument("ids", f"Invalid ids: {len(ids)} of them, expected 1 to {MOST}")
    for uuid in ids:
        if not isinstance(uuid, str) or not 0 < len(uuid) <= ID_LENGTH:
            raise BadArgument("ids", f"Invalid id {uuid!r}, expected a text of 1 to {ID_LENGTH} characters"[:500])
        encodable("ids", uuid)
    return list(dict.fromkeys(ids))


async def _found(context: Context, criteria: Mapping[str, str], terminate: bool, confirm: str | None) -> list[str]:
    """What the search finds, if it was confirmed. Raises ConfirmationNeeded."""
    uuids = await context.search(criteria, MOST + 1)
    count = len(uuids)
    if count > MOST:
        raise BadArgument("search", f"More than {MOST} unfinished tasks match: narrow the search")
    about = ("task.revoke-many", dict(criteria), terminate)
    if count and not (confirm and confirms(context.secret, confirm, count, *about)):
        raise ConfirmationNeeded(
            f"{count} unfinished tasks match; repeat the request with confirm within {MAX_AGE_SECONDS:.0f} s "
            "to revoke them",
            count=count,
            confirm=token_for(context.secret, count, *about),
            examples=uuids[:10],
        )
    return uuids


async def _revoke(
    context: Context, uuids: Sequence[str], states: Mapping[str, str], terminate: bool, signal: str
) -> Answer:
    number = signal_name(signal) if terminate or not context.classic else signal
    open_ = [uuid for uuid in uuids if states.get(uuid) not in READY]
    counts = {
        "revoked": len(open_),
        "known": sum(uuid in states for uuid in open_),
        "unknown": sum(uuid not in states for uuid in open_),
        "finished": len(uuids) - len(open_),
    }
    if not open_:
        return {**counts, "workers": {}, "refused": {}, "silent": []}
    arguments: dict[str, Any] = {"task_id": open_, "terminate": terminate, "signal": number}
    live = context.live_workers()
    replies = await context.ask("revoke", arguments, None, live)
    told = outcome(context, replies, live or [], "Failed to revoke")
    # Each worker repeats all ids in its reply.
    told["workers"] = dict.fromkeys(told["workers"], "ok") if len(open_) > 1 else told["workers"]
    return {**counts, **told}


def signal_name(signal: str) -> str:
    """`SIGTERM` for `term` and the like. Raises BadArgument with the signals there are."""
    name = signal.upper() if signal.upper().startswith("SIG") else f"SIG{signal.upper()}"
    if name not in SIGNALS:
        raise BadArgument("signal", f"Invalid signal {signal!r}, expected one of {', '.join(SIGNALS)}"[:2000])
    return name


HOW = (
    Argument("terminate", "bool", default=False, help="Whether the process of a running task is ended"),
    Argument("signal", default="SIGTERM", help="With which signal, such as SIGKILL"),
)
COUNTS: Answer = {"revoked": 1, "known": 1, "unknown": 0, "finished": 0}
TOLD: Answer = {"refused": {}, "silent": []}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "task.revoke-many",
        "/api/task/revoke",
        "",
        revoke_many,
        f"Revoke up to {MOST} tasks by id, or all unfinished ones that match; a search is to be confirmed",
        arguments=(
            Argument("ids", "list", where="body", help="Ids of tasks"),
            Argument("search", where="body", help="A search as on the tasks page"),
            Argument("state", where="body", help="Only tasks in this state"),
            Argument("name", where="body", help="Only tasks of this name"),
            Argument("worker", where="body", help="Only tasks of this worker"),
            *HOW,
            Argument("confirm", where="body", help="The token of the first answer to a search"),
        ),
        destructive=True,
        example={"message": "Revoked 1 tasks", **COUNTS, "workers": {"celery@worker1": "ok"}, **TOLD},
        classic=(),
    ),
    Operation(
        "task.revoke",
        "/api/task/revoke/{target}",
        "task",
        revoke,
        "Have no worker run a task; with `terminate` a running one is ended",
        arguments=HOW,
        destructive=True,
        classic_message="Revoked '{}'",
        forgiven=(NoReply, Refused),
        example={
            "message": "Revoked 'defd02b0-c963-47f6-9dd0-97a0e89bb461'",
            "task-id": "defd02b0-c963-47f6-9dd0-97a0e89bb461",
            "state": "RECEIVED",
            **COUNTS,
            "workers": {"celery@worker1": "tasks defd02b0-c963-47f6-9dd0-97a0e89bb461 flagged as revoked"},
            **TOLD,
        },
    ),
)
