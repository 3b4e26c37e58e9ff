"""Readers and events at a time: answers while events come at a steady rate, and how many answers there are at most."""

from __future__ import annotations

import math
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
from redis import Redis as Client

from benchmarks.ingest import FINAL, fill, id_of
from benchmarks.measure import Measure, quantile
from benchmarks.subject import Size, Subject
from benchmarks.target import Target
from benchmarks.traffic import BATCH, CHANNEL, EVENTS_PER_TASK, envelope, life, messages, publish
from tests.services import Redis

LIST = "/api/tasks?limit=50"
PAGES = (LIST, "/workers", "/healthcheck")
OTHERS = {"failures": f"{LIST}&state=FAILURE", "metrics": "/metrics"}
REQUESTS = 60
CONNECTIONS = 8
WATCHED_RATES = (1_000, 10_000)
"""At which the time of answers is told."""
TICK_SECONDS = 0.02
LAG_MOST = 1.0
DRAIN_SECONDS = 60


class Reader(threading.Thread):
    """Somebody who looks at one page after the other."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.milliseconds: list[float] = []
        self.stop = threading.Event()
        self.start()

    def run(self) -> None:
        session = requests.Session()
        while not self.stop.is_set():
            for path in PAGES:
                began = time.perf_counter()
                session.get(self.address + path, timeout=120).raise_for_status()
                self.milliseconds.append((time.perf_counter() - began) * 1000)
                self.stop.wait(TICK_SECONDS)


def lag(target: Target, client: Client) -> float:
    """Seconds until a new task is visible."""
    id_ = str(uuid.uuid4())
    began = time.perf_counter()
    publish(client, [envelope([{**life(0)[1], "uuid": id_, "root_id": id_}])])
    while target.state_of(id_) is None and time.perf_counter() - began < DRAIN_SECONDS:
        time.sleep(0.002)
    return time.perf_counter() - began


def pace(broker: Redis, texts: list[str], rate: int) -> None:
    """Publish messages at so many events a second."""
    with Client.from_url(broker.url) as client:
        began, sent = time.perf_counter(), 0
        while sent < len(texts):
            due = min(len(texts), int((time.perf_counter() - began) * rate / BATCH) + 1)
            with client.pipeline(transaction=False) as pipeline:
                for text in texts[sent:due]:
                    pipeline.publish(CHANNEL, text)
                pipeline.execute()
            sent = due
            time.sleep(TICK_SECONDS)


def paced(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """The highest rate that is held with a full store, and how long answers take meanwhile."""
    found = {rate: math.nan for rate in WATCHED_RATES if rate in size.rates}
    held = 0
    with subject.running(broker, f"--max_tasks={size.kept}") as target:
        fill(target, broker, size.kept)
        first = size.kept
        for rate in size.rates:
            tasks = int(rate * size.seconds / EVENTS_PER_TASK)
            slowest, answers = at_rate(target, broker, rate, tasks, first)
            first += tasks
            if rate in found:
                found[rate] = quantile(answers, 0.99)
            if slowest > LAG_MOST:
                break
            held = rate
    return [
        Measure("highest of the rates that is held with a lag below 1 s, events/s", held, more=True),
        *(Measure(f"answers at {rate:,} events/s, p99 ms", slowest) for rate, slowest in found.items()),
    ]


def at_rate(target: Target, broker: Redis, rate: int, tasks: int, first: int) -> tuple[float, list[float]]:
    """The longest time until a task was visible, the end included, and the milliseconds of answers."""
    texts = list(messages(tasks, first))
    reader = Reader(target.address)
    sender = threading.Thread(target=pace, args=(broker, texts, rate), daemon=True)
    sender.start()
    lags = [0.0]
    with Client.from_url(broker.url) as client:
        while sender.is_alive() and max(lags) <= 5 * LAG_MOST:
            lags.append(lag(target, client))
            time.sleep(0.25)
        sender.join()
        began = time.perf_counter()
        while target.state_of(id_of(first + tasks - 1)) not in FINAL and time.perf_counter() - began < DRAIN_SECONDS:
            time.sleep(0.05)
        lags.append(time.perf_counter() - began)
    reader.stop.set()
    reader.join(DRAIN_SECONDS)
    return max(lags), reader.milliseconds


def answers(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """How long answers take, and how many a second there are at most, with a full store."""
    with subject.running(broker, f"--max_tasks={size.kept}") as target:
        fill(target, broker, size.kept)
        found = [Measure(f"{LIST}, {CONNECTIONS} connections, answers/s", throughput(target, LIST, size.seconds), True)]
        for name, path in {"list of 50": LIST, **OTHERS}.items():
            took = [target.seconds(path) * 1000 for _ in range(REQUESTS if size.repeats > 1 else 5)]
            found.append(Measure(f"{name}, p50 ms", quantile(took, 0.5)))
            found.append(Measure(f"{name}, p95 ms", quantile(took, 0.95)))
    return found


def throughput(target: Target, path: str, seconds: float) -> float:
    """Answers a second over some connections that are kept open."""
    counts = [0] * CONNECTIONS
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        with asking(target.address, path) as answer:
            while time.perf_counter() < until:
                answer()
                counts[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)


@contextmanager
def asking(address: str, path: str) -> Iterator[Callable[[], None]]:
    """A function that asks and reads the answer: the cheapest client there is, for it takes processor time, too."""
    host = urlsplit(address)
    request = f"GET {path} HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n".encode()
    with socket.create_connection((host.hostname, host.port or 80), timeout=120) as connection:
        reader = connection.makefile("rb", 262_144)

        def answer() -> None:
            connection.sendall(request)
            assert reader.readline().split()[1] == b"200"
            length = 0
            while (line := reader.readline()) != b"\r\n":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            reader.read(length)

        yield answer
