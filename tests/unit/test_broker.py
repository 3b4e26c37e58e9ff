"""Brokers: every form of URL, the management API's address, and what is told when nothing answers."""

from __future__ import annotations

import os
import ssl
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection
from tornado.httpclient import HTTPClientError

from flower.utils import broker as module
from flower.utils.broker import (
    Broker,
    BrokerError,
    Filesystem,
    Head,
    Passive,
    RabbitMQ,
    Redis,
    RedisSentinel,
    RedisSocket,
    RedisSsl,
    UnsupportedBroker,
    base,
    is_internal,
    reason,
    validate_broker_api,
)
from flower.utils.broker.redis import glob, task_of

SENTINEL = {"broker_options": {"master_name": "m"}}


@pytest.mark.parametrize(
    "url, options, kind",
    [
        ("amqp://", {}, RabbitMQ),
        ("amqps://host", {}, RabbitMQ),
        ("pyamqp://host", {}, RabbitMQ),
        ("amqp://one;amqp://two", {}, RabbitMQ),
        ("redis://", {}, Redis),
        ("redis://host", {"broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_NONE}}, RedisSsl),
        ("rediss://host", {"broker_use_ssl": {"ssl_cert_reqs": ssl.CERT_NONE}}, RedisSsl),
        ("rediss://host/0?ssl_cert_reqs=none", {}, RedisSsl),
        ("redis+socket:///run/redis.sock", {}, RedisSocket),
        ("sentinel://host", SENTINEL, RedisSentinel),
        ("memory://", {}, Passive),
        ("filesystem://", {}, Filesystem),
    ],
)
def test_kind(url: str, options: dict[str, Any], kind: type) -> None:
    """The scheme says what kind of broker it is."""
    assert kind is type(Broker(url, **options))


@pytest.mark.parametrize(
    "url, place",
    [
        ("redis://", ("localhost", 6379, 0, None, None)),
        ("redis://host:1/5", ("host", 1, 5, None, None)),
        ("redis://:p%40ss@host", ("host", 6379, 0, None, "p@ss")),
        ("redis://acl:pw@host/2", ("host", 6379, 2, "acl", "pw")),
        ("redis+socket:///run/redis.sock", ("/run/redis.sock", None, 0, None, None)),
        ("redis+socket://:pw@/run/redis.sock?virtual_host=3", ("/run/redis.sock", None, 3, None, "pw")),
        ("amqp://", ("localhost", 5672, "/", "guest", "guest")),
        ("amqp://u:p@host:1//", ("host", 1, "/", "u", "p")),
        ("amqp://u:p@host:1/a%2Fb", ("host", 1, "a/b", "u", "p")),
    ],
)
def test_place(url: str, place: tuple[Any, ...]) -> None:
    """Host, port, virtual host or database, user and password come from the URL."""
    broker = Broker(url)
    assert place == (broker.host, broker.port, broker.vhost, broker.username, broker.password)


def test_unknown_scheme() -> None:
    """A scheme that kombu does not know is not supported, also in the words of Flower 2."""
    with pytest.raises(NotImplementedError, match="'nonsense' broker is not supported"):
        Broker("nonsense://host")


def test_missing_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheme whose driver is not installed is not supported either, and it says which is missing."""

    def missing(*_: Any, **__: Any) -> None:
        raise ImportError("No module named 'boto3'")

    monkeypatch.setattr(module, "Passive", missing)
    with pytest.raises(UnsupportedBroker, match="boto3"):
        Broker("memory://")


def test_database_that_is_no_number() -> None:
    """Redis has databases with numbers only."""
    with pytest.raises(ValueError, match="Database is int between 0 and limit - 1, not x"):
        Broker("redis://host/x")


def test_redis_options() -> None:
    """Priority steps, separator and key prefix are those of the workers."""
    options = {"priority_steps": [0, 5], "sep": ":", "global_keyprefix": "p_"}
    broker = Redis("redis://", broker_options=options)
    assert ([0, 5], ":", "p_") == (broker.priority_steps, broker.sep, broker.broker_prefix)


def test_sentinel_hosts() -> None:
    """All sentinels are known, and the database."""
    broker = RedisSentinel("sentinel://a:1/2;sentinel://b/2", **SENTINEL)
    assert ([("a", 1), ("b", 26379)], 2, "m") == (broker.sentinels, broker.vhost, broker.master_name)


def test_sentinel_without_master() -> None:
    """Sentinels watch masters by name, so there must be one."""
    with pytest.raises(ValueError, match="master_name"):
        RedisSentinel("sentinel://a")


@pytest.mark.parametrize(
    "api, address",
    [
        (None, "http://host:15672/api/"),
        ("http://u:p@x:1/api/", "http://x:1/api/"),
        ("http://x:1/api", "http://x:1/api/"),
        ("http://x:1", "http://x:1/api/"),
        ("http://x:1/", "http://x:1/api/"),
        ("http://x:1/api/vhost", "http://x:1/api/"),
        ("https://x/rabbit/api/", "https://x/rabbit/api/"),
        ("https://x/behind/a/proxy", "https://x/behind/a/proxy/"),
    ],
)
def test_api_address(api: str | None, address: str) -> None:
    """The API is found with or without slash, path and credentials."""
    assert address == RabbitMQ("amqp://user:secret@host//", api).address


@pytest.mark.parametrize("vhost, path", [("/", "%2F"), ("shop", "shop"), ("a%2Fb", "a%2Fb")])
def test_api_asks_for_its_virtual_host(vhost: str, path: str) -> None:
    """Only the queues of the broker's own virtual host are asked for, also when it is `/`."""
    assert f"http://host:15672/api/queues/{path}" == RabbitMQ(f"amqp://host/{vhost}").request().url


@pytest.mark.parametrize("api, credentials", [(None, ("user", "secret")), ("http://a:b%2F@x/api", ("a", "b/"))])
def test_api_credentials(api: str | None, credentials: tuple[str, str]) -> None:
    """The API's own credentials come first, then the broker's."""
    assert credentials == RabbitMQ("amqp://user:secret@host//", api).credentials


@pytest.mark.parametrize(
    "settings, checked, authority",
    [
        (None, True, None),
        ({"ca_certs": "ca.pem"}, True, "ca.pem"),
        ({"ssl_ca_certs": "ca.pem"}, True, "ca.pem"),
        ({"cert_reqs": ssl.CERT_NONE}, False, None),
    ],
)
def test_api_tls(settings: Any, checked: bool, authority: str | None) -> None:
    """The API's certificate is checked as the broker's is."""
    tls = RabbitMQ("amqps://host", broker_use_ssl=settings).tls()
    assert (checked, authority) == (tls["validate_cert"], tls["ca_certs"])


@pytest.mark.parametrize("url", ["ftp://x/api", "localhost:15672", "http://"])
def test_validate_broker_api(url: str) -> None:
    """What cannot be an API's address is refused, naming it."""
    with pytest.raises(ValueError, match=f"broker_api must be an http or https URL, not '{url}'"):
        validate_broker_api(url)


@pytest.mark.parametrize(
    "code, text",
    [
        (401, "refused user 'user' (401)"),
        (404, "knows no virtual host 'shop' (404)"),
        (599, "does not answer: Timeout while connecting"),
        (500, "answered 500 Internal Server Error"),
    ],
)
def test_api_refusals(code: int, text: str) -> None:
    """What the API's status means is told."""
    broker = RabbitMQ("amqp://user:secret@host/shop")
    error = HTTPClientError(code, "Timeout while connecting" if code == 599 else None)
    assert text == broker.refusal(error)


async def test_api_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API's objects are given as they are, but only of the wanted queues."""
    broker = RabbitMQ("amqp://host")
    monkeypatch.setattr(broker, "fetch", listing_of({"name": "a", "messages": 3, "state": "running"}, {"name": "b"}))
    assert {"a": {"name": "a", "messages": 3, "state": "running"}} == await broker.queues(["a", "missing"])


async def test_api_is_asked_once_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and counts of one report come from one answer."""
    broker = RabbitMQ("amqp://host")
    fetch = listing_of({"name": "a"})
    monkeypatch.setattr(broker, "fetch", fetch)
    await broker.names()
    await broker.queues(["a"])
    assert 1 == fetch.calls


async def test_without_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the API queues are counted over AMQP, and the note says what is missing."""
    broker = RabbitMQ("amqp://host")

    async def fail() -> list[dict[str, Any]]:
        raise BrokerError("the management API does not answer")

    monkeypatch.setattr(broker, "fetch", fail)
    monkeypatch.setattr(broker, "read", lambda names: {name: {"name": name, "messages": 1} for name in names})
    found = await broker.queues(["a"])
    note = "the management API does not answer; only ready messages and consumers are counted, and other queues are"
    assert ({"a": {"name": "a", "messages": 1}}, f"{note} not listed") == (found, broker.note)


async def test_silent_api_is_asked_once_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and counts of one report do not both wait for an API that does not answer."""
    broker = RabbitMQ("amqp://host", "http://api:15672/api/")
    asked: list[str] = []

    async def ask(query: str) -> list[dict[str, Any]]:
        asked.append(query)
        raise BrokerError("the management API is gone")

    monkeypatch.setattr(broker, "ask", ask)
    monkeypatch.setattr(broker, "read", lambda names: {})
    await broker.names()
    await broker.queues(["a"])
    assert (2, True) == (len(asked), "the management API is gone" in str(broker.note))


async def test_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that does not answer is an error with its address and the reason, never an empty answer."""

    def fail(*_: Any) -> None:
        raise OSError("Connection refused")

    broker = Redis("redis://127.0.0.1:1")
    monkeypatch.setattr(broker, "read", fail)
    with pytest.raises(BrokerError, match=r"^Redis at 127\.0\.0\.1:1 does not answer: Connection refused$"):
        await broker.queues(["a"])


async def test_silence_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one that takes the question and keeps silent."""
    broker, end = Redis("redis://host"), threading.Event()
    monkeypatch.setattr(base, "TOTAL_SECONDS", 0.0)
    monkeypatch.setattr(broker, "read", lambda _: end.wait(10))
    with pytest.raises(BrokerError, match=r"^Redis at host:6379 does not answer within 0 s$"):
        await broker.queues(["a"])
    end.set()


async def test_nothing_asked() -> None:
    """No names, no question."""
    assert {} == await Redis("redis://127.0.0.1:1").queues([])


async def test_passive_memory() -> None:
    """The messages of a transport that only imitates AMQP are counted; an unknown queue is left out and not made."""
    name = str(uuid.uuid4())
    with Connection("memory://") as connection:
        queue = connection.SimpleQueue(name)
        queue.put("x")
        found = await Broker("memory://").queues([name, f"{name}-missing"])
        queue.clear()
        queue.close()
    assert {name: {"name": name, "messages": 1}} == found


async def test_passive_filesystem(tmp_path: Path) -> None:
    """The folder of a filesystem broker comes from the transport options."""
    folder = f"{tmp_path}/"
    options = {"data_folder_in": folder, "data_folder_out": folder, "control_folder": folder}
    with Connection("filesystem://", transport_options=options) as connection, connection.SimpleQueue("q") as queue:
        queue.put("x")
        queue.put("y")
    assert {"q": {"name": "q", "messages": 2}} == await Broker("filesystem://", broker_options=options).queues(["q"])


def files(folder: Path, **messages: int) -> Any:
    """A filesystem broker with so many messages by queue, and an exchange that feeds an empty one."""
    number = 0
    for queue, count in messages.items():
        for _ in range(count):
            number += 1
            path = folder / f"{number:06}_{uuid.uuid4()}.{queue.replace('_', '.')}.msg"
            path.write_text("{}")
            os.utime(path, (1000 + number, 1000 + number))
    (folder / "shop.exchange").write_text('[["", "", "empty"], ["", "", "w1.celery.pidbox"]]')
    (folder / "torn.exchange").write_text("[[")
    options = {"data_folder_in": f"{folder}/", "data_folder_out": f"{folder}/", "control_folder": f"{folder}/"}
    return Broker("filesystem://", broker_options=options)


async def test_filesystem_names(tmp_path: Path) -> None:
    """Queues that an exchange feeds or that have messages are found, whatever is in their names."""
    broker = files(tmp_path, mail=1, a_b=2)
    assert ["a.b", "empty", "mail"] == await broker.names()


async def test_filesystem_counts(tmp_path: Path) -> None:
    """One look counts them all."""
    broker = files(tmp_path, mail=1, a_b=2)
    found = await broker.queues(["a.b", "empty", "mail"])
    assert {"a.b": 2, "empty": 0, "mail": 1} == {name: info["messages"] for name, info in found.items()}


async def test_filesystem_heads(tmp_path: Path) -> None:
    """The oldest file tells since when the oldest message waits."""
    broker = files(tmp_path, mail=2, other=1)
    assert {"mail": [Head(since=1001.0)]} == await broker.heads(["mail", "empty"])


async def test_missing_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error, and never a list without queues."""
    broker = Broker("filesystem://", broker_options={"data_folder_in": f"{tmp_path}/gone/"})
    with pytest.raises(BrokerError, match="the filesystem broker does not answer"):
        await broker.queues(["a"])


async def test_api_counts_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics are late, and without numbers for a new queue: totals take their place, rates and consumers stay."""
    broker = RabbitMQ("amqp://host")

    async def ask(query: str) -> list[dict[str, Any]]:
        if "disable_stats" in query:
            return [{"name": "new", "messages": 5}, {"name": "old", "messages": 7, "messages_ready": 6}]
        return [{"name": "new"}, {"name": "old", "messages": 1, "messages_ready": 1, "consumers": 2}]

    monkeypatch.setattr(broker, "ask", ask)
    assert {
        "new": {"name": "new", "messages": 5},
        "old": {"name": "old", "messages": 7, "messages_ready": 6, "consumers": 2},
    } == await broker.queues(["new", "old"])


async def test_api_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API tells when the first message was published, if it was stamped."""
    broker = RabbitMQ("amqp://host")
    listing = listing_of({"name": "a", "head_message_timestamp": 1000}, {"name": "b", "head_message_timestamp": None})
    monkeypatch.setattr(broker, "fetch", listing)
    await broker.names()
    assert {"a": [Head(since=1000.0)]} == await broker.heads(["a", "b", "c"])


@pytest.mark.parametrize(
    "message, task",
    [
        (b'{"headers": {"id": "u1"}}', "u1"),
        (b'{"headers": {"id": 5}}', None),
        (b'{"headers": null}', None),
        (b"\x80pickle", None),
        ("[]", None),
    ],
)
def test_task_of_a_message(message: bytes | str, task: str | None) -> None:
    """A message names its task in its headers; what is no such message names none."""
    assert task == task_of(message)


@pytest.mark.parametrize(
    "name, internal",
    [
        ("celery", False),
        ("celeryevents", False),
        ("pidbox.mine", False),
        ("celery.pidbox", True),
        ("w1@vm.celery.pidbox", True),
        ("1b2c.reply.celery.pidbox", True),
        ("celeryev", True),
        ("celeryev.1b2c", True),
        ("amq.gen-x", True),
        ("bcast.1b2c", True),
    ],
)
def test_is_internal(name: str, internal: bool) -> None:
    """Queues that Celery makes for itself are no task queues."""
    assert internal is is_internal(name)


def test_internal_with_another_event_prefix() -> None:
    """The prefix of event queues is a setting."""
    assert is_internal("ev.1b2c", "ev")


def test_reasons_have_no_passwords() -> None:
    """The text of an error may hold the broker's URL."""
    assert "no way to amqp://u:********@h//" == reason(OSError("no way to amqp://u:secret@h//"))


def test_reasons_are_short() -> None:
    """redis-py puts whole objects into its errors."""
    assert "No master found for 'm' - refused" == reason(
        OSError("No master found for 'm' : <Redis(<Pool(x=1)>)> - refused")
    )


def test_patterns_are_literal() -> None:
    """A key prefix with wildcards means itself."""
    assert r"a\*b\?\[c\]" == glob("a*b?[c]")


class listing_of:  # noqa: N801  # used as a function
    """A management API that answers these queues and counts the questions."""

    def __init__(self, *infos: dict[str, Any]) -> None:
        self.infos = list(infos)
        self.calls = 0

    async def __call__(self) -> list[dict[str, Any]]:
        self.calls += 1
        return self.infos
