"""What the benchmarks tell, and what they send."""

from __future__ import annotations

import math
import socket
import threading

import pytest

from benchmarks.load import asking
from benchmarks.measure import Measure, quantile, table
from benchmarks.traffic import EVENTS_PER_TASK, batches


def test_a_table() -> None:
    """Whether more or less is better is told by the measure, and what was not reached has no ratio."""
    rows = [
        (Measure("rate", 1_000, more=True), Measure("rate", 30_000, more=True)),
        (Measure("start, s", 0.4), Measure("start, s", 0.8)),
        (Measure("lag, s", math.nan), Measure("lag, s", 0.1234)),
        (Measure("lost, %", 98.9), Measure("lost, %", 0)),
    ]
    assert [
        "| | Flower | this Flower | better by |",
        "| --- | ---: | ---: | ---: |",
        "| rate | 1,000 | 30,000 | 30.0 × |",
        "| start, s | 0.4 | 0.8 | 0.5 × |",
        "| lag, s | not reached | 0.123 | – |",
        "| lost, % | 98.9 | 0 | – |",
    ] == table("Flower", rows).splitlines()


def test_quantiles() -> None:
    """The slowest ones count; of nothing there is none."""
    assert (50, 99) == (quantile(range(100), 0.5), quantile(range(100), 0.99))
    assert math.isnan(quantile([], 0.5))


def test_tasks_that_come_later_are_others() -> None:
    """A store that knows the first tasks hears of new ones."""
    first, later = ({event["uuid"] for events in batches(10, start) for event in events} for start in (0, 10))
    assert 10 == len(first) == len(later)
    assert first.isdisjoint(later)
    assert 10 * EVENTS_PER_TASK == sum(map(len, batches(10)))


def test_the_client_reads_whole_answers() -> None:
    """One answer ends where the next begins."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for body in (b"first", b"the second"):
                    connection.recv(4096)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 500 Wrong\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with asking(f"http://127.0.0.1:{server.getsockname()[1]}", "/") as answer:
            answer()
            answer()
            with pytest.raises(AssertionError):
                answer()
        thread.join(10)
    assert not thread.is_alive()
