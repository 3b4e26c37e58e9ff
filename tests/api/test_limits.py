"""What one visitor can take from the others: streams, long addresses and forms, slow connections."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest
import requests

from tests import factories as make
from tests.api.conftest import Serve, Server

SECONDS = 20


@pytest.mark.parametrize(
    "path, module", [("/stream", "flower.views.stream"), ("/api/events", "flower.api.events")], ids=str
)
def test_streams_of_one_user(serve: Serve, path: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One user holds so many streams and no more; others are not affected, and a closed one makes room."""
    monkeypatch.setattr(f"{module}.STREAMS_MOST", 2)
    server = serve(basic_auth=["ann:word", "bob:word"])

    def ask(name: str) -> requests.Response:
        return server.request("GET", path, auth=(name, "word"), stream=True)

    held = [ask("ann"), ask("ann")]
    assert [200, 200, 429, 200] == [
        *(answer.status_code for answer in held),
        ask("ann").status_code,
        ask("bob").status_code,
    ]
    held[0].close()
    until(lambda: ask("ann").status_code == 200)
    held[1].close()


def test_exports_of_one_user(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """One user fetches so many files at a time."""
    monkeypatch.setattr("flower.views.export.EXPORTS_MOST", 0)
    server = serve()
    answer = server.get("/tasks/export")
    assert (429, True) == (answer.status_code, "exports open already" in answer.text)
    monkeypatch.setattr("flower.views.export.EXPORTS_MOST", 1)
    assert [200, 200] == [server.get("/tasks/export").status_code for _ in range(2)]


def test_slow_export(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not take its file is let go, without an end that looks like one."""
    cut = threading.Event()
    monkeypatch.setattr("flower.views.export._close", lambda tasks: cut.set())
    monkeypatch.setattr("flower.views.export.PATIENCE_SECONDS", 0.3)
    server = serve()
    for listening in server.app._server._sockets.values():
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server.feed(*[make.success(str(number), args="x" * 1000) for number in range(1500)])
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(address_of(server))
        client.sendall(b"GET /tasks/export?which=all HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert cut.wait(SECONDS)
        client.settimeout(SECONDS)
        body = b"".join(iter(lambda: client.recv(65536), b""))
    assert (True, False) == (body.startswith(b"HTTP/1.1 200"), body.endswith(b"0\r\n\r\n"))


def until(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("path", ["/tasks", "/api/tasks", "/metrics", "/nope", "/login"])
@pytest.mark.parametrize("length, expected", [(15_000, False), (20_000, True)])
def test_long_address(server: Server, path: str, length: int, expected: bool) -> None:
    """A very long address is refused, not looked at."""
    answer = server.get(f"{path}?x={'x' * length}")
    assert expected == (answer.status_code == 414)


def test_long_headers(server: Server) -> None:
    """So are very long headers; the server goes on."""
    with contextlib.suppress(requests.ConnectionError):
        assert server.request("GET", "/", headers={"X-Long": "x" * 40_000}).status_code in (400, 431)
    assert 200 == server.get("/healthcheck").status_code


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("path", ["/tasks/datatable", "/api/task/revoke/x"])
def test_long_form(server: Server, path: str, kind: str) -> None:
    """A form of hundreds of thousands of fields is not taken apart."""
    answer = server.request("POST", path, data=b"a=&" * 200_000, headers={"Content-Type": kind})
    assert 413 == answer.status_code


def test_long_body(server: Server) -> None:
    """More than ten megabytes are not read at all."""
    said = told(server, b"POST /api/task/send-task/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n")
    assert b"200" not in said


@pytest.mark.parametrize(
    "limit, request_",
    [
        ("IDLE_SECONDS", b"GET / HTTP/1.1\r\nHost: local"),
        ("BODY_SECONDS", b"POST /api/task/revoke/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab"),
    ],
    ids=["headers", "body"],
)
def test_slow_client(serve: Serve, limit: str, request_: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who does not finish a request is let go."""
    monkeypatch.setattr(f"flower.app.{limit}", 0.2)
    assert b"" == told(serve(), request_)


def told(server: Server, request_: bytes) -> bytes:
    """What the server says to it before it closes the connection."""
    with socket.create_connection(address_of(server), SECONDS) as client:
        try:
            client.sendall(request_)
            return client.recv(100)
        except ConnectionError:
            return b""


def address_of(server: Server) -> tuple[str, int]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    return host, int(port)
