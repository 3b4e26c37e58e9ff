"""Events through kombu: RabbitMQ and every other transport that can fan out."""

from __future__ import annotations

import time
import uuid
from typing import Any

from celery import Celery
from celery.events.event import get_exchange
from kombu import Connection, Consumer, Queue

from flower.ingest.decode import Decoder, Event

EVENTS_A_BATCH = 1000
WAIT_FOR_MORE_SECONDS = 0.001
HEARTBEAT_EVERY_SECONDS = 1.0
BACKLOG_SECONDS = 300.0
"""How long events wait for us in RabbitMQ within the bound; Celery's own 5 s would drop what comes in a burst."""


class KombuReceiver:
    """A queue of our own, bound to the event exchange. Belongs to the events thread."""

    def __init__(self, capp: Celery, connection: Connection, decoder: Decoder, backlog: int = 0) -> None:
        self._decoder = decoder
        self._connection = connection
        self._events: list[Event] = []
        self._checked = time.monotonic()
        self.more = False
        channel = connection.default_channel
        self._consumer = Consumer(
            channel, queues=[event_queue(capp, connection, backlog)], no_ack=True, on_message=self._on_message
        )
        self._consumer.consume()

    def receive(self, timeout: float) -> list[Event]:
        """The next events, at the latest after `timeout` seconds. Raises what the transport raises on loss."""
        self._beat()
        try:
            self._connection.drain_events(timeout=timeout)
            while len(self._events) < EVENTS_A_BATCH:
                self._connection.drain_events(timeout=WAIT_FOR_MORE_SECONDS)
        except TimeoutError:
            pass
        events, self._events = self._events, []
        self.more = len(events) >= EVENTS_A_BATCH
        return events

    def close(self) -> None:
        self._consumer.cancel()

    def _on_message(self, message: Any) -> None:
        self._decoder.message(message, self._events)

    def _beat(self) -> None:
        """RabbitMQ closes a connection whose agreed heartbeats do not come."""
        now = time.monotonic()
        if self._connection.get_heartbeat_interval() and now - self._checked >= HEARTBEAT_EVERY_SECONDS:
            self._checked = now
            self._connection.heartbeat_check(rate=2)


def event_queue(capp: Celery, connection: Connection, backlog: int = 0) -> Queue:
    """A queue that goes with us: RabbitMQ 4.3 and later refuse one that is neither durable nor exclusive.

    Up to `backlog` bytes wait in it; with none, as much as fits into Celery's time to live.
    """
    conf = capp.conf
    durable = bool(conf.get("event_queue_durable"))
    return Queue(
        f"{conf.event_queue_prefix}.{uuid.uuid4()}",
        exchange=get_exchange(connection, name=conf.event_exchange),
        routing_key="#",
        auto_delete=not durable,
        durable=durable,
        exclusive=not durable and connection.transport.driver_type == "amqp",
        message_ttl=max(conf.event_queue_ttl or 0.0, BACKLOG_SECONDS) if backlog else conf.event_queue_ttl,
        max_length_bytes=backlog or None,
        expires=conf.event_queue_expires,
    )
