"""Redis, over TCP, TLS, a socket or sentinels: list lengths, and the queues that kombu has bound.

kombu's own channel is used, so priority steps, separator, key prefix, ACL user and TLS are as the workers have them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import orjson
from kombu import Connection

from flower.utils.broker.base import CONNECT_SECONDS, TOTAL_SECONDS, BrokerBase, BrokerError, Head, Info, is_internal

try:
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ImportError:  # the driver is an extra; kombu says that it is missing when a Redis is asked
    Retry = None  # type: ignore[assignment,misc]

BINDING = "_kombu.binding."
"""Prefix of the sets in which kombu keeps what is bound to an exchange."""

SCAN_SECONDS = 0.3
SCAN_COUNT = 2000
"""Redis has no list of its queues: at most so long a read walks over the keys; the next one goes on."""

CLUSTER_ERRORS = {"AskError", "ClusterCrossSlotError", "ClusterDownError", "MovedError", "TryAgainError"}
"""Of the driver; its early versions do not have all of them."""

HEADS_SECONDS = 0.5
"""A message may be large: at most so long a read looks at heads of queues."""


class RedisBase(BrokerBase):
    """What all ways to a Redis share."""

    kind = "Redis"
    tells_heads = True
    timeouts: ClassVar[Mapping[str, float]] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": TOTAL_SECONDS,
    }

    def __init__(self, broker_url: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(broker_url, *args, **kwargs)
        self.vhost = self.database(self.vhost)
        self.sep: str = self.broker_options.get("sep", "\x06\x16")
        self.priority_steps: list[int] = list(self.broker_options.get("priority_steps", (0, 3, 6, 9)))
        self.broker_prefix: str = self.broker_options.get("global_keyprefix", "")
        self._cursor = 0
        self._walked: set[str] = set()
        self._exchanges: set[str] = set()

    @staticmethod
    def database(vhost: Any) -> int:
        """The number of the database."""
        text = str(vhost or "").strip("/") or "0"
        if not text.isdecimal():
            raise ValueError(f"Database is int between 0 and limit - 1, not {text}")
        return int(text)

    def prepare(self, connection: Connection) -> None:
        without_retries(connection)

    @contextmanager
    def client(self) -> Iterator[tuple[Any, Any]]:
        """kombu's channel, and its Redis client, which puts the key prefix before every key."""
        with self.connected() as connection:
            channel: Any = connection.default_channel
            with channel.conn_or_acquire() as client, self.outside_clusters():
                yield channel, client

    @contextmanager
    def outside_clusters(self) -> Iterator[None]:
        """Say what is wrong where a node of a cluster answers: its own words tell of slots only."""
        try:
            yield
        except Exception as error:
            if type(error).__name__ in CLUSTER_ERRORS:
                raise BrokerError(
                    f"{self} is part of a Redis Cluster, which Celery cannot use as its broker"
                ) from error
            raise

    def read(self, names: list[str]) -> dict[str, Info]:
        with self.client() as (channel, client):
            steps = list(channel.priority_steps)
            with client.pipeline(transaction=False) as pipe:
                for name in names:
                    for step in steps:
                        pipe.llen(f"{name}{channel.sep}{step}" if step else name)
                pipe.hlen(channel.unacked_key)
                *counts, self.unacknowledged = pipe.execute()
        rows = zip(names, zip(*[iter(counts)] * len(steps), strict=True), strict=True)
        return {name: _info(name, dict(zip(steps, lengths, strict=True))) for name, lengths in rows}

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        """The ids of the tasks at the head of each priority step."""
        wanted = list(names)
        return await self.run(lambda: self.peek(wanted)) if wanted else {}

    def peek(self, names: list[str]) -> dict[str, list[Head]]:
        """`heads`, blocking."""
        found: dict[str, list[Head]] = {}
        deadline = time.monotonic() + HEADS_SECONDS
        with self.client() as (channel, client):
            for name in names:
                if time.monotonic() > deadline:
                    break
                keys = [f"{name}{channel.sep}{step}" if step else name for step in channel.priority_steps]
                with client.pipeline(transaction=False) as pipe:
                    for key in keys:
                        pipe.lindex(key, -1)  # kombu pushes on the left
                    found[name] = [Head(task=task_of(message)) for message in pipe.execute() if message]
        return found

    async def names(self) -> list[str]:
        """Queues that kombu has bound to an exchange in this database, but Celery's own."""
        return await self.run(self.bound)

    def bound(self) -> list[str]:
        """`names`, blocking."""
        with self.client() as (channel, client):
            self.walk(client, str(channel.global_keyprefix))
            exchanges = sorted(self._exchanges | self._walked)
            with client.pipeline(transaction=False) as pipe:
                for exchange in exchanges:
                    pipe.smembers(BINDING + exchange)
                found = pipe.execute()
        members = {text(member).split(channel.sep)[-1] for members in found for member in members}
        return sorted(name for name in members if name and not is_internal(name))

    def walk(self, client: Any, prefix: str) -> None:
        """Look for exchanges until all keys were seen or the time is over."""
        head = prefix + BINDING
        deadline = time.monotonic() + SCAN_SECONDS
        while True:
            self._cursor, keys = client.scan(self._cursor, match=f"{glob(head)}*", count=SCAN_COUNT)
            found = (text(key)[len(head) :] for key in keys)
            self._walked.update(exchange for exchange in found if not is_internal(exchange))
            if not self._cursor:
                self._exchanges, self._walked = self._walked, set()
                return
            if time.monotonic() > deadline:
                return


def _info(name: str, lengths: Mapping[int, int]) -> Info:
    info: Info = {"name": name, "messages": sum(lengths.values())}
    if any(length for step, length in lengths.items() if step):
        info["priorities"] = {step: length for step, length in lengths.items() if length}
    return info


def task_of(message: bytes | str) -> str | None:
    """The id of the task in a message as kombu writes it."""
    try:
        found = orjson.loads(message)["headers"]["id"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


class Redis(RedisBase):
    """redis://user:password@host:port/database"""


class RedisSsl(RedisBase):
    """rediss://, or redis:// with `broker_use_ssl`."""


class RedisSocket(RedisBase):
    """redis+socket:///path?virtual_host=database"""

    def __init__(self, broker_url: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(broker_url, *args, **kwargs)
        parts = urlsplit(self.broker_url)
        query = parse_qs(parts.query)
        self.host, self.port = unquote(parts.path), None
        self.username = unquote(parts.username) if parts.username else None
        self.password = unquote(parts.password) if parts.password else None
        self.vhost = self.database(query.get("virtual_host", [self.vhost])[0])


class RedisSentinel(RedisBase):
    """sentinel://host:port/database;sentinel://host:port/database; `master_name` is a transport option."""

    kind = "Redis sentinel"

    def __init__(self, broker_url: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(broker_url, *args, **kwargs)
        self.master_name = self.broker_options.get("master_name")
        if not self.master_name:
            raise ValueError("the transport option master_name is required for sentinel://")
        self.sentinel_kwargs = self.broker_options.get("sentinel_kwargs")
        self.sentinels = [(part.hostname, part.port or 26379) for part in map(urlsplit, broker_url.split(";"))]


def without_retries(connection: Connection) -> None:
    """Let the connection fail at once: redis-py tries for ten seconds, and its reader has left by then."""
    transport: Any = connection.transport
    if transport.driver_type != "redis" or Retry is None:
        return
    transport.Channel = _impatient(transport.Channel)
    options = connection.transport_options
    if "master_name" in options:
        # A dead sentinel must not take the time of the next one.
        own = {name: value for name, value in options.items() if name.startswith("socket_")}
        options["sentinel_kwargs"] = own | {"retry": Retry(NoBackoff(), 0)} | (options.get("sentinel_kwargs") or {})


@cache
def _impatient(channel: Any) -> Any:
    """kombu's channel class, with connections that do not try again."""

    class Channel(channel):  # type: ignore[misc]
        def _connparams(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
            return {**super()._connparams(*args, **kwargs), "retry": Retry(NoBackoff(), 0)}

    return Channel


def text(value: bytes | str) -> str:
    """Keys and members as text, whether the client decodes or not."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def glob(literal: str) -> str:
    """`literal` for a Redis pattern."""
    return "".join(f"\\{char}" if char in "*?[]\\" else char for char in literal)
