"""Queues and workers as real brokers and real workers tell them."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from kombu import Queue

from flower.inspector import Inspector, tasks_of
from flower.queues import QueueReport, Queues
from flower.utils.broker import Broker, BrokerBase, BrokerError, RabbitMQ, RedisBase, UnsupportedBroker
from tests.integration.cluster import Worker
from tests.services import Process, accepts, free_port, program, wait_for
from tests.services import RabbitMQ as RabbitServer
from tests.services import Redis as RedisServer

PASSWORD = "p@ss/wörd"
QUOTED = "p%40ss%2Fw%C3%B6rd"


class Servers:
    """One Redis process with several doors, and a sentinel that watches it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process, self.sentinel = Process(folder, "redis"), Process(folder, "sentinel")
        self.port, self.tls_port, self.sentinel_port = free_port(), free_port(), free_port()
        self.socket = folder / "redis.sock"

    def start(self) -> None:
        certificate = ("-keyout", "key.pem", "-out", "cert.pem", "-subj", "/CN=localhost", "-days", "2", "-nodes")
        altname = ("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        command = (program("openssl"), "req", "-x509", "-newkey", "rsa:2048", *certificate, *altname)
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        doors = ["--port", str(self.port), "--tls-port", str(self.tls_port), "--unixsocket", str(self.socket)]
        tls = ["--tls-cert-file", "cert.pem", "--tls-key-file", "key.pem", "--tls-ca-cert-file", "cert.pem"]
        users = ["--user", "monitor", "on", f">{PASSWORD}", "~*", "&*", "+@all"]
        bind = ["--bind", "127.0.0.1", "--save", "", "--tls-auth-clients", "no"]
        self.process.spawn(program("redis-server"), *doors, *tls, *users, *bind)
        self.process.wait_for(lambda: accepts(self.port) and accepts(self.tls_port), 15, "accepts connections")
        conf = self.folder / "sentinel.conf"
        conf.write_text(f"port {self.sentinel_port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {self.port} 1\n")
        self.sentinel.spawn(program("redis-server"), str(conf), "--sentinel")
        self.sentinel.wait_for(lambda: accepts(self.sentinel_port), 15, "accepts connections")

    def end(self) -> None:
        self.sentinel.end()
        self.process.end()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    servers = Servers(tmp_path_factory.mktemp("servers"))
    try:
        servers.start()
        yield servers
    finally:
        servers.end()


def app_of(url: str, **settings: Any) -> Celery:
    """A client of the broker."""
    app = Celery(broker=url, set_as_current=False)
    app.conf.update(task_ignore_result=True, **settings)
    return app


def send(app: Celery, *queues: str, priority: int = 0) -> None:
    """Send a task to each of the queues."""
    with app:
        for queue in queues:
            app.send_task("tests.add", (1, 2), queue=queue, priority=priority)


def broker_of(app: Celery) -> BrokerBase:
    conf = app.conf
    return Broker(conf.broker_url, broker_options=conf.broker_transport_options, broker_use_ssl=conf.broker_use_ssl)


async def counts(broker: BrokerBase, *names: str) -> dict[str, Any]:
    return {name: info.get("messages") for name, info in (await broker.queues(names)).items()}


TLS = {"ssl_cert_reqs": "required", "ssl_ca_certs": "{folder}/cert.pem"}


@pytest.mark.parametrize(
    "url, ssl, options",
    [
        ("redis://127.0.0.1:{port}/1", {}, {}),
        ("redis://monitor:" + QUOTED + "@127.0.0.1:{port}/2", {}, {}),
        ("rediss://127.0.0.1:{tls_port}/3?ssl_cert_reqs=required&ssl_ca_certs={folder}/cert.pem", {}, {}),
        ("rediss://127.0.0.1:{tls_port}/4", TLS, {}),
        ("redis+socket://{socket}?virtual_host=5", {}, {}),
        ("sentinel://127.0.0.1:1/6;sentinel://127.0.0.1:{sentinel_port}/6", {}, {"master_name": "main"}),
        ("redis://127.0.0.1:{port}/7", {}, {"global_keyprefix": "a*pp_"}),
        ("redis://127.0.0.1:{port}/8", {}, {"priority_steps": [0, 5], "sep": ":"}),
    ],
    ids=["tcp", "acl user", "tls in the url", "tls settings", "socket", "sentinels", "key prefix", "priorities"],
)
async def test_redis(servers: Servers, url: str, ssl: dict[str, str], options: dict[str, Any]) -> None:
    """Whatever way workers take to a Redis: its queues are found and counted, in the right database."""
    fill = vars(servers)
    filled = {key: value.format(**fill) for key, value in ssl.items()}
    settings = {"broker_use_ssl": filled or None, "broker_transport_options": options}
    sender = app_of(url.format(**fill).split(";")[-1], **settings)  # celery takes long to give a dead sentinel up
    send(sender, "one", "two", "two")
    send(sender, "two", priority=9)
    broker = broker_of(app_of(url.format(**fill), **settings))
    assert (["one", "two"], {"one": 1, "two": 3}) == (await broker.names(), await counts(broker, "one", "two"))


async def test_wrong_password(servers: Servers) -> None:
    """A refused password is told, without the password."""
    broker = Broker(f"redis://monitor:secret@127.0.0.1:{servers.port}/0")
    with pytest.raises(BrokerError, match=r"WRONGPASS|invalid username") as failure:
        await broker.queues(["one"])
    assert "secret" not in str(failure.value)


@pytest.fixture
def cluster_node(tmp_path: Path) -> Iterator[int]:
    """The port of a node of a Redis Cluster; its bus, 10,000 above, is free as well."""
    port = next(port for port in iter(free_port, 0) if not accepts(port + 10_000))
    node = Process(tmp_path, "node")
    try:
        node.spawn(program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes")
        node.wait_for(lambda: accepts(port), 15, "accepts connections")
        yield port
    finally:
        node.end()


async def test_cluster(cluster_node: int) -> None:
    """A node of a Redis Cluster is an error that says so, never a broker without queues."""
    broker = Broker(f"redis://127.0.0.1:{cluster_node}/0")
    with pytest.raises(BrokerError, match=r"127\.0\.0\.1:\d+ is part of a Redis Cluster, which Celery cannot use"):
        await broker.queues(["celery", "mail"])


def test_no_transport_for_clusters() -> None:
    """A URL of which kombu knows no transport is said to be unsupported."""
    with pytest.raises(UnsupportedBroker, match="rediscluster"):
        Broker("rediscluster://127.0.0.1:7000")


@pytest.mark.parametrize("scheme", ["redis", "amqp", "redis+socket"])
async def test_nobody_there(scheme: str, tmp_path: Path) -> None:
    """A broker that is down is an error, and never a list without queues."""
    place = f"{tmp_path}/no.sock" if scheme == "redis+socket" else f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match="does not answer"):
        await Broker(f"{scheme}://{place}").queues(["one"])


async def test_many_keys(redis: RedisServer) -> None:
    """A walk over many keys goes on where it stopped, and still finds all."""
    app = app_of(redis.url.replace("/0", "/9"))
    send(app, "one", "two")
    broker = broker_of(app)
    assert isinstance(broker, RedisBase)

    def fill() -> None:
        with broker.client() as (_, client):
            client.mset({f"celery-task-meta-{number}": "x" for number in range(20_000)})

    await broker.run(fill)
    first = await broker.names()
    second = await broker.names()
    assert ["one", "two"] == sorted({*first, *second})


async def test_unacknowledged(redis: RedisServer) -> None:
    """What workers hold is told for the whole Redis."""
    app = app_of(redis.url.replace("/0", "/10"))
    send(app, "one", "one")
    broker = broker_of(app)
    assert isinstance(broker, RedisBase)
    with app.connection() as connection:
        message = connection.default_channel.basic_get("one")
        found = await counts(broker, "one")
        message.channel.basic_ack(message.delivery_tag)
    assert ({"one": 1}, 1) == (found, broker.unacknowledged)


@pytest.fixture(scope="module")
def rabbit_app(rabbitmq: RabbitServer) -> Celery:
    """An app with messages in three queues, the last of which is replicated."""
    app = app_of(rabbitmq.url)
    with app.connection_for_write() as connection:
        Queue("broker.quorum", queue_arguments={"x-queue-type": "quorum"}, channel=connection).declare()
        for _ in range(3):
            connection.Producer().publish("x", routing_key="broker.quorum")
    send(app, "broker.one", "broker.two", "broker.two")
    return app


HELD = {"broker.one": 1, "broker.two": 2, "broker.quorum": 3}


async def test_rabbitmq_management(rabbitmq: RabbitServer, rabbit_app: Celery) -> None:
    """The management API lists every queue of the virtual host, with all that it knows."""
    broker = RabbitMQ(rabbitmq.url, rabbitmq.api_url)
    found: dict[str, Any] = {}
    for _ in range(50):  # its numbers are a second or two late
        found = await counts(broker, *await broker.names())
        if found.items() >= HELD.items():
            break
        await asyncio.sleep(0.2)
    assert HELD == {name: found.get(name) for name in HELD}


async def test_rabbitmq_without_management(rabbitmq: RabbitServer, rabbit_app: Celery) -> None:
    """Without it the known queues are counted, missing ones left out, and the note says so."""
    broker = RabbitMQ(rabbitmq.url, f"http://127.0.0.1:{free_port()}/api/")
    found = await counts(broker, "missing", "broker.one", "missing.too", "broker.two", "broker.quorum")
    assert (HELD, True) == (found, "does not answer" in str(broker.note))


async def test_rabbitmq_refuses_the_user(rabbitmq: RabbitServer) -> None:
    """A refused user of the management API is named."""
    broker = RabbitMQ(rabbitmq.url, rabbitmq.api_url.replace("guest:guest", "eve:secret"))
    with pytest.raises(BrokerError, match=r"refused user 'eve' \(401\)"):
        await broker.listing()


async def test_rabbitmq_unknown_host(rabbitmq: RabbitServer) -> None:
    """A virtual host that is not there is named."""
    broker = RabbitMQ(rabbitmq.url.removesuffix("//") + "/nowhere", rabbitmq.api_url)
    with pytest.raises(BrokerError, match=r"knows no virtual host 'nowhere' \(404\)"):
        await broker.listing()


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Celery]:
    """An app whose worker runs one task, keeps one for later and has one waiting, and a queue that nobody consumes."""
    service = request.getfixturevalue(request.param)
    url = service.url.replace("/0", "/11")
    worker = Worker(tmp_path_factory.mktemp("watched"), "asked")
    app = app_of(url)
    try:
        worker.start(url, "-Q", "asked", "-c", "1", "-P", "prefork")
        app.send_task("tests.wait", (60,), queue="asked")
        wait_for(lambda: app.control.inspect(["asked@test"]).active()["asked@test"], 10, "the first task runs")
        app.send_task("tests.add", (1, 2), queue="asked")
        app.send_task("tests.add", (3, 4), queue="asked", countdown=1000)
        app.send_task("tests.add", (5, 6), queue="unread")
        wait_for(lambda: app.control.inspect(["asked@test"]).scheduled()["asked@test"], 10, "the last task waits")
        yield app
    finally:
        app.control.revoke([], destination=["asked@test"])
        app.close()
        worker.end(9)


async def inspect(app: Celery, *args: Any) -> Inspector:
    inspector = Inspector(None, app, 1.0)
    await asyncio.gather(*inspector.inspect(*args))
    return inspector


async def test_inspect_one(watched: Celery) -> None:
    """A worker answers all eight questions."""
    inspector = await inspect(watched, "asked@test")
    assert ({"asked@test": {*Inspector.methods, "timestamp"}}, {}) == (
        {name: set(facts) for name, facts in inspector.workers.items()},
        inspector.failures,
    )


async def test_inspect_one_is_fast(watched: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for the timeout once the worker has answered."""
    inspector = Inspector(None, watched, 60.0)
    done, pending = await asyncio.wait(inspector.inspect("asked@test"), timeout=20)
    assert (8, set()) == (len(done), pending)


async def test_inspect_all(watched: Celery) -> None:
    """A question to all finds the worker."""
    inspector = await inspect(watched)
    assert {*Inspector.inspect_methods, "timestamp"} == set(inspector.workers["asked@test"])


async def test_inspect_nobody(watched: Celery) -> None:
    """A worker that is not there gives a reason instead of an answer."""
    inspector = await inspect(watched, ["asked@test", "nobody@test"])
    assert {"nobody@test": "no reply within 1.0 s: busy, or remote control is off"} == inspector.failures


async def test_inspected_tasks(watched: Celery) -> None:
    """The tasks that a worker has are found: the running, the waiting and the scheduled one."""
    inspector = await inspect(watched, "asked@test")
    facts = inspector.workers["asked@test"]
    tasks = [tasks_of("asked@test", method, facts[method], 1.0) for method in ("active", "reserved", "scheduled")]
    assert [[("tests.wait", "(60,)")], [("tests.add", "(1, 2)")], [("tests.add", "(3, 4)")]] == [
        [(task["name"], task["args"]) for task in found] for found in tasks
    ]


async def test_queue_report(watched: Celery) -> None:
    """The report has consumed and unread queues, with counts and consumers."""
    inspector = await inspect(watched)
    state: Any = SimpleNamespace(workers={}, queue_names={"unread"}, started_at=0.0)
    report: QueueReport = await Queues(watched, inspector, state, "http://127.0.0.1:1/api/").read()
    queues = {queue.name: (queue.messages, queue.consumers) for queue in report.queues}
    assert ((0, ["asked@test"]), (1, []), None) == (queues["asked"], queues["unread"], report.error)
