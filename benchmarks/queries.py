"""Measures what questions to a long history take: `python -m benchmarks.queries [--tasks N ...] [--folder F]`.

For each number of tasks a file is filled, or taken from the folder. Then in this process, as a server's threads would:
each question as often as it fits into some seconds, once the indexes that it asks for are made. Beside that, how long
a server takes to start and to stop with the file, and how much memory. The tables go to benchmarks/queries.md.

With `--db URL` the same of a PostgreSQL database, which is filled with the first number of tasks if it is empty.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.history import NAMES, WORKERS, fill, fill_database
from benchmarks.target import Target, ours
from flower.store import Store, TaskQuery, open_store
from flower.utils.search import parse_query

TIMES, SECONDS = 40, 5.0
"""How often a question is asked, unless that takes longer."""
DAY_SECONDS = 86_400
MADE_SECONDS = 3_600.0
"""For which it is waited for indexes."""
LIMIT = 50

Asked = tuple[str, Callable[[], Any]]


def questions(store: Store) -> list[Asked]:
    """What is asked, and how it is called."""
    now = store.search(TaskQuery(limit=1)).tasks[0].received
    pair = {"name": NAMES[3], "worker": WORKERS[5]}
    day = {"received_start": now - DAY_SECONDS}
    deep = {"offset": store.tasks // 20}
    asked: list[tuple[str, dict[str, Any]]] = [
        ("list", {}),
        ("list, an old day", {"received_start": now - 6 * DAY_SECONDS, "received_end": now - 5 * DAY_SECONDS}),
        ("list, one page in twenty on", deep),
        ("filter: state", {"state": "FAILURE"}),
        ("filter: name and worker", pair),
        ("filter: rare name, worker", {**pair, "name": NAMES[-5]}),
        ("filter: name, worker, state", {**pair, "state": "FAILURE"}),
        ("filter: queue without tasks", {"queue": "nobody"}),
        ("sort: slowest", {"sort_by": "runtime"}),
        ("sort: slowest of 24 hours", {**day, "sort_by": "runtime"}),
        ("sort: slowest failures", {"state": "FAILURE", "sort_by": "runtime"}),
        ("sort: retries", {"sort_by": "retries"}),
        ("search: rare", {"search": "customer77"}),
        ("search: common", {"search": "example"}),
        ("search: absent", {"search": "nobodyknowsthis"}),
        ("search: rare, failed, slowest", {"search": "customer77", "state": "FAILURE", "sort_by": "runtime"}),
        ("search: argument", {"search": "kwargs:tenant=42"}),
        ("search: two letters", {"search": "zq"}),
    ]
    found: list[Asked] = []
    for what, filters in asked:
        text = filters.pop("search", None)
        query = TaskQuery(**filters, limit=LIMIT, search=None if text is None else parse_query(text))
        found.append((what, lambda query=query: store.slice(query)))  # type: ignore[misc] # its type is a default's
    found.append(("list by the API", lambda: store.search(TaskQuery(state="SUCCESS", limit=LIMIT))))
    found += [
        (f"facets: {what}", lambda query=query: store.facets(query))  # type: ignore[misc] # the same
        for what, query in (("all", TaskQuery()), ("a search", TaskQuery(search=parse_query("customer77"))))
    ]
    return found


def make_indexes(store: Store, asked: list[Asked]) -> float:
    """Ask everything once, and have the indexes made that this asks for; how many seconds that took."""
    for _, ask in asked:
        ask()
    began = time.perf_counter()
    while time.perf_counter() - began < MADE_SECONDS:
        store.keep_house(time.time())
        if store.engine.is_settled():
            break
        time.sleep(0.01)
    return time.perf_counter() - began


def measure(ask: Callable[[], Any]) -> list[float]:
    """Milliseconds of each call."""
    took: list[float] = []
    while len(took) < TIMES and sum(took) < SECONDS * 1000:
        began = time.perf_counter()
        ask()
        took.append((time.perf_counter() - began) * 1000)
    return took


def of_a_server(folder: Path, db: str, tasks: int) -> list[tuple[str, float]]:
    """What a server over it takes."""
    target = Target(folder, f"flower{tasks}", ours())
    start = target.start("memory://", f"--db={db}", "--persistent", f"--max_tasks={2 * tasks}")
    for path in ("/", "/tasks", "/tasks?state=FAILURE", "/workers", "/api/tasks?limit=50"):
        target.seconds(path)
    memory = target.megabytes()
    began = time.perf_counter()
    target.end()
    return [("start, s", start), ("stop, s", time.perf_counter() - began), ("memory, MiB", memory)]


def table(db: str, tasks: int, folder: Path) -> str:
    """Everything of one number of tasks, as Markdown."""
    lines = [f"## {tasks:,} tasks", "", "| | p50, ms | p95, ms | first, ms |", "| --- | ---: | ---: | ---: |"]
    store = open_store(db, persistent=True, max_tasks=2 * tasks)
    try:
        asked = questions(store)
        made = make_indexes(store, asked)
        for what, ask in asked:
            took = measure(ask)
            p95 = sorted(took)[max(0, round(len(took) * 0.95) - 1)]
            lines.append(f"| {what} | {statistics.median(took):.1f} | {p95:.1f} | {took[0]:.1f} |")
            print(lines[-1], flush=True)
        size, texts = store.size(), Path(f"{db}-texts")
        beside = f", the index of texts {texts.stat().st_size / 1e6:,.0f} MB" if texts.exists() else ""
    finally:
        store.close()
    lines += ["", f"Indexes were made in {made:.0f} s; all takes {size / 1e6:,.0f} MB{beside}. A server: "]
    lines[-1] += ", ".join(f"{what} {value:.1f}" for what, value in of_a_server(folder, db, tasks)) + "."
    return "\n".join(lines) + "\n"


def of_a_database(url: str, tasks: int, folder: Path) -> str:
    """The table of a database that has tasks, or gets so many."""
    with contextlib.closing(open_store(url)) as store:
        there = store.tasks
    if not there:
        print(f"writing {tasks:,} tasks", flush=True)
        fill_database(url, tasks)
    return table(url, there or tasks, folder)


def main() -> None:
    """Fill files, or take those that are there, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--folder", type=Path, help="keep the files here, and use those that are there")
    parser.add_argument("--db", help="the URL of a PostgreSQL database, instead of files")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("queries.md"))
    given = parser.parse_args()
    machine = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    date = time.strftime("%Y-%m-%d", time.gmtime())
    parts = [f"# Questions to a long history\n\nMade by `python -m benchmarks.queries`: {machine}, {date}, SQLite.\n"]
    with tempfile.TemporaryDirectory(prefix="flower-queries-") as temporary:
        folder = given.folder or Path(temporary)
        if given.db:
            told = parts[0].replace("benchmarks.queries", "benchmarks.queries --db URL").replace("SQLite", "PostgreSQL")
            parts = [told, of_a_database(given.db, given.tasks[0], folder)]
        for tasks in given.tasks if not given.db else ():
            file = folder / f"{tasks}.db"
            if not file.exists():
                print(f"writing {tasks:,} tasks", flush=True)
                fill(file, tasks)
            parts.append(table(str(file), tasks, Path(temporary)))
    given.output.write_text("\n".join(parts))
    print(given.output.read_text())


if __name__ == "__main__":
    main()
