"""Rate and time limits of the tasks of a name, in one worker or in all that have it."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import Any

from flower.control.context import Context
from flower.control.errors import BadArgument, Refused, UnknownTarget
from flower.control.operation import Answer, Argument, Operation
from flower.control.replies import UNEXPLAINED, UNKNOWN_TASK, known_worker, outcome, silence

RATE = re.compile(r"\d{1,9}(\.\d{1,9})?(/[smh])?")
LONGEST_SECONDS = 10 * 365 * 86400.0


async def rate_limit(context: Context, taskname: str, ratelimit: str, workername: str | None = None) -> Answer:
    """Limit how often the tasks of a name are started; `0` lifts the limit."""
    if not (_left_to_workers(ratelimit) if context.classic else RATE.fullmatch(ratelimit)):
        raise BadArgument(
            "ratelimit",
            f"Invalid ratelimit {ratelimit!r}, expected a number (a second), 10/s, 10/m, 10/h, or 0 for no limit",
        )
    arguments = {"task_name": taskname, "rate_limit": ratelimit}
    done = await _everywhere(context, taskname, workername, "rate_limit", arguments, "Failed to set rate limit")
    return {"message": "new rate limit set successfully", "task": taskname, **done}


def _left_to_workers(ratelimit: str) -> bool:
    """Whether a worker may say what it thinks of it: with some numbers its tasks would never start."""
    try:
        number = float(ratelimit.partition("/")[0])
    except ValueError:
        return True
    return math.isfinite(number) and number >= 0


async def time_limit(
    context: Context,
    taskname: str,
    soft: float | None = None,
    hard: float | None = None,
    workername: str | None = None,
    restart: bool = False,
) -> Answer:
    """Limit how long the tasks of a name run, in seconds; without either both limits are lifted.

    Workers look at new limits only when they set up their tasks anew (celery.worker.request keeps those that it
    found): with `restart` each process of their pools is replaced after its next task, and the limits are in force.
    """
    for name, value in (("soft", soft), ("hard", hard)):
        if value is not None and (value < 0 or (value == 0 and not context.classic)):
            raise BadArgument(name, f"Invalid {name} {value:g}, expected a number of seconds greater than 0")
    if soft is not None and hard is not None and soft > hard and not context.classic:
        raise BadArgument("soft", f"Invalid soft {soft:g}, expected at most hard, which is {hard:g}")
    arguments = {"task_name": taskname, "soft": soft, "hard": hard}
    done = await _everywhere(context, taskname, workername, "time_limit", arguments, "Failed to set timeouts")
    in_force = restart and await _set_up_anew(context, list(done["workers"]))
    limits = {"soft": soft, "hard": hard, "in_force": in_force}
    return {"message": "time limits set successfully", "task": taskname, **limits, **done}


async def _set_up_anew(context: Context, workers: list[str]) -> bool:
    """Have the workers restart their pools. Raises Refused when one does not."""
    replies = await context.ask("pool_restart", {"reload": False}, workers)
    refused = {name: str(reply["error"]) for name, reply in replies.items() if "error" in reply}
    if refused:
        why = "; ".join(sorted(set(refused.values())))
        raise Refused(f"The limits are set, but not in force: a pool was not restarted: {why}", refused=refused)
    return replies.keys() >= set(workers)


async def _everywhere(
    context: Context, taskname: str, workername: str | None, question: str, arguments: dict[str, Any], failure: str
) -> Answer:
    """Tell the named worker, or all that have the task."""
    classic = f"{failure}: '{UNEXPLAINED}'"
    seen = None if workername is None else known_worker(context, workername, classic)
    names = [workername] if workername is not None else await having(context, taskname)
    replies = await context.ask(question, arguments, names)
    if seen is not None and not replies:
        raise silence(context, seen, classic)
    if replies and all(reply.get("error") == UNKNOWN_TASK for reply in replies.values()):
        known = context.registered() or await context.learn_registered()
        raise unknown_task(taskname, set().union(*(known[name] for name in replies if name in known)))
    return outcome(context, replies, names, failure)


async def having(context: Context, taskname: str) -> list[str]:
    """The live workers that have the task. Raises UnknownTarget when none has."""
    known = context.registered()
    names = sorted(name for name, tasks in known.items() if taskname in tasks)
    if not names:
        known = await context.learn_registered()
        names = sorted(name for name, tasks in known.items() if taskname in tasks)
    if not names:
        raise unknown_task(taskname, set().union(*known.values()))
    return names


def unknown_task(name: str, known: set[str]) -> UnknownTarget:
    """The error for a task that nobody has, with the names that are near it."""
    near = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return UnknownTarget(
        f"Unknown task {name!r}: it is not registered with any worker{hint}",
        classic=f"Unknown task {name!r}",
        near=near,
    )


WORKER = Argument("workername", help="Only this worker; by default all that have the task", classic_required=True)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "task.timeout",
        "/api/task/timeout/{target}",
        "taskname",
        time_limit,
        "Limit how long the tasks of a name run; without `soft` and `hard` both limits are lifted",
        arguments=(
            WORKER,
            Argument("soft", "float", maximum=LONGEST_SECONDS, help="Seconds until the task is told to end"),
            Argument("hard", "float", maximum=LONGEST_SECONDS, help="Seconds until its process is ended"),
            Argument(
                "restart",
                "bool",
                default=False,
                help="Restart the pools, each process after its next task: until then workers keep the old limits",
                permission="worker.pool.restart",
            ),
        ),
        example={
            "message": "time limits set successfully",
            "task": "tasks.add",
            "soft": 30.0,
            "hard": 60.0,
            "in_force": True,
            "workers": {"celery@worker1": "time limits set successfully"},
            "refused": {},
            "silent": [],
        },
    ),
    Operation(
        "task.rate-limit",
        "/api/task/rate-limit/{target}",
        "taskname",
        rate_limit,
        "Limit how often the tasks of a name are started, in each worker",
        arguments=(
            WORKER,
            Argument("ratelimit", required=True, help="`10/s`, `10/m`, `10/h`, a number a second, or `0` for none"),
        ),
        example={
            "message": "new rate limit set successfully",
            "task": "tasks.add",
            "workers": {"celery@worker1": "new rate limit set successfully"},
            "refused": {},
            "silent": [],
        },
    ),
)
