"""Chooses how events are received from a broker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

from celery import Celery
from kombu import Connection

from flower.ingest.amqp import AmqpReceiver, is_readable
from flower.ingest.decode import Decoder, Event
from flower.ingest.kombu import KombuReceiver


class Receiver(Protocol):
    """Where events come from. It belongs to the events thread."""

    more: bool
    """Whether others came with those that were received last; they are told of first."""

    def __init__(self, capp: Celery, connection: Connection, decoder: Decoder, backlog: int) -> None: ...

    def receive(self, timeout: float) -> list[Event]: ...

    def close(self) -> None: ...


RECEIVERS: dict[str, type[Receiver]] = {"amqp": AmqpReceiver}
"""Transport driver -> its own receiver; the others are received through kombu."""

try:
    from flower.ingest.redis import RedisReceiver
except ImportError:  # hiredis is optional: without it Redis is read through kombu, at a third of the speed
    pass
else:
    RECEIVERS["redis"] = RedisReceiver

CONNECT_TIMEOUT_SECONDS = 4.0


def _receiver(connection: Connection) -> type[Receiver]:
    own = RECEIVERS.get(connection.transport.driver_type, KombuReceiver)
    return KombuReceiver if own is AmqpReceiver and not is_readable(connection) else own


@contextlib.contextmanager
def receiving(capp: Celery, decoder: Decoder, backlog: int = 0) -> Iterator[tuple[Receiver, Connection]]:
    """An open receiver and its connection. Raises what the transport raises when there is no broker.

    `backlog`: bytes that may wait for us in a process of their own.
    """
    with capp.connection_for_read(connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_TIMEOUT_SECONDS)
        if not connection.transport.implements.exchange_type.intersection({"fanout", "topic"}):
            raise ConnectionError(f"The {connection.transport.driver_type} transport cannot broadcast events")
        receiver = _receiver(connection)(capp, connection, decoder, backlog)
        try:
            yield receiver, connection
        finally:
            # A lost connection cannot be closed in an orderly way, and need not be.
            with contextlib.suppress(Exception):
                receiver.close()
