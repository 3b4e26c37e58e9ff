"""Measures `/metrics` of large fleets: `python -m benchmarks.scrape`, with `--released` beside Flower 2.2.0 from PyPI.

Workers tell over Redis that each ran every kind of task once; then it is scraped as Prometheus does.
The table is printed and written to benchmarks/scrape.md; on a busy machine look at the processor time.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis as Client

from benchmarks.target import Target, ours, released
from benchmarks.traffic import envelope, publish
from tests.services import Redis, wait_for

BASELINE = "2.2.0"
FLEETS = ((20, 20), (200, 50), (2000, 20))
"""(workers, kinds of tasks)"""
EVENTS_PER_TASK = 3
SCRAPES, FEWEST = 20, 3
MOST_SECONDS = 10.0


@dataclass(frozen=True)
class Scraped:
    """One line of the table."""

    server: str
    workers: int
    kinds: int
    milliseconds: float
    compressed: float
    processor: float
    lines: int
    megabytes: float
    memory: float


def events(worker: str, kinds: int) -> Iterator[dict[str, Any]]:
    """What a worker tells that runs one task of every kind."""
    for kind in range(kinds):
        now, uuid_ = time.time(), str(uuid.uuid4())
        common = {"uuid": uuid_, "hostname": worker, "timestamp": now, "utcoffset": 0, "pid": 1, "clock": 1}
        name = f"shop.module{kind % 7}.task{kind}"
        yield {"type": "task-received", "name": name, "args": "()", "kwargs": "{}", **common}
        yield {"type": "task-started", **common}
        yield {"type": "task-succeeded", "result": "None", "runtime": 0.01 * (kind + 1), **common}


def scraped(server: str, python: str, broker: Redis, workers: int, kinds: int) -> Scraped:
    """Feed a server and scrape it."""
    target = Target(Path(tempfile.mkdtemp(prefix="flower-bench-")), server, python)
    target.start(broker.url)
    try:
        time.sleep(2)  # the first inspection is over
        tasks = (envelope(list(events(f"celery@worker-{number}-abcdef", kinds))) for number in range(workers))
        with Client.from_url(broker.url) as client:
            publish(client, list(tasks))
        text = ""

        def counted() -> bool:
            nonlocal text
            text = target.session.get(f"{target.address}/metrics", timeout=60).text
            return told(text, "task-succeeded") >= workers * kinds

        wait_for(counted, 300, "every event is counted", lambda: told(text, "task-succeeded"))
        plain = list(times(target, "identity"))
        before = target.cpu_seconds()
        packed = list(times(target, "gzip"))
        processor = (target.cpu_seconds() - before) / len(packed)
        return Scraped(
            server,
            workers,
            kinds,
            statistics.median(plain) * 1000,
            statistics.median(packed) * 1000,
            processor * 1000,
            text.count("\n"),
            len(text) / 1e6,
            target.megabytes(),
        )
    finally:
        # Flower 2.2.0 takes long to end after so many series.
        target.end(signal.SIGKILL)


def times(target: Target, encoding: str) -> Iterator[float]:
    """Seconds of some scrapes, of fewer where they take long."""
    end = time.monotonic() + MOST_SECONDS
    for number in range(SCRAPES):
        if number >= FEWEST and time.monotonic() > end:
            return
        yield target.seconds("/metrics", {"Accept-Encoding": encoding})


def told(text: str, type_: str) -> float:
    """How many events of a type are counted, in all series."""
    wanted = f'type="{type_}"'
    lines = (line for line in text.splitlines() if line.startswith("flower_events_total{") and wanted in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def table(rows: list[Scraped]) -> str:
    """All that was measured."""
    lines = [
        "| | workers | kinds of tasks | scrape, ms | compressed, ms | of it processor, ms | lines | MB | memory, MiB |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        times = f"{row.milliseconds:,.0f} | {row.compressed:,.0f} | {row.processor:,.0f}"
        sizes = f"{row.lines:,} | {row.megabytes:.1f} | {row.memory:.0f}"
        lines.append(f"| {row.server} | {row.workers:,} | {row.kinds} | {times} | {sizes} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--released", action="store_true", help=f"measure Flower {BASELINE}, too")
    servers = {"this Flower": ours()}
    if parser.parse_args().released:
        servers = {f"Flower {BASELINE}": released(BASELINE), **servers}
    broker = Redis(Path(tempfile.mkdtemp(prefix="flower-bench-")))
    broker.start()
    try:
        rows = [scraped(name, python, broker, *fleet) for name, python in servers.items() for fleet in FLEETS]
    finally:
        broker.end()
    load = f"{os.cpu_count()} processors with a load of {os.getloadavg()[0]:.0f}"
    machine = f"{load}, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    report = f"# Scraping /metrics\n\nMade by `python -m benchmarks.scrape`: {machine}; medians of {SCRAPES}.\n\n"
    report += table(rows) + "\n"
    (Path(__file__).parent / "scrape.md").write_text(report)
    print(f"\n{report}")


if __name__ == "__main__":
    main()
