"""Measures this Flower beside Flower 2.2.0 from PyPI, on this machine and in one run: `make bench`.

Both get the same events from the same Redis with their default options, one after the other, section by section. The
tables are printed, and those of a whole run written to benchmarks/results.md; `--quick` asks little and writes nothing.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import requests

from benchmarks import ingest, lifecycle, load
from benchmarks.measure import Measure, table
from benchmarks.subject import QUICK, Size, Subject
from benchmarks.target import ours, released
from tests.services import Redis

BASELINE = "2.2.0"
Part = Callable[[Subject, Redis, Size], list[Measure]]
SECTIONS: dict[str, tuple[str, tuple[Part, ...]]] = {
    "ingest": ("Events at full speed", (ingest.empty, ingest.full, ingest.flood, ingest.rabbitmq)),
    "paced": ("Events at a steady rate, with a full store", (load.paced,)),
    "answers": ("Answers, with a full store", (load.answers,)),
    "lifecycle": ("Start, stop, idle, kill", (lifecycle.start, lifecycle.durable)),
}


def measure(subject: Subject, part: Part, broker: Redis, size: Size) -> list[Measure]:
    """What a part found; nothing of a server that did not get through it."""
    print(f"{time.strftime('%H:%M:%S')} {part.__name__}: {subject.name}", flush=True)
    try:
        return part(subject, broker, size)
    except (AssertionError, requests.RequestException) as error:
        print(f"not measured: {error}", flush=True)
        return []


def section(subjects: Sequence[Subject], parts: Sequence[Part], broker: Redis, size: Size) -> str:
    """A table of both servers, part by part."""
    rows = []
    for part in parts:
        theirs, mine = (measure(subject, part, broker, size) for subject in subjects)
        names = {each.name: each for each in theirs}
        rows += [(names.get(each.name, Measure(each.name, math.nan, each.more)), each) for each in mine]
    return table(subjects[0].name, rows)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    given = parser.parse_args()
    subjects = (Subject(f"Flower {BASELINE}", released(BASELINE)), Subject("this Flower", ours()))
    broker = Redis(Path(tempfile.mkdtemp(prefix="flower-bench-")))
    broker.start()
    load_before = os.getloadavg()[0]
    try:
        parts = [
            f"## {title}\n\n{section(subjects, functions, broker, QUICK if given.quick else Size())}\n"
            for title, functions in (SECTIONS[name] for name in given.only)
        ]
    finally:
        broker.end()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}"
    head = f"# Beside Flower {BASELINE}\n\nMade by `make bench`: {machine}, a load of {load_before:.1f} before, Redis, "
    report = "\n".join([f"{head}default options.\n", *parts])
    if not given.quick and set(given.only) == set(SECTIONS):
        (Path(__file__).parent / "results.md").write_text(report)
    print(f"\n{report}")


if __name__ == "__main__":
    main()
