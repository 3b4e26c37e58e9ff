"""Any broker that kombu can reach: queues are counted one by one, nothing is created."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

from kombu import Connection

from flower.utils.broker.base import CONNECT_SECONDS, BrokerBase, Info

REFUSED = (403, 405)
"""AMQP's codes for queues that exist but are another's."""


class Passive(BrokerBase):
    """Counts the messages of the queues that it is asked for; cannot list the others."""

    def __str__(self) -> str:
        return f"the {self.broker_url.partition(':')[0]} broker"

    def read(self, names: list[str]) -> dict[str, Info]:
        with self.connected() as connection:
            if connection.transport.driver_type == "amqp":
                return self.declared(connection, names)
            return self.sized(connection, names)

    def declared(self, connection: Connection, names: list[str]) -> dict[str, Info]:
        """By passive declaration. A queue that is missing closes its AMQP channel, so the next gets a new one."""
        found: dict[str, Info] = {}
        channel: Any = None
        for name in names:
            channel = channel or connection.channel()
            try:
                answer = channel.queue_declare(queue=name, passive=True)
            except connection.channel_errors as error:
                channel = None
                if getattr(error, "reply_code", None) in REFUSED:
                    found[name] = {"name": name, "messages": None}
            else:
                count = answer.message_count
                found[name] = {
                    "name": name,
                    "messages": count,
                    "messages_ready": count,
                    "consumers": answer.consumer_count,
                }
        return found

    def sized(self, connection: Connection, names: list[str]) -> dict[str, Info]:
        """From transports that only imitate AMQP: declaring there, even passively, may create the queue."""
        found: dict[str, Info] = {}
        channel: Any = connection.default_channel
        for name in names:
            with suppress(*connection.channel_errors):
                if channel._has_queue(name):
                    found[name] = {"name": name, "messages": int(channel._size(name))}
        return found


class Amqp(Passive):
    """AMQP 0-9-1 without a management API."""

    kind = "AMQP broker"
    timeouts: ClassVar[Mapping[str, float]] = {"read_timeout": CONNECT_SECONDS, "write_timeout": CONNECT_SECONDS}

    def __init__(self, broker_url: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(broker_url, *args, **kwargs)
        self.username = self.username or "guest"
        self.password = self.password or "guest"

    def __str__(self) -> str:
        return BrokerBase.__str__(self)
