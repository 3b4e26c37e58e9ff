"""/api/events: every event as it comes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

import pytest
import requests

from flower.api import events as api
from flower.store import Task
from tests import factories as make
from tests.api.conftest import SECONDS, Serve, Server

Message = dict[str, Any]


class Listening:
    """An open stream, read message by message. Comments and the opening are passed over."""

    def __init__(self, server: Server, headers: dict[str, str] | None = None, **arguments: str) -> None:
        self.answer = requests.get(
            server.url + "/api/events", params=arguments, headers=headers, stream=True, timeout=SECONDS
        )
        self._lines = self.answer.iter_lines(chunk_size=1)
        if self.answer.ok:
            assert b"retry: 2000" == next(self._lines)
            # The opening is sent when the listener is known.
            assert b"" == next(self._lines)

    def __enter__(self) -> Listening:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.answer.close()

    def messages(self) -> Iterator[Message]:
        """`{"id", "event", "data"}` of each."""
        message: Message = {"event": "message"}
        for line in self._lines:
            name, _, value = line.decode().partition(": ")
            if not line:
                if "data" in message:
                    yield message
                message = {"event": "message"}
            elif name:
                message[name] = json.loads(value) if name == "data" else value

    def take(self, number: int) -> list[Message]:
        messages = self.messages()
        return [next(messages) for _ in range(number)]

    def types(self, number: int) -> list[str]:
        return [message["data"]["type"] for message in self.take(number)]


def wait_for(claim: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_come(server: Server) -> None:
    """Every event is told as it came, with an id that grows by one."""
    with Listening(server) as listening:
        events = [make.heartbeat(), *make.success("a")]
        server.feed(events)
        told = listening.take(4)
    assert events == [message["data"] for message in told]
    numbers = [int(message["id"].partition("-")[2]) for message in told]
    assert [1, 2, 3, 4] == numbers
    assert ("text/event-stream; charset=UTF-8", "no-store", None) == tuple(
        listening.answer.headers.get(name) for name in ("Content-Type", "Cache-Control", "Content-Encoding")
    )


MUL = ["task-received", "task-started", "task-failed"]


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"type": "task-failed,worker-*"}, ["worker-heartbeat", "task-failed"]),
        ({"type": "task-s*"}, ["task-started", "task-succeeded", "task-started"]),
        ({"task": "tasks.mul"}, MUL),
        ({"worker": "celery@w2"}, MUL),
        ({"search": "state:FAILURE"}, MUL),
        ({"search": "name:mul", "type": "task-failed"}, ["task-failed"]),
    ],
)
def test_filters(server: Server, arguments: dict[str, str], expected: list[str]) -> None:
    """Only what fits is told; the task of an event is looked up where its name or a search needs it."""
    other = {"host": "celery@w2"}
    mul = [make.received("b", name="tasks.mul", **other), make.started("b", **other), make.failed("b", **other)]
    with Listening(server) as all_, Listening(server, **arguments) as listening:
        server.feed(make.heartbeat(), make.success("a"), mul)
        end = all_.take(7)[-1]["id"]
        told = listening.take(len(expected))
    assert expected == [message["data"]["type"] for message in told]
    # And nothing more: whoever goes on from the last one told has the same filter before him.
    with Listening(server, last_id=told[-1]["id"], **arguments) as listening:
        server.feed(make.heartbeat(host="celery@w2"), make.failure("c", name="tasks.mul", host="celery@w2"))
        assert int(listening.take(1)[0]["id"].partition("-")[2]) > int(end.partition("-")[2])


def test_one_task(server: Server) -> None:
    """The events of one task can be followed by its id."""
    with Listening(server, task="a") as listening:
        server.feed(make.received("b"), make.success("a"))
        assert ["a", "a", "a"] == [message["data"]["uuid"] for message in listening.take(3)]


@pytest.mark.parametrize("way", ["header", "argument"])
def test_resume(server: Server, way: str) -> None:
    """Who comes back with an id is told what came since."""
    with Listening(server) as listening:
        server.feed(make.success("a"))
        first = listening.take(1)[0]["id"]
    server.feed(make.received("b"))
    given: dict[str, Any] = {"headers": {"Last-Event-ID": first}} if way == "header" else {"last_id": first}
    with Listening(server, **given) as listening:
        assert ["task-started", "task-succeeded", "task-received"] == listening.types(3)


def test_resume_too_late(server: Server) -> None:
    """Who comes back too late is told how many events are gone, and goes on with the rest."""
    server.app.cluster.feed.kept = 3
    with Listening(server) as listening:
        server.feed(make.heartbeat())
        first = listening.take(1)[0]["id"]
    for number in range(4):
        server.feed(make.received(f"u{number}"))
    with Listening(server, last_id=first) as listening:
        missed, *rest = listening.take(4)
    assert ("missed", 1) == (missed["event"], missed["data"]["count"])
    assert ["u1", "u2", "u3"] == [message["data"]["uuid"] for message in rest]


def test_resume_after_a_restart(server: Server) -> None:
    """An id of another life of the server is told to be one: how much was missed nobody knows."""
    with Listening(server, headers={"Last-Event-ID": "0-5"}) as listening:
        server.feed(make.heartbeat())
        missed, event = listening.take(2)
    assert ("missed", None, "worker-heartbeat") == (missed["event"], missed["data"]["count"], event["data"]["type"])


def test_slow_client(server: Server) -> None:
    """A client that does not read slows nobody, and is told what it missed."""
    server.app.cluster.feed.kept = 50
    host, port = server.url.removeprefix("http://").split(":")
    with socket.socket() as slow, Listening(server, type="worker-*") as quick:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.settimeout(SECONDS)
        slow.connect((host, int(port)))
        slow.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_for(lambda: server.app.cluster.feed.listeners == 2)
        text = "x" * 60_000
        for number in range(400):
            server.app.events.state.apply([make.received(f"u{number}", args=text)])
            if number % 10 == 0:
                time.sleep(0.02)  # let the server send what the socket takes
        server.feed(make.heartbeat())
        # With so little kept, even a quick one may miss some.
        told = next(message["data"] for message in quick.messages() if message["event"] == "message")
        assert "worker-heartbeat" == told["type"]
        seen = b""
        while b"worker-heartbeat" not in seen:
            seen += slow.recv(1 << 20)
    counts = [json.loads(line[6:]) for line in seen.split(b"\n") if line.startswith(b'data: {"count"')]
    assert 0 < counts[-1]["count"] < 400


def test_streams_are_bounded(server: Server) -> None:
    """One client too many is refused with the reason."""
    server.app.cluster.feed.listeners_most = 1
    with Listening(server), Listening(server) as second:
        assert 503 == second.answer.status_code
        assert {"error": "1 clients listen to events already, try again later", "status": 503} == second.answer.json()


def test_heartbeat(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing happens the server shows that it lives, with the id to go on from."""
    monkeypatch.setattr(api, "HEARTBEAT_SECONDS", 0.01)
    with Listening(server) as listening:
        lines = [next(listening._lines) for _ in range(2)]
    assert [f"id: {server.app.cluster.feed.life}-0".encode(), b": still here"] == lines


def test_who_left_is_forgotten(server: Server) -> None:
    """A client that goes is no listener any more, and events are kept for a while."""
    with Listening(server):
        pass
    wait_for(lambda: server.app.cluster.feed.listeners == 0)
    assert server.app.events.state.tap is not None


def test_nobody_listens(server: Server) -> None:
    """Until somebody listens nothing is kept."""
    server.feed(make.success("a"))
    assert server.app.events.state.tap is None


def test_stream_ends_with_the_server(serve: Serve) -> None:
    """A server that stops ends its streams."""
    server = serve()
    with Listening(server) as listening:
        server.loop.add_callback(server.app.cluster.feed.stop)
        assert [] == list(listening.messages())


def hide(task: Task) -> Task:
    task.args = "(hidden)"
    task.result = "hidden" if task.name == "tasks.add" else task.result
    return task


def test_format_task(serve: Serve) -> None:
    """What format_task hides of a task is hidden in its events, by the name that an earlier event told."""
    server = serve(format_task=hide)
    with Listening(server) as listening:
        server.feed(make.success("a"))
        received, _, succeeded = (message["data"] for message in listening.take(3))
    assert ("(hidden)", "{}", "hidden") == (received["args"], received["kwargs"], succeeded["result"])


def fail(task: Task) -> Task:
    raise RuntimeError(task.name)


def test_format_task_fails(serve: Serve) -> None:
    """When format_task fails no argument, result or unknown field is told."""
    server = serve(format_task=fail)
    with Listening(server) as listening:
        server.feed(make.success("a"), make.event("task-progress", 4.0, uuid="a", secret="s"))
        *_, succeeded, progress = (message["data"] for message in listening.take(4))
    assert ("[hidden: format_task failed]", False) == (succeeded["result"], "secret" in progress)


def test_odd_events(serve: Serve) -> None:
    """What is no event is left out; ids of another type are taken as they are, and hidden like all."""
    server = serve(format_task=hide)
    with Listening(server) as listening:
        odd: Any = ["text", {"type": "task-sent"}, {"type": 5, "hostname": "x"}, {"type": "other", "hostname": "x"}]
        server.feed(odd, make.received(7), make.heartbeat())  # type: ignore[arg-type]
        first, second = (message["data"] for message in listening.take(2))
    assert (7, "(hidden)", "worker-heartbeat") == (first["uuid"], first["args"], second["type"])


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"type": "failed"}, "type"),
        ({"type": "task-*failed"}, "type"),
        ({"last_id": "x"}, "last_id"),
        ({"last_id": "1-" + "9" * 40}, "last_id"),
    ],
)
def test_wrong_arguments(server: Server, arguments: dict[str, str], named: str) -> None:
    """A wrong argument is a 400 that names it."""
    answer = server.get("/api/events", **arguments)
    told = answer.json()
    assert (400, f"Invalid {named}", named) == (answer.status_code, told["error"][: len(named) + 8], told["argument"])


def test_wrong_search(server: Server) -> None:
    """A search that cannot be read is a 400 that says where."""
    assert (400, True) == (
        (answer := server.get("/api/events", search="runtime:x")).status_code,
        "position" in answer.json(),
    )


def test_head(server: Server) -> None:
    """HEAD gives the headers and ends."""
    answer = server.request("HEAD", "/api/events")
    assert (200, "text/event-stream; charset=UTF-8") == (answer.status_code, answer.headers["Content-Type"])


def test_needs_the_right_to_see(serve: Serve) -> None:
    """The stream is behind the gate."""
    assert 401 == serve(open_api=False).get("/api/events").status_code
