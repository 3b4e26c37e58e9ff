"""Commands to one worker: its end, its pool, its queues."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from flower.control.context import Context, Seen
from flower.control.errors import BadArgument, Offline
from flower.control.operation import Answer, Argument, Operation, queue_name
from flower.control.replies import command, known_worker, silence

GOODBYE_SECONDS = 6.0
"""How long a worker may take to say that it goes; what it is working on it finishes after that."""
GLANCE_SECONDS = 0.05
PING_SECONDS = 1.0

POOL_MOST = 1_000
"""Nobody wants more processes of one worker; a slip of the finger should not fill a machine."""


async def shutdown(context: Context, worker: str) -> Answer:
    """End a worker, and wait until it is gone: it sends no reply, but says goodbye in its events."""
    seen = known_worker(context, worker)
    asked = asyncio.ensure_future(context.ask("shutdown", {}, [worker], timeout=GLANCE_SECONDS))
    try:
        await asked
        by = await _farewell(context, seen)
    finally:
        asked.cancel()
    if by is None:
        raise silence(context, seen)
    return {"message": "Shutting down!", "worker": worker, "confirmed_by": by}


async def _farewell(context: Context, before: Seen) -> str | None:
    """How it became known that the worker went: by `goodbye` or by `silence`; None when it did not."""
    end = time.monotonic() + GOODBYE_SECONDS
    while time.monotonic() < end:
        now = context.worker(before.name)
        if now is None or now.left or (now.pid != before.pid and before.pid is not None):
            return "goodbye"
        if now.alive is None and not await _answers(context, before.name):
            return "silence"
        await asyncio.sleep(GLANCE_SECONDS)
    return None if await _answers(context, before.name) or before.alive is None else "silence"


async def _answers(context: Context, worker: str) -> bool:
    return worker in await context.ask("ping", {}, [worker], timeout=PING_SECONDS)


async def restart(context: Context, worker: str) -> Answer:
    """Start the processes of a worker's pool anew."""
    said = await command(context, worker, "pool_restart", {"reload": False}, f"Failed to restart the {worker!r} pool")
    return {"message": f"Restarting {worker!r} worker's pool", "worker": worker, "reply": said}


async def _resize(verb: str, context: Context, worker: str, n: int) -> Answer:
    failure = f"Failed to {verb} {worker!r} worker's pool"
    if n >= 1:
        said = await command(context, worker, f"pool_{verb}", {"n": n}, failure)
    else:  # in Flower 2.x only; told so, a worker would shrink by one or lose count of its prefetched messages
        said = f"nothing to do for {known_worker(context, worker).name}"
    ing = {"grow": "Growing", "shrink": "Shrinking"}[verb]
    return {"message": f"{ing} {worker!r} worker's pool by {n}", "worker": worker, "reply": said}


async def autoscale(context: Context, worker: str, min: int, max: int) -> Answer:
    """Set the bounds between which a worker sizes its pool."""
    if min > max and not context.classic:
        raise BadArgument("min", f"Invalid min {min}, expected a whole number of at most max, which is {max}")
    bounds = {"min": min, "max": max}
    said = await command(context, worker, "autoscale", bounds, f"Failed to autoscale {worker!r} worker")
    return {"message": f"Autoscaling {worker!r} worker (min={min}, max={max})", "worker": worker, "reply": said}


async def add_consumer(context: Context, worker: str, queue: str) -> Answer:
    """Have a worker consume a queue, which is made if need be."""
    failure = f"Failed to add {queue!r} consumer to {worker!r} worker"
    said = await command(context, worker, "add_consumer", {"queue": queue_name("queue", queue)}, failure)
    return {"message": said, "worker": worker, "queue": queue}


async def cancel_consumer(context: Context, worker: str, queue: str) -> Answer:
    """Have a worker leave a queue."""
    failure = f"Failed to cancel {queue!r} consumer from {worker!r} worker"
    said = await command(context, worker, "cancel_consumer", {"queue": queue_name("queue", queue)}, failure)
    return {"message": said, "worker": worker, "queue": queue}


def _count(doing: str) -> tuple[Argument, ...]:
    return (Argument("n", "int", default=1, minimum=1, maximum=POOL_MOST, help=f"How many processes to {doing}"),)


QUEUE = (Argument("queue", required=True, help="Name of the queue"),)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "worker.shutdown",
        "/api/worker/shutdown/{target}",
        "worker",
        shutdown,
        "End a worker: it finishes its running tasks, and gives the others back",
        role="admin",
        destructive=True,
        forgiven=(Offline,),
        classic_message="Shutting down!",
        example={"message": "Shutting down!", "worker": "celery@worker1", "confirmed_by": "goodbye"},
    ),
    Operation(
        "worker.pool.restart",
        "/api/worker/pool/restart/{target}",
        "worker",
        restart,
        "Replace the processes of a worker's pool, each after its next task; needs the setting worker_pool_restarts",
        role="admin",
        destructive=True,
        example={
            "message": "Restarting 'celery@worker1' worker's pool",
            "worker": "celery@worker1",
            "reply": "reload started",
        },
    ),
    Operation(
        "worker.pool.grow",
        "/api/worker/pool/grow/{target}",
        "worker",
        partial(_resize, "grow"),
        "Add processes to a worker's pool",
        arguments=_count("add"),
        example={
            "message": "Growing 'celery@worker1' worker's pool by 2",
            "worker": "celery@worker1",
            "reply": "pool will grow",
        },
    ),
    Operation(
        "worker.pool.shrink",
        "/api/worker/pool/shrink/{target}",
        "worker",
        partial(_resize, "shrink"),
        "Take processes from a worker's pool; refused while all are busy",
        arguments=_count("take away"),
        example={
            "message": "Shrinking 'celery@worker1' worker's pool by 1",
            "worker": "celery@worker1",
            "reply": "pool will shrink",
        },
    ),
    Operation(
        "worker.pool.autoscale",
        "/api/worker/pool/autoscale/{target}",
        "worker",
        autoscale,
        "Set the bounds of a worker's pool; refused by one that was started without --autoscale",
        arguments=(
            Argument("min", "int", required=True, minimum=0, maximum=POOL_MOST, help="Fewest processes"),
            Argument("max", "int", required=True, minimum=1, maximum=POOL_MOST, help="Most processes"),
        ),
        example={
            "message": "Autoscaling 'celery@worker1' worker (min=1, max=5)",
            "worker": "celery@worker1",
            "reply": "autoscale now max=5 min=1",
        },
    ),
    Operation(
        "worker.queue.add-consumer",
        "/api/worker/queue/add-consumer/{target}",
        "worker",
        add_consumer,
        "Have a worker consume a queue; the queue is made if it does not exist",
        arguments=QUEUE,
        example={"message": "add consumer sample", "worker": "celery@worker1", "queue": "sample"},
    ),
    Operation(
        "worker.queue.cancel-consumer",
        "/api/worker/queue/cancel-consumer/{target}",
        "worker",
        cancel_consumer,
        "Have a worker leave a queue",
        arguments=QUEUE,
        destructive=True,
        example={"message": "no longer consuming from sample", "worker": "celery@worker1", "queue": "sample"},
    ),
)
