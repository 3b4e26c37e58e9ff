"""Emptying a queue."""

from __future__ import annotations

from celery import Celery

from flower.control.context import UNAVAILABLE, Context
from flower.control.errors import BrokerDown, ConfirmationNeeded, UnknownTarget
from flower.control.operation import Answer, Argument, Operation, queue_name
from flower.utils.broker import is_internal, reason
from flower.utils.tokens import MAX_AGE_SECONDS, confirms, token_for

CONNECT_SECONDS = 2.0


async def purge(context: Context, queue: str, confirm: str | None = None) -> Answer:
    """Delete the messages that wait in a queue, after a confirmation of how many there are."""
    queue_name("queue", queue)
    if is_internal(queue, str(context.capp.conf.event_queue_prefix)):
        raise UnknownTarget(f"Unknown queue {queue!r}: it holds no tasks")
    try:
        count = await context.call(context.pools.control, _count, context.capp, queue)
    except Exception as error:  # every driver has exceptions of its own
        raise _down(error) from error
    if count is None and queue not in await context.queues():
        raise UnknownTarget(f"Unknown queue {queue!r}")
    if not count:
        return {"message": f"Queue {queue!r} is empty", "queue": queue, "purged": 0}
    if not (confirm and confirms(context.secret, confirm, count, "queue.purge", queue)):
        raise ConfirmationNeeded(
            f"{count} messages wait in {queue!r}; repeat the request with confirm within {MAX_AGE_SECONDS:.0f} s "
            "to delete them",
            count=count,
            confirm=token_for(context.secret, count, "queue.purge", queue),
        )
    try:
        purged = await context.call(context.pools.control, _purge, context.capp, queue)
    except Exception as error:  # every driver has exceptions of its own
        raise _down(error) from error
    context.recount()
    return {"message": f"Deleted {purged} messages of {queue!r}", "queue": queue, "purged": purged}


def _down(error: Exception) -> BrokerDown:
    return BrokerDown(f"The broker does not answer: {reason(error)}", classic=UNAVAILABLE)


def _count(capp: Celery, queue: str) -> int | None:
    """How many messages wait; None when the broker has no such queue. Nothing is created."""
    with capp.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
        channel = connection.default_channel
        try:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
        except connection.channel_errors:
            return None


def _purge(capp: Celery, queue: str) -> int:
    with capp.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
        return int(connection.default_channel.queue_purge(queue) or 0)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "queue.purge",
        "/api/queue/purge/{target}",
        "queue",
        purge,
        "Delete all messages that wait in a queue; what workers hold already is not touched",
        arguments=(Argument("confirm", help="The token of the first answer"),),
        role="admin",
        destructive=True,
        example={"message": "Deleted 1240 messages of 'celery'", "queue": "celery", "purged": 1240},
        classic=(),
    ),
)
