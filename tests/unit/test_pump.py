"""The process that empties Redis' socket, as a function between two pairs of sockets."""

from __future__ import annotations

import fcntl
import resource
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from flower.ingest.pump import PIECE_BYTES, Pump, main

MEGABYTE = bytes(range(256)) * 4096
HIGH = 1_500
"""A descriptor of a server with so many open pages."""


@dataclass
class Line:
    """From `sender` through the pump to `taker`."""

    sender: socket.socket
    pump: Pump
    taker: socket.socket
    thread: threading.Thread

    def wait_for_end(self) -> bool:
        """Whether the pump has ended."""
        self.thread.join(15)
        return not self.thread.is_alive()


def connect(limit: int) -> Line:
    """A pump at work that holds so many bytes."""
    sender, source = socket.socketpair()
    sink, taker = socket.socketpair()
    for end in (sender, taker):
        end.settimeout(15)
    pump = Pump(source.fileno(), sink.fileno(), limit)

    def work() -> None:
        with source, sink:
            pump.run()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return Line(sender, pump, taker, thread)


@pytest.fixture
def line() -> Iterator[Line]:
    """A pump that holds more than the tests send."""
    line = connect(64 * len(MEGABYTE))
    with line.sender, line.taker:
        yield line


def taken(line: Line) -> bytes:
    """All that comes until the end."""
    return b"".join(iter(lambda: line.taker.recv(PIECE_BYTES), b""))


def test_what_nobody_takes_yet_is_held(line: Line) -> None:
    """A sender is not held up by a taker that sleeps; all arrives, in order, when it wakes."""
    line.sender.sendall(MEGABYTE * 8)
    line.sender.close()
    assert (MEGABYTE * 8, True) == (taken(line), line.wait_for_end())


def test_what_the_taker_says_is_handed_on(line: Line) -> None:
    """Questions go the other way, also while much waits in this one."""
    line.sender.sendall(MEGABYTE * 4)
    line.taker.sendall(b"PING")
    assert b"PING" == line.sender.recv(PIECE_BYTES)
    line.sender.close()
    assert MEGABYTE * 4 == taken(line)


def test_it_ends_with_its_taker(line: Line) -> None:
    """When the server is gone, even killed, its pump does not stay behind."""
    line.taker.close()
    assert line.wait_for_end()


def test_the_rest_is_left_where_it_is() -> None:
    """More than the bound is not held: the sender has to wait."""
    line = connect(PIECE_BYTES)
    with line.taker, line.sender:
        line.sender.settimeout(0.5)
        with pytest.raises(TimeoutError):
            line.sender.sendall(MEGABYTE * 16)
        assert line.pump.size < 2 * PIECE_BYTES


@pytest.fixture
def high() -> Iterator[int]:
    """The least number that a descriptor may get: HIGH, where the system has so many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    least = min(HIGH, hard - 8)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, least + 8), hard))
    yield least
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_descriptors_of_a_busy_server(high: int) -> None:
    """It gets the numbers that its sockets have in the server, where each open page has one, too."""
    sender, source = socket.socketpair()
    sink, taker = socket.socketpair()
    with sender, source, sink, taker:
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, high) for end in (source, sink)]
        sender.sendall(b"event")
        sender.shutdown(socket.SHUT_WR)
        main(*map(str, ends), str(PIECE_BYTES))
        assert b"event" == taker.recv(PIECE_BYTES)
