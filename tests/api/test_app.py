"""Starting and stopping the application, also inside other programs."""

from __future__ import annotations

import asyncio
import gc
import os
import queue
import socket
import stat
import subprocess
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import requests
import tornado.web
from celery import Celery
from tornado.httpclient import AsyncHTTPClient

from flower.app import Flower, rewrite_handler
from flower.options import options as default_options
from flower.urls import handlers
from flower.utils import remote
from tests import factories as make
from tests.api.conftest import SECONDS, Serve, options_of


@pytest.fixture
async def app() -> AsyncIterator[Flower]:
    """An application that nobody started yet."""
    made = Flower(options=options_of(enable_events=False), capp=Celery("tests", broker="memory://"))
    yield made
    made.stop()


async def health(app: Flower) -> tuple[int, bytes]:
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{app.start_http_server()}/healthcheck")
    return answer.code, answer.body


async def test_start_binds(app: Flower) -> None:
    """start() alone serves, and does not block a loop that runs already."""
    app.start()
    assert (200, b"OK") == await health(app)


async def test_binding_twice(app: Flower) -> None:
    """The port is bound once, however often one asks."""
    assert app.start_http_server() == app.start_http_server()


async def test_stopping(app: Flower) -> None:
    """After stop() nobody listens and what was seen is safe; a second stop() does nothing."""
    app.start()
    port = app.start_http_server()
    app.events.state.apply(make.success("a"))
    app.stop()
    app.stop()
    assert not app.started
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port or 0)):
        pass


async def test_durable_store(tmp_path: Path) -> None:
    """What was seen before stop() is there after the next start."""
    options = options_of(persistent=True, db=str(tmp_path / "tasks"))
    capp = Celery("tests", broker="memory://")
    first = Flower(options=options, capp=capp)
    first.events.state.apply(make.success("a"))
    first.stop()
    second = Flower(options=options, capp=capp)
    task = second.events.state.task("a")
    second.stop()
    assert task is not None
    assert "SUCCESS" == task.state


async def test_shorthand(app: Flower) -> None:
    """The parts have short names."""
    cluster = app.cluster
    assert (cluster.capp, cluster.events, cluster.inspector) == (app.capp, app.events, app.inspector)
    assert (cluster.inspector.workers, cluster.events.state) == (app.workers, cluster.state)


async def test_default_options() -> None:
    """Without options those of the command line hold."""
    made = Flower(capp=Celery("tests", broker="memory://"))
    made.stop()
    assert default_options is made.options


async def test_broker_uri() -> None:
    """The broker's URL is told without its password."""
    made = Flower(options=options_of(), capp=Celery("tests", broker="redis://:secret@host:1/2"))
    uris = (made.broker_uri, made.broker_uri_with_password, made.transport)
    made.stop()
    assert ("redis://:**@host:1/2", "redis://:secret@host:1/2", "redis") == uris


async def test_own_handlers() -> None:
    """Handlers of the caller replace ours and are put under the prefix."""

    class Hello(tornado.web.RequestHandler):
        def get(self) -> None:
            self.finish("hello")

    made = Flower(
        options=options_of(url_prefix="p"), capp=Celery("tests", broker="memory://"), handlers=[(r"/hello", Hello)]
    )
    answer = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{made.start_http_server()}/p/hello")
    made.stop()
    assert b"hello" == answer.body


@pytest.mark.parametrize(
    "prefix, pattern", [("p", "/p/worker/(.+)$"), ("/p/q/", "/p/q/worker/(.+)$"), ("", "/worker/(.+)$")]
)
def test_rewrite_handler(prefix: str, pattern: str) -> None:
    """A handler under a prefix keeps its name and class."""
    spec = next(spec for spec in handlers if spec.name == "worker")
    moved = rewrite_handler(spec, prefix)
    assert (pattern, spec.name, spec.handler_class) == (moved.regex.pattern, moved.name, moved.handler_class)


async def test_unix_socket(tmp_path: Path) -> None:
    """A socket file has the given mode and goes with the server."""
    path = tmp_path / "flower.sock"
    options = options_of(unix_socket=str(path), unix_socket_mode="0600")
    made = Flower(options=options, capp=Celery("tests", broker="memory://"))
    port, mode = made.start_http_server(), stat.S_IMODE(path.stat().st_mode)
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"GET /healthcheck HTTP/1.0\r\n\r\n")
    status = await reader.readline()
    writer.close()
    await writer.wait_closed()
    made.stop()
    assert (None, 0o600, b"HTTP/1.1 200 OK\r\n", False) == (port, mode, status, path.exists())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Options that name a fresh certificate and its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = {"certfile": str(folder / "cert.pem"), "keyfile": str(folder / "key.pem")}
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    output = ["-out", files["certfile"], "-keyout", files["keyfile"]]
    subprocess.run([*command, *output, "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    return files


def test_tls(serve: Serve, certificate: dict[str, str]) -> None:
    """With a certificate the server speaks HTTPS."""
    url = serve(**certificate).url.replace("http://", "https://")
    answer = requests.get(f"{url}/healthcheck", verify=certificate["certfile"], timeout=SECONDS)
    assert (200, "OK") == (answer.status_code, answer.text)


def test_no_tls_no_answer(serve: Serve, certificate: dict[str, str]) -> None:
    """A server with a certificate does not speak plain HTTP."""
    with pytest.raises(requests.ConnectionError):
        serve(**certificate).get("/healthcheck")


@pytest.mark.parametrize("address", ["::1", "[::1]"])
def test_ipv6(serve: Serve, address: str) -> None:
    """An IPv6 address may be written with or without brackets."""
    server = serve(address=address)
    port = server.url.rpartition(":")[2]
    assert 200 == requests.get(f"http://[::1]:{port}/healthcheck", timeout=SECONDS).status_code


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Tornado leaves its socket open
async def test_port_is_taken() -> None:
    """A taken port is an OSError for the caller to tell."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        made = Flower(options=options_of(port=other.getsockname()[1]), capp=Celery("tests", broker="memory://"))
        with pytest.raises(OSError, match="in use"):
            made.start_http_server()
        made.stop()
    gc.collect()


def test_bad_word_for_the_open_api(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """FLOWER_UNAUTHENTICATED_API is read at the start, and a word that means nothing is told."""
    monkeypatch.setitem(os.environ, "FLOWER_UNAUTHENTICATED_API", "perhaps")
    with pytest.raises(Exception, match="FLOWER_UNAUTHENTICATED_API: must be true or false, not 'perhaps'"):
        Flower(options=options_of(), capp=Celery("tests", broker="memory://"))


def test_forwarded_headers(serve: Serve) -> None:
    """With xheaders the proxy's words are believed; pages work behind it."""
    server = serve(xheaders=True)
    answer = server.request("GET", "/", headers={"X-Forwarded-Proto": "https", "X-Real-Ip": "203.0.113.9"})
    assert 200 == answer.status_code


def test_silent_workers_hold_up_no_page(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many workers are asked and do not answer, the threads of the pages and of the broker are free."""
    server, asked, end = serve(), threading.Event(), threading.Event()
    questions: list[tuple[str, ...]] = []

    def silent(_: Celery, __: object, names: tuple[str, ...], ___: float) -> dict[str, dict[str, object]]:
        questions.append(names)
        asked.set()
        end.wait(3 * SECONDS)
        return {"registered": {}}

    monkeypatch.setattr(remote, "ask", silent)
    try:
        for number in range(100):
            server.app.watch.doubted(f"celery@{number}", bool)
        assert asked.wait(SECONDS)
        assert [200, 200] == [server.get(path).status_code for path in ("/api/tasks", "/api/queues/length")]
        assert [("celery@0",)] == questions
    finally:
        end.set()


def test_doubted_workers_are_asked_together(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is told of as it answers, those that were doubted while others were asked in one question."""
    server, go_on = serve(), threading.Event()
    told: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()

    def answered(_: Celery, __: object, names: tuple[str, ...], ___: float) -> dict[str, dict[str, list[str]]]:
        assert go_on.wait(SECONDS)
        replies = {name: [f"{len(names)} [send_events=True]"] for name in names}
        return {"registered": replies | {"celery@1": ["quiet"]}}

    monkeypatch.setattr(remote, "ask", answered)
    for name in ("celery@0", "celery@1", "celery@2"):
        server.app.watch.doubted(name, partial(lambda name, tells: told.put((name, tells)), name))
    go_on.set()
    answers = {told.get(timeout=SECONDS) for _ in range(3)}
    assert {("celery@0", True), ("celery@1", False), ("celery@2", True)} == answers
