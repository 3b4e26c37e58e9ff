"""Brokers and their queues: `Broker(url)` is of the kind that its URL says."""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES

from flower.utils.broker.base import BrokerBase, BrokerError, Head, UnsupportedBroker, is_internal, reason
from flower.utils.broker.filesystem import Filesystem
from flower.utils.broker.passive import Amqp, Passive
from flower.utils.broker.rabbitmq import RabbitMQ, validate_broker_api
from flower.utils.broker.redis import Redis, RedisBase, RedisSentinel, RedisSocket, RedisSsl, without_retries

__all__ = (
    "BROKERS",
    "Amqp",
    "Broker",
    "BrokerBase",
    "BrokerError",
    "Filesystem",
    "Head",
    "Passive",
    "RabbitMQ",
    "Redis",
    "RedisBase",
    "RedisSentinel",
    "RedisSocket",
    "RedisSsl",
    "UnsupportedBroker",
    "is_internal",
    "reason",
    "scheme_of",
    "validate_broker_api",
    "without_retries",
)

BROKERS: dict[str, type[BrokerBase]] = {
    "amqp": RabbitMQ,
    "amqps": RabbitMQ,
    "pyamqp": RabbitMQ,
    "librabbitmq": RabbitMQ,
    "redis": Redis,
    "rediss": RedisSsl,
    "redis+socket": RedisSocket,
    "sentinel": RedisSentinel,
    "filesystem": Filesystem,
}
"""URL scheme -> kind; any other scheme that kombu knows is counted passively."""


class Broker:
    """Makes the broker of a URL. Arguments are those of `BrokerBase`, and `RabbitMQ`'s `http_api`."""

    def __new__(cls, broker_url: str, *args: Any, **kwargs: Any) -> BrokerBase:  # type: ignore[misc]
        scheme = scheme_of(broker_url)
        kind = BROKERS.get(scheme)
        if kind is None and scheme.partition("+")[0] not in TRANSPORT_ALIASES:
            raise UnsupportedBroker(f"'{scheme}' broker is not supported")
        if kind is Redis and kwargs.get("broker_use_ssl"):
            kind = RedisSsl
        try:
            return (kind or Passive)(broker_url, *args, **kwargs)
        except ImportError as error:
            raise UnsupportedBroker(f"the driver of {scheme}:// is not installed: {error}") from error


def scheme_of(broker_url: str) -> str:
    """The scheme of the first URL; amqp without one, as kombu has it."""
    scheme, found, _ = broker_url.partition("://")
    return scheme.lower() if found else "amqp"
