"""What every kind of broker shares: where it is, how to reach it, how its failures are told.

Connections are made by kombu from the same URL and settings as the workers' own, so that what
they see is what is seen here. Each read opens its own connection in a thread and closes it.
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from kombu import Connection

from flower.utils.executor import DaemonExecutor
from flower.utils.masking import mask_text

CONNECT_SECONDS = 1.0
TOTAL_SECONDS = 2.0
REASON_LENGTH = 300

T = TypeVar("T")
Info = dict[str, Any]

INTERNAL = re.compile(r"(^|\.)pidbox$|^amq\.gen-|^bcast\.")

_executor = DaemonExecutor(4, "flower-broker")


class BrokerError(Exception):
    """The broker could not be asked; the text says which one and why."""


class UnsupportedBroker(BrokerError, NotImplementedError):
    """No transport of this name is installed."""


@dataclass(frozen=True, slots=True)
class Head:
    """A message at the head of a queue: the id of its `task`, and `since` when it waits; None is unknown."""

    task: str | None = None
    since: float | None = None


class BrokerBase(ABC):
    """One broker. Times are limited: 1 s to connect, 2 s for an answer.

    `broker_options` are Celery's `broker_transport_options`, `broker_use_ssl` is the setting of
    that name. `executor` runs what blocks.
    """

    kind = "broker"
    names_seconds = 10.0
    """For how long `names` holds: listing what exists is dear in some brokers."""
    tells_heads = False
    """Whether `heads` can tell anything of every queue with messages."""
    timeouts: ClassVar[Mapping[str, float]] = {}
    """Transport options that limit how long the driver waits."""

    def __init__(
        self,
        broker_url: str,
        *_: Any,
        broker_options: Mapping[str, Any] | None = None,
        broker_use_ssl: Any = None,
        login_method: str | None = None,
        executor: Executor | None = None,
        **__: Any,
    ) -> None:
        self.broker_url = broker_url
        self.broker_options = dict(broker_options or {})
        self.broker_use_ssl = broker_use_ssl
        self.login_method = login_method
        self.executor = executor
        self.note: str | None = None
        """What the last answer lacks, and why."""
        self.unacknowledged: int | None = None
        """Messages of all queues that workers hold, at the last read, where only their sum is known."""
        info = self.connection()
        self.host: str | None = info.hostname or "localhost"
        self.port: int | None = info.port or info.get_transport_cls().default_port
        self.username: str | None = info.userid
        self.password: str | None = info.password
        self.vhost: Any = info.virtual_host

    async def queues(self, names: Iterable[str]) -> dict[str, Info]:
        """Facts of the queues, by name; a queue that the broker does not know is left out.

        Each has `name` and `messages`. BrokerError when the broker does not answer.
        """
        wanted = list(dict.fromkeys(names))
        return await self.run(lambda: self.read(wanted)) if wanted else {}

    async def names(self) -> list[str]:
        """Names of the task queues that exist in the broker, as far as it can tell."""
        return []

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        """The messages that are next, among them that which waits longest, of the queues of which the broker tells it.

        They are looked at and left where they are.
        """
        return {}

    def expire(self) -> None:  # noqa: B027 - most brokers keep nothing
        """Forget answers that are kept."""

    @abstractmethod
    def read(self, names: list[str]) -> dict[str, Info]:
        """`queues`, blocking."""

    def connection(self) -> Connection:
        """A new connection, not yet made."""
        options = {**self.timeouts, **self.broker_options} if self.timeouts else dict(self.broker_options)
        return Connection(
            self.broker_url,
            ssl=self.broker_use_ssl or False,
            login_method=self.login_method,
            connect_timeout=CONNECT_SECONDS,
            transport_options=options,
        )

    def prepare(self, connection: Connection) -> None:  # noqa: B027 - most brokers need nothing
        """What is to be done before it is made."""

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """A connection that is made on entry, and closed on exit."""
        with self.connection() as connection:
            self.prepare(connection)
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
            yield connection

    async def run(self, func: Callable[[], T]) -> T:
        """The result of a blocking read; its failure as a BrokerError."""
        try:
            return await _within(TOTAL_SECONDS, self.executor or _executor, func)
        except BrokerError:
            raise
        except TimeoutError as error:
            raise BrokerError(f"{self} does not answer within {TOTAL_SECONDS:.0f} s") from error
        except ImportError as error:
            raise BrokerError(f"{self} cannot be asked: {error}") from error
        except Exception as error:  # every driver has exceptions of its own
            raise BrokerError(f"{self} does not answer: {reason(error)}") from error

    def __str__(self) -> str:
        where = f"{self.host}:{self.port}" if self.port else str(self.host)
        return f"{self.kind} at {where}"


async def _within(seconds: float, executor: Executor, func: Callable[[], T]) -> T:
    """The result of `func`; TimeoutError after `seconds`, while the thread goes on."""
    call = asyncio.wrap_future(executor.submit(func))
    call.add_done_callback(_mark_seen)
    done, _ = await asyncio.wait({call}, timeout=seconds)
    if not done:
        raise TimeoutError
    return call.result()


def _mark_seen(call: asyncio.Future[Any]) -> None:
    """A failure that comes after its reader left is nobody's news."""
    if not call.cancelled():
        call.exception()


def reason(error: BaseException) -> str:
    """What went wrong, in one short line without credentials and without the insides of the driver."""
    text = re.sub(r"\s*:?\s*<.*>", "", " ".join(str(error).split())) or type(error).__name__
    return mask_text(text)[:REASON_LENGTH]


def is_internal(name: str, event_prefix: str = "celeryev") -> bool:
    """Whether Celery itself made the queue: remote control, events, replies and broadcasts."""
    return bool(INTERNAL.search(name)) or name == event_prefix or name.startswith(f"{event_prefix}.")
