"""RabbitMQ: its management API, or passive declaration over AMQP while that does not answer."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import orjson
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from flower.utils.broker.base import CONNECT_SECONDS, TOTAL_SECONDS, BrokerError, Head, Info, reason
from flower.utils.broker.passive import Amqp

PORT = 15672
LISTING_SECONDS = 1.0
"""`names` and `queues` of one report share one answer of the API."""

RETRY_SECONDS = 30.0
"""How long a guessed API address that does not answer is left alone."""

COLUMNS = (
    *("name", "vhost", "type", "state", "node", "durable", "auto_delete", "exclusive", "arguments", "policy"),
    *("messages", "messages_ready", "messages_unacknowledged", "message_bytes", "message_stats", "memory"),
    *("messages_details", "messages_ready_details", "messages_unacknowledged_details", "head_message_timestamp"),
    *("consumers", "consumer_capacity", "consumer_utilisation", "idle_since", "operator_policy", "members", "leader"),
)
"""Of a queue's object in the API: all but its insides, which are half of the answer."""

STATISTICS = f"?columns={','.join(COLUMNS)}"
"""Rates and consumers. Some seconds old, and without any number for a queue that is younger than that."""
TOTALS = "?disable_stats=true&enable_queue_totals=true"
"""Exact numbers of messages and nothing else, at a quarter of the cost. Since RabbitMQ 3.8.10; ignored before."""

LARGE_BYTES = 200_000
"""An answer of some hundred queues, which is read beside the loop."""


def validate_broker_api(url: str) -> None:
    """ValueError unless `url` can be the address of a management API."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"broker_api must be an http or https URL, not {url!r}")


class RabbitMQ(Amqp):
    """The queues of one virtual host.

    `http_api` is the address of the management API, with or without credentials; without it the
    usual port of the broker's host is tried, with the broker's own credentials.
    """

    kind = "RabbitMQ"
    names_seconds = 0.0

    def __init__(self, broker_url: str, http_api: str | None = None, **kwargs: Any) -> None:
        super().__init__(broker_url, **kwargs)
        if http_api:
            validate_broker_api(http_api)
        self.told = bool(http_api)
        self.http_api = http_api or self.default_api()
        self._listing: list[Info] = []
        self._listed_at = self._silent_until = 0.0
        self._silence = ""

    @staticmethod
    def validate_http_api(http_api: str) -> None:
        """ValueError unless it can be the address of a management API."""
        validate_broker_api(http_api)

    def default_api(self) -> str:
        """Where a RabbitMQ on the broker's host usually has it."""
        host = f"[{self.host}]" if ":" in str(self.host) else self.host
        user = quote(self.username or "guest", safe="")
        password = quote(self.password or "guest", safe="")
        return f"http://{user}:{password}@{host}:{PORT}/api/"

    async def queues(self, names: Iterable[str]) -> dict[str, Info]:
        """Objects of the management API; over AMQP only `messages_ready` and `consumers`, and `note` says why."""
        wanted = list(dict.fromkeys(names))
        try:
            listing = await self.listing()
        except BrokerError as error:
            self.note = f"{error}; only ready messages and consumers are counted, and other queues are not listed"
            return await super().queues(wanted)
        self.note = None
        return {info["name"]: info for info in listing if info["name"] in set(wanted)}

    async def names(self) -> list[str]:
        """Queues of the virtual host, or none while the management API does not answer (`note` says so)."""
        try:
            return [info["name"] for info in await self.listing()]
        except BrokerError:
            return []

    def expire(self) -> None:
        self._listed_at = 0.0

    async def listing(self) -> list[Info]:
        """All queues of the virtual host. BrokerError says what is wrong with the API."""
        now = time.monotonic()
        if now - self._listed_at < LISTING_SECONDS and self._listing:
            return self._listing
        if now < self._silent_until:
            raise BrokerError(self._silence)
        try:
            self._listing = await self.fetch()
        except BrokerError as error:
            # An address that was only guessed is left alone for longer.
            self._silent_until = time.monotonic() + (LISTING_SECONDS if self.told else RETRY_SECONDS)
            self._silence = str(error)
            raise
        self._listed_at = now
        return self._listing

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        """When the first message was published, where its publisher stamped it: Celery does not."""
        times = {info["name"]: info.get("head_message_timestamp") for info in self._listing}
        told = {name: times.get(name) for name in names}
        return {name: [Head(since=float(at))] for name, at in told.items() if isinstance(at, int | float) and at > 0}

    async def fetch(self) -> list[Info]:
        """Ask the API: statistics, with the exact numbers of messages."""
        statistics, totals = await asyncio.gather(self.ask(STATISTICS), self.ask(TOTALS))
        exact = {info["name"]: info for info in totals}
        return [{**info, **exact.get(info["name"], {})} for info in statistics]

    @cached_property
    def client(self) -> AsyncHTTPClient:
        """A client of its own: one for all makes ten requests at a time, and so many may wait for other, dead APIs."""
        return AsyncHTTPClient(force_instance=True)

    async def ask(self, query: str) -> list[Info]:
        """One answer of the API."""
        try:
            body = (await self.client.fetch(self.request(query))).body
            found = await self.run(lambda: orjson.loads(body)) if len(body) > LARGE_BYTES else orjson.loads(body)
        except HTTPClientError as error:
            raise BrokerError(f"the management API at {self.address} {self.refusal(error)}") from error
        except ValueError as error:
            raise BrokerError(f"the management API at {self.address} answered no JSON") from error
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(f"the management API at {self.address} does not answer: {reason(error)}") from error
        if not isinstance(found, list):
            raise BrokerError(f"the management API at {self.address} answered no list of queues")
        return [info for info in found if isinstance(info, dict) and isinstance(info.get("name"), str)]

    def refusal(self, error: HTTPClientError) -> str:
        """What an HTTP status means here."""
        if error.code in (401, 403):
            return f"refused user {self.credentials[0]!r} ({error.code})"
        if error.code == 404:
            return f"knows no virtual host {self.vhost!r} (404)"
        if error.code == 599:
            return f"does not answer: {error.message}"
        return f"answered {error.code} {error.message or ''}".rstrip()

    @property
    def address(self) -> str:
        """The API's address without credentials, ending in a slash; `/api/` is added to a bare host."""
        parts = urlsplit(self.http_api)
        path = parts.path.rstrip("/")
        head, found, _ = f"{path}/".partition("/api/")
        path = f"{head}{found}" if found else f"{path or '/api'}/"
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], path, "", ""))

    @property
    def credentials(self) -> tuple[str, str]:
        """User and password of the API's address, else the broker's."""
        parts = urlsplit(self.http_api)
        if parts.username:
            return unquote(parts.username), unquote(parts.password or "")
        return self.username or "guest", self.password or "guest"

    def request(self, query: str = "") -> HTTPRequest:
        """The request for the queues of the virtual host."""
        user, password = self.credentials
        return HTTPRequest(
            f"{self.address}queues/{quote(self.vhost, safe='')}{query}",
            auth_username=user,
            auth_password=password,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=TOTAL_SECONDS,
            **self.tls(),
        )

    def tls(self) -> dict[str, Any]:
        """The client's TLS options from `broker_use_ssl`, whose names have a prefix or not."""
        given = self.broker_use_ssl if isinstance(self.broker_use_ssl, dict) else {}
        options = {key.removeprefix("ssl_"): value for key, value in given.items()}
        checked = options.get("cert_reqs", ssl.CERT_REQUIRED) not in (ssl.CERT_NONE, "CERT_NONE", "none")
        return {
            "validate_cert": checked,
            "ca_certs": options.get("ca_certs"),
            "client_cert": options.get("certfile"),
            "client_key": options.get("keyfile"),
        }
