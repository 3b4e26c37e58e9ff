"""Events from real brokers, over every way to reach them."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from celery import Celery
from celery.events.event import get_exchange

from flower.events import Events
from flower.ingest.amqp import AmqpReceiver
from flower.ingest.decode import Decoder
from flower.ingest.receiver import RECEIVERS, receiving
from flower.ingest.redis import RedisReceiver
from tests.services import Process, RabbitMQ, Redis, accepts, free_port, program, wait_for

TASKS = 300
BACKLOG = 64 * 1024 * 1024
MANY = 300
"""Events of 50 kB: fifteen times what Redis may hold in the test of a flood."""


class SecureRedis(Process):
    """A Redis with TLS, a user with a password, a Unix socket, and a sentinel that watches it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "secure-redis")
        self.port, self.tls_port, self.sentinel_port = free_port(), free_port(), free_port()
        self.certificate, self.key, self.socket = folder / "cert.pem", folder / "key.pem", folder / "redis.sock"
        self.sentinel = Process(folder, "sentinel")

    def start(self) -> None:
        """Start both and wait until they answer."""
        request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
        files = ("-keyout", str(self.key), "-out", str(self.certificate))
        subprocess.run([program("openssl"), *request.split(), *files], check=True, capture_output=True)
        tls = ("--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key), "--tls-auth-clients", "no")
        ports = ("--port", str(self.port), "--tls-port", str(self.tls_port), "--unixsocket", str(self.socket))
        user = ("--user", "flower", "on", ">p@ss/word", "~*", "&*", "+@all")
        common = ("--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.spawn(program("redis-server"), *ports, *tls, *user, *common)
        self.wait_for(lambda: accepts(self.port) and accepts(self.tls_port), 15, "accepts connections")
        watched = f"sentinel monitor mymaster 127.0.0.1 {self.port} 1\n"
        (self.folder / "sentinel.conf").write_text(f"port {self.sentinel_port}\nbind 127.0.0.1\n{watched}")
        self.sentinel.spawn(program("redis-server"), str(self.folder / "sentinel.conf"), "--sentinel")
        self.sentinel.wait_for(lambda: accepts(self.sentinel_port), 15, "accepts connections")

    def end(self, number: int = 15, seconds: float = 15) -> int:
        self.sentinel.end()
        return super().end(number, seconds)


@pytest.fixture(scope="module")
def secure_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureRedis]:
    server = SecureRedis(tmp_path_factory.mktemp("secure"))
    try:
        server.start()
        yield server
    finally:
        server.end()


def urls(server: SecureRedis) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every way to the same Redis: URL and Celery's settings."""
    trust = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(server.certificate)}
    return {
        "database": (f"redis://127.0.0.1:{server.port}/7", {}),
        "user": (f"redis://flower:p%40ss%2Fword@127.0.0.1:{server.port}/0", {}),
        "tls": (f"rediss://127.0.0.1:{server.tls_port}/0", {"broker_use_ssl": trust}),
        "tls in the url": (
            f"rediss://127.0.0.1:{server.tls_port}/0?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs={server.certificate}",
            {},
        ),
        "socket": (f"redis+socket://{server.socket}?virtual_host=3", {}),
        "sentinel": (
            f"sentinel://127.0.0.1:{server.sentinel_port}/2",
            {"broker_transport_options": {"master_name": "mymaster"}},
        ),
        "prefix": (
            f"redis://127.0.0.1:{server.port}/1",
            {"broker_transport_options": {"global_keyprefix": "shop:"}},
        ),
        "no patterns": (
            f"redis://127.0.0.1:{server.port}/4",
            {"broker_transport_options": {"fanout_patterns": False, "fanout_prefix": False}},
        ),
        "exchange": (f"redis://127.0.0.1:{server.port}/5", {"event_exchange": "shopev"}),
    }


def tell(capp: Celery) -> None:
    """Send the lives of some tasks as a worker of this app would."""
    with capp.connection_for_write() as connection:
        worker = capp.events.Dispatcher(connection, hostname="celery@w1", buffer_while_offline=False)
        worker.send("worker-online", freq=2.0)
        for number in range(TASKS):
            worker.send("task-received", uuid=f"u{number}", name="tasks.add", args="()", kwargs="{}")
            worker.send("task-started", uuid=f"u{number}")
            worker.send("task-succeeded", uuid=f"u{number}", result="ü", runtime=0.1)
        worker.close()


@contextmanager
def listening(url: str, settings: dict[str, Any]) -> Iterator[Events]:
    """A thread that receives from the broker."""
    capp = Celery(broker=url, set_as_current=False)
    capp.conf.update(settings)
    events = Events(capp, backlog_bytes=BACKLOG)
    events.start()
    try:
        wait_for(lambda: events.connected, 15, f"connected: {events.failure}")
        yield events
    finally:
        events.stop()


def seen(url: str, settings: dict[str, Any]) -> tuple[int, int]:
    """(events received, tasks that succeeded) of what `tell` sent."""
    with listening(url, settings) as events:
        tell(events.capp)
        wait_for(lambda: events.state.totals["task"] >= 3 * TASKS, 20, f"all were received: {events.state.totals}")
        events.state.flush()
        counts = events.state.counter["celery@w1"]
        return events.state.totals["received"], counts["task-succeeded"]


@pytest.mark.parametrize(
    "way", ["database", "user", "tls", "tls in the url", "socket", "sentinel", "prefix", "no patterns", "exchange"]
)
def test_every_way_to_redis(secure_redis: SecureRedis, way: str) -> None:
    """All events arrive over every form of URL."""
    assert (3 * TASKS + 1, TASKS) == seen(*urls(secure_redis)[way])


def test_redis_without_hiredis(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the fast parser events come through kombu."""
    monkeypatch.delitem(RECEIVERS, "redis")
    assert (3 * TASKS + 1, TASKS) == seen(redis.url, {})


def test_rabbitmq(rabbitmq: RabbitMQ) -> None:
    """All events arrive from RabbitMQ."""
    assert (3 * TASKS + 1, TASKS) == seen(rabbitmq.url, {})


@pytest.mark.parametrize("read_bytes", [61, 262_144])
def test_whatever_rabbitmq_sends(rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch, read_bytes: int) -> None:
    """Messages of any size and form arrive whole and in order, however the stream is cut."""
    monkeypatch.setattr("flower.ingest.amqp.READ_BYTES", read_bytes)
    capp = Celery(broker=rabbitmq.url, set_as_current=False)
    sent: list[tuple[str, dict[str, Any]]] = [
        ("plain", {}),
        ("compressed", {"compression": "zlib"}),
        ("pickled", {"serializer": "pickle"}),
        ("x" * 400_000 if read_bytes > 1_000 else "short", {}),
        ("plain again", {"headers": {"odd": "\xce\x00"}}),
        ("the last", {"serializer": "pickle"}),
    ]
    open_receiver = receiving(capp, Decoder({"json", "pickle"}), BACKLOG)
    with open_receiver as (receiver, _), capp.connection_for_write() as connection:
        assert isinstance(receiver, AmqpReceiver)
        producer = connection.Producer(exchange=get_exchange(connection), routing_key="task.sent")
        for text, options in sent:
            producer.publish([{"args": text}, {"kwargs": text}], **{"serializer": "json", **options})
        found: list[Any] = []
        wait_for(lambda: found.extend(receiver.receive(0.1)) or len(found) == 12, 20, "all", lambda: len(found))
    assert [event for text, _ in sent for event in ({"args": text}, {"kwargs": text})] == found


def test_rabbitmq_without_our_reading(rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over a library whose bytes cannot be read events come through kombu."""
    monkeypatch.setattr("flower.ingest.receiver.is_readable", lambda _: False)
    assert (3 * TASKS + 1, TASKS) == seen(rabbitmq.url, {})


def cut_connections(rabbitmq: RabbitMQ) -> None:
    for connection in requests.get(f"{rabbitmq.api_url}connections", timeout=10).json():
        requests.delete(f"{rabbitmq.api_url}connections/{quote(connection['name'])}", timeout=10)


def delete_queues(rabbitmq: RabbitMQ) -> None:
    """Those of events; RabbitMQ only says that nothing more comes, which is no silence."""
    for queue in requests.get(f"{rabbitmq.api_url}queues", timeout=10).json():
        if queue["name"].startswith("celeryev.") and queue["durable"]:
            requests.delete(f"{rabbitmq.api_url}queues/%2F/{queue['name']}", timeout=10)


@pytest.mark.parametrize(("end", "settings"), [(cut_connections, {}), (delete_queues, {"event_queue_durable": True})])
def test_subscription_that_rabbitmq_ended_is_renewed(
    rabbitmq: RabbitMQ, end: Callable[[RabbitMQ], None], settings: dict[str, Any]
) -> None:
    """What ends it is told, and it is there again without anybody's doing."""
    with listening(rabbitmq.url, settings) as events:
        since = events.connected_since

        def is_noticed() -> bool:
            end(rabbitmq)
            return events.connected_since != since

        wait_for(is_noticed, 20, "it is noticed")
        wait_for(lambda: events.connected, 15, "connected anew")
        tell(events.capp)
        wait_for(lambda: events.state.totals["task"] >= 3 * TASKS, 20, "events arrive again")
    assert 3 * TASKS == events.state.totals["task"]


def test_filesystem(tmp_path: Path) -> None:
    """All events arrive over the demo's broker."""
    for name in ("data", "control"):
        (tmp_path / name).mkdir()
    folders = {"data_folder_in": str(tmp_path / "data"), "data_folder_out": str(tmp_path / "data")}
    options = {"broker_transport_options": {**folders, "control_folder": str(tmp_path / "control")}}
    assert (3 * TASKS + 1, TASKS) == seen("filesystem://", options)


def test_nothing_is_left_in_redis(own_redis: Redis) -> None:
    """Watching leaves no key behind."""
    with listening(own_redis.url, {}) as events:
        tell(events.capp)
    assert [] == keys(own_redis)


def keys(redis: Redis) -> list[str]:
    """All keys of the first database."""
    with socket.create_connection(("127.0.0.1", redis.port)) as connection, connection.makefile("rb") as answer:
        connection.sendall(b"*2\r\n$4\r\nKEYS\r\n$1\r\n*\r\n")
        return [answer.read(int(answer.readline()[1:]) + 2).decode() for _ in range(int(answer.readline()[1:]))]


def test_subscription_that_redis_cut_off_is_renewed(own_redis: Redis) -> None:
    """Redis closes the subscription; it is there again without anybody's doing."""
    with listening(own_redis.url, {}) as events:
        since = events.connected_since
        with socket.create_connection(("127.0.0.1", own_redis.port)) as connection:
            connection.sendall(b"*4\r\n$6\r\nCLIENT\r\n$4\r\nKILL\r\n$4\r\nTYPE\r\n$6\r\npubsub\r\n")
            connection.recv(100)
        wait_for(lambda: events.connected and events.connected_since != since, 10, "connected anew")
        tell(events.capp)
        wait_for(lambda: events.state.totals["task"] >= 3 * TASKS, 20, "events arrive again")
    assert 3 * TASKS == events.state.totals["task"]


def ask(redis: Redis | SecureRedis, *words: str) -> bytes:
    """What Redis answers to a command."""
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        command = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        connection.sendall(f"*{len(words)}\r\n{command}".encode())
        return connection.recv(100)


@pytest.mark.parametrize("way", ["database", "tls"])
def test_flood_waits_beside_us(secure_redis: SecureRedis, way: str) -> None:
    """While nobody takes events, more than Redis holds for a subscriber waits in the pump, and none is lost."""
    ask(secure_redis, "CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 1mb 1")
    url, settings = urls(secure_redis)[way]
    capp = Celery(broker=url, set_as_current=False)
    capp.conf.update(settings)
    open_receiver = receiving(capp, Decoder({"json"}), BACKLOG)
    with open_receiver as (receiver, _), capp.connection_for_write() as connection:
        worker = capp.events.Dispatcher(connection, hostname="celery@w1", buffer_while_offline=False)
        for number in range(MANY):
            worker.send("task-received", uuid=f"u{number}", name="tasks.add", args="x" * 50_000)
        found = []
        wait_for(lambda: found.extend(receiver.receive(0.1)) or len(found) == MANY, 20, "all", lambda: len(found))
    assert [f"u{number}" for number in range(MANY)] == [event["uuid"] for event in found]


def test_tls_asks_for_a_certificate_as_ever(secure_redis: SecureRedis) -> None:
    """A Redis whose certificate nobody vouches for is refused, pump or not."""
    capp = Celery(broker=f"rediss://127.0.0.1:{secure_redis.tls_port}/0?ssl_cert_reqs=CERT_REQUIRED")
    with pytest.raises(Exception, match="certificate verify failed"), receiving(capp, Decoder({"json"}), BACKLOG):
        pass


@pytest.mark.parametrize("way", ["database", "tls"])
def test_pump_that_was_killed_is_told(secure_redis: SecureRedis, way: str) -> None:
    """That it is gone is not put down to Redis."""
    url, settings = urls(secure_redis)[way]
    capp = Celery(broker=url, set_as_current=False)
    capp.conf.update(settings)
    with receiving(capp, Decoder({"json"}), BACKLOG) as (receiver, _):
        assert isinstance(receiver, RedisReceiver)
        assert receiver._pump is not None
        receiver._pump.kill()
        with pytest.raises(ConnectionError) as lost:
            any(receiver.receive(0.1) for _ in range(100))
    assert "The process that receives from Redis for this server ended: Killed" == str(lost.value)


def test_flood_waits_in_rabbitmq(rabbitmq: RabbitMQ) -> None:
    """Within the bound RabbitMQ keeps what we have no time for, though Celery's limit says to drop it at once."""
    capp = Celery(broker=rabbitmq.url, set_as_current=False)
    capp.conf.event_queue_ttl = 0.001
    open_receiver = receiving(capp, Decoder({"json"}), BACKLOG)
    with open_receiver as (receiver, _), capp.connection_for_write() as connection:
        worker = capp.events.Dispatcher(connection, hostname="celery@w1", buffer_while_offline=False)
        for number in range(MANY):
            worker.send("task-received", uuid=f"u{number}", name="tasks.add", args="x" * 50_000)
        found = []
        wait_for(lambda: found.extend(receiver.receive(0.1)) or len(found) == MANY, 20, "all", lambda: len(found))
    assert [f"u{number}" for number in range(MANY)] == [event["uuid"] for event in found]


@pytest.mark.parametrize("backlog", [0, BACKLOG])
def test_silent_redis_is_noticed(own_redis: Redis, monkeypatch: pytest.MonkeyPatch, backlog: int) -> None:
    """A Redis that neither answers nor closes the connection counts as lost."""
    monkeypatch.setattr("flower.ingest.redis.PING_AFTER_SECONDS", 0.2)
    monkeypatch.setattr("flower.ingest.redis.ANSWER_SECONDS", 0.3)
    capp = Celery(broker=own_redis.url, set_as_current=False)
    with receiving(capp, Decoder({"json"}), backlog) as (receiver, _):
        own_redis.pause()
        with pytest.raises(ConnectionError) as lost:
            any(receiver.receive(0.1) for _ in range(50))
        own_redis.resume()
    assert "has not answered" in str(lost.value)


@pytest.mark.parametrize("backlog", [0, BACKLOG])
def test_idle_redis_stays_connected(own_redis: Redis, monkeypatch: pytest.MonkeyPatch, backlog: int) -> None:
    """A Redis with nothing to tell answers the question whether it lives."""
    monkeypatch.setattr("flower.ingest.redis.PING_AFTER_SECONDS", 0.2)
    monkeypatch.setattr("flower.ingest.redis.ANSWER_SECONDS", 1.0)
    capp = Celery(broker=own_redis.url, set_as_current=False)
    with receiving(capp, Decoder({"json"}), backlog) as (receiver, _):
        assert [[]] * 20 == [receiver.receive(0.1) for _ in range(20)]


def test_busy_receiver_stays_connected(own_redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who had no time to read for a while, as the store was slow, takes that for no silence of Redis'."""
    monkeypatch.setattr("flower.ingest.redis.MESSAGES_A_BATCH", 1)
    monkeypatch.setattr("flower.ingest.redis.BACKLOG_BYTES", 1)
    capp = Celery(broker=own_redis.url, set_as_current=False)
    found: list[Any] = []
    with receiving(capp, Decoder({"json"})) as (receiver, connection):
        assert isinstance(receiver, RedisReceiver)
        with connection.clone() as other:
            worker = capp.events.Dispatcher(other, hostname="celery@w1", buffer_while_offline=False)
            for number in range(10):
                worker.send("task-received", uuid=f"u{number}", name="tasks.add", args="x" * 20_000)

        def take() -> bool:
            receiver._heard -= 100
            found.extend(receiver.receive(0.1))
            return len(found) == 10

        wait_for(take, 20, "all", lambda: len(found))
    assert [f"u{number}" for number in range(10)] == [event["uuid"] for event in found]


def test_no_broker_says_why() -> None:
    """The reason that is shown names the address."""
    port = free_port()
    capp = Celery(broker=f"redis://127.0.0.1:{port}/0", set_as_current=False)
    with pytest.raises(Exception) as failure, receiving(capp, Decoder({"json"})):  # each driver has its own
        pass
    assert f"127.0.0.1:{port}" in str(failure.value)
