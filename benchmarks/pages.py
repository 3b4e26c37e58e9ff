"""Measures the pages over a long history: `python -m benchmarks.pages [--tasks N] [--file F]`.

For each page: how long the server takes, from the first time on and later, and, in Chromium, the largest contentful
paint. The table is printed and written to benchmarks/pages.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.history import NAMES, WORKERS, fill
from benchmarks.target import Target, ours
from tests.services import program

REQUESTS = 15
PAINTS = 3
SETTLED_MS = 700
"""After a page is loaded, until its largest part is surely painted."""

PAGES = {
    "Overview, 1 h": "/",
    "Overview, 24 h": "/?window=24h",
    "Overview, 7 d": "/?window=7d",
    "Tasks": "/tasks",
    "Tasks: one state": "/tasks?state=FAILURE",
    "Tasks: name and worker": f"/tasks?name={NAMES[3]}&worker={WORKERS[5]}",
    "Tasks: last 24 hours, slowest": "/tasks?range=24h&sort=-runtime",
    "Tasks: search of a word": "/tasks?search=customer77",
    "Tasks: search of nothing": "/tasks?search=nobodyknowsthis",
    "Tasks: by a column without index": "/tasks?sort=-retries",
    "Task": "",
    "Workers": "/workers",
    "Worker": f"/worker/{WORKERS[0]}",
    "Queues": "/broker",
}
DEEP = "Tasks: 1,000 pages on"
FACETS = {
    "Facets of all": "/tasks",
    "Facets of one state": "/tasks?state=SUCCESS",
    "Facets of a search": "/tasks?search=customer77",
}
PAINT = """new Promise(done => {
  let last = 0;
  new PerformanceObserver(list => { last = Math.max(last, ...list.getEntries().map(entry => entry.startTime)) })
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(last), %d);
})"""


class History(Target):
    """A server over a file, with a broker in its own memory."""

    def open(self, file: Path, tasks: int) -> None:
        """Start it and find the addresses that depend on what is stored."""
        options = (f"--db={file}", "--persistent", f"--max_tasks={2 * tasks}")
        self.start("memory://", *options)
        newest = self.session.get(f"{self.address}/api/tasks?limit=1", timeout=60).json()["tasks"][0]["uuid"]
        self.paths = {**PAGES, "Task": f"/task/{newest}", DEEP: f"/tasks?offset={min(50_000, tasks // 2)}"}

    def milliseconds(self, path: str, **headers: str) -> float:
        """How long one request takes."""
        began = time.perf_counter()
        self.session.get(self.address + path, headers=headers, timeout=60).raise_for_status()
        return (time.perf_counter() - began) * 1000


def paint(browser: Browser, url: str) -> float:
    """Milliseconds until the largest part of a page is painted, in a fresh browser."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    try:
        page = context.new_page()
        page.goto(url, wait_until="load")
        return float(page.evaluate(PAINT % SETTLED_MS))
    finally:
        context.close()


def measure(target: History, browser: Browser) -> list[tuple[str, float, float, float | None]]:
    """(what, first ms, median ms, paint ms) of each page."""
    found: list[tuple[str, float, float, float | None]] = []
    for name, path in target.paths.items():
        first = target.milliseconds(path)
        later = statistics.median(target.milliseconds(path) for _ in range(REQUESTS))
        painted = statistics.median(paint(browser, target.address + path) for _ in range(PAINTS))
        found.append((name, first, later, painted))
        print(f"{name:36} {first:8.1f} {later:8.1f} {painted:8.0f}", flush=True)
    for name, path in FACETS.items():
        asked = {"HX-Request": "true", "HX-Target": "facets"}
        found.append((name, target.milliseconds(path, **asked), target.milliseconds(path, **asked), None))
        print(f"{name:36} {found[-1][1]:8.1f} {found[-1][2]:8.1f}", flush=True)
    return found


def table(rows: list[tuple[str, float, float, float | None]], tasks: int) -> str:
    """The table as Markdown."""
    head = (
        f"{os.cpu_count()} processors, Python {platform.python_version()}, {time.strftime('%Y-%m-%d', time.gmtime())}"
    )
    lines = [
        f"# Pages over {tasks:,} stored tasks",
        "",
        f"Made by `python -m benchmarks.pages`: {head}. Milliseconds; the largest contentful paint in Chromium.",
        "",
        "| | first request | later, p50 | largest paint |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, first, later, painted in rows:
        lines.append(f"| {name} | {first:.0f} | {later:.0f} | {'' if painted is None else f'{painted:.0f}'} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fill a file, or take the one that is given, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1_000_000)
    parser.add_argument("--file", type=Path, help="keep the file here, and use the one that is there")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("pages.md"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flower-pages-") as folder:
        file = given.file or Path(folder) / "tasks.db"
        if not file.exists():
            print(f"writing {given.tasks:,} tasks", flush=True)
            fill(file, given.tasks)
        target = History(Path(folder), "flower", ours())
        target.open(file, given.tasks)
        try:
            with sync_playwright() as playwright:
                path = program("chromium", "chromium-browser", "google-chrome")
                browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                rows = measure(target, browser)
                browser.close()
        finally:
            target.end()
    text = table(rows, given.tasks)
    given.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
