"""What it takes to start, to do nothing, to stop, and to be killed."""

from __future__ import annotations

import signal
import statistics
import threading
import time

from redis import Redis as Client

from benchmarks.ingest import fill, missing
from benchmarks.measure import Measure
from benchmarks.subject import Size, Subject
from benchmarks.traffic import WORKERS, envelope, publish
from tests.services import Redis

IDLE_SECONDS = 20.0
STORED_SECONDS = 1.5
HEARTBEAT = {"type": "worker-heartbeat", "freq": 2, "sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}


def beat(broker: Redis, stop: threading.Event) -> None:
    """Let twenty workers tell every two seconds that they live."""
    with Client.from_url(broker.url) as client:
        while not stop.wait(2.0):
            now = time.time()
            facts = {**HEARTBEAT, "timestamp": now, "utcoffset": 0, "pid": 1, "clock": 1, "processed": 0, "active": 0}
            publish(client, [envelope([{**facts, "hostname": name} for name in WORKERS])])


def start(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """From the command to the first answer, and what it needs when there is nothing to do."""
    took, memory, idle = [], 0.0, 0.0
    for number in range(size.repeats):
        target = subject.target()
        try:
            took.append(target.start(broker.url))
            if number:
                continue
            stop = threading.Event()
            threading.Thread(target=beat, args=(broker, stop), daemon=True).start()
            time.sleep(size.seconds / 2)
            cpu, seconds = target.cpu_seconds(), min(IDLE_SECONDS, 2 * size.seconds)
            time.sleep(seconds)
            idle = (target.cpu_seconds() - cpu) / seconds * 100
            memory = target.megabytes()
            stop.set()
        finally:
            target.end(seconds=60)
    return [
        Measure("start, s", statistics.median(took)),
        Measure("20 workers that do nothing: processor, % of a core", idle),
        Measure("20 workers that do nothing: memory, MiB", memory),
    ]


def durable(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """Stop, start and `kill -9` with tasks in a file."""
    target = subject.target()
    options = ("--persistent=True", f"--db={target.folder / 'tasks.db'}", f"--max_tasks={2 * size.kept}")
    target.start(broker.url, *options)
    try:
        fill(target, broker, size.kept)
        time.sleep(STORED_SECONDS)
        target.end(signal.SIGKILL)
        target.start(broker.url, *options)
        lost = missing(target, size.kept)
        if lost:
            fill(target, broker, size.kept)
        began = time.perf_counter()
        target.end(seconds=120)
        stop = time.perf_counter() - began
        again = target.start(broker.url, *options)
    finally:
        target.end(signal.SIGKILL)
    return [
        Measure(f"kill -9 with {size.kept:,} tasks: lost, %", lost),
        Measure(f"stop with {size.kept:,} tasks, s", stop),
        Measure(f"start with {size.kept:,} tasks, s", again),
    ]
