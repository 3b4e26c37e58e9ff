"""Measures this Flower beside Flower 2.2.0 from PyPI, on this machine and in one run: `make bench`.

Both get the same events from the same Redis with their default options, one after the other. The table is printed and
written to benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from redis import Redis as Client

from benchmarks.target import Target, ours, released
from benchmarks.traffic import EVENTS_PER_TASK, messages, publish
from tests.services import Redis, wait_for

BASELINE = "2.2.0"
PAGES = {"list of 50": "/api/tasks?limit=50", "failures": "/api/tasks?limit=50&state=FAILURE", "metrics": "/metrics"}
REQUESTS = 60
STARTS = 3
SAMPLES = 200


@dataclass(frozen=True)
class Measure:
    """One line of the table; `more` says whether more is better."""

    name: str
    value: float
    more: bool = False


def measure(name: str, python: str, broker: Redis, texts: list[str], tasks: int) -> list[Measure]:
    """Everything about one server."""
    print(f"measuring {name}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="flower-bench-"))
    found = [Measure("start, s", statistics.median(started(folder, name, python, broker) for _ in range(STARTS)))]
    target = Target(folder, name, python)
    target.start(broker.url)
    try:
        time.sleep(2)  # the first inspection is over
        found += burst(target, broker, texts, tasks)
        found.append(Measure(f"memory with {tasks:,} tasks, MiB", target.megabytes()))
        for page, path in PAGES.items():
            took = sorted(target.seconds(path) * 1000 for _ in range(REQUESTS))
            found.append(Measure(f"{page}, p50 ms", took[len(took) // 2]))
            found.append(Measure(f"{page}, p95 ms", took[int(len(took) * 0.95)]))
    finally:
        target.end()
    return found


def started(folder: Path, name: str, python: str, broker: Redis) -> float:
    """Seconds from the command to the first answer."""
    target = Target(folder, name, python)
    try:
        return target.start(broker.url)
    finally:
        target.end()


def burst(target: Target, broker: Redis, texts: list[str], tasks: int) -> list[Measure]:
    """Events at full speed until the last one is visible over HTTP."""
    final = {"SUCCESS", "FAILURE"}
    ids = [str(uuid.UUID(int=number + 1)) for number in range(0, tasks, max(1, tasks // SAMPLES))]
    last = str(uuid.UUID(int=tasks))
    events = tasks * EVENTS_PER_TASK
    cpu, began = target.cpu_seconds(), time.perf_counter()
    with Client.from_url(broker.url) as client:
        publish(client, texts)
    wait_for(lambda: target.state_of(last) in final, 300, "the last task is visible")
    took, cpu = time.perf_counter() - began, target.cpu_seconds() - cpu
    missing = sum(target.state_of(id_) not in final for id_ in ids)
    return [
        Measure(f"burst of {events:,} events, events/s", events / took, more=True),
        Measure("processor, s for 1,000 events", cpu / events * 1000),
        Measure(f"tasks of a sample of {len(ids)} that are wrong or missing", missing),
    ]


def shown(value: float) -> str:
    """Three digits, and no powers of ten."""
    return f"{value:,.0f}" if value >= 100 or value == 0 else f"{value:.3g}"


def table(baseline: list[Measure], mine: list[Measure]) -> str:
    """Both columns and how many times better the second is."""
    lines = [f"| | Flower {BASELINE} | this Flower | better by |", "| --- | ---: | ---: | ---: |"]
    for theirs, our in zip(baseline, mine, strict=True):
        better, worse = (our.value, theirs.value) if our.more else (theirs.value, our.value)
        ratio = f"{better / worse:.1f} ×" if worse else "–"
        lines.append(f"| {our.name} | {shown(theirs.value)} | {shown(our.value)} | {ratio} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=25_000, help="how many tasks (default %(default)s)")
    tasks = parser.parse_args().tasks
    texts = list(messages(tasks))
    baseline = released(BASELINE)
    broker = Redis(Path(tempfile.mkdtemp(prefix="flower-bench-")))
    broker.start()
    try:
        theirs = measure(f"flower {BASELINE}", baseline, broker, texts, tasks)
        mine = measure("this flower", ours(), broker, texts, tasks)
    finally:
        broker.end()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    report = f"# Beside Flower {BASELINE}\n\nMade by `make bench`: {machine}, Redis, default options.\n\n"
    report += table(theirs, mine) + "\n"
    (Path(__file__).parent / "results.md").write_text(report)
    print(f"\n{report}")


if __name__ == "__main__":
    main()
