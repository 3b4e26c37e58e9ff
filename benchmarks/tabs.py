"""Measures what open tabs cost the server, while events come: `python -m benchmarks.tabs`.

Each tab is what a browser does with the page: one stream, and the regions and charts of the page fetched anew when a
message says that something changed, as often as the page's scripts do. The processor time of the server is compared
with that of the same traffic without tabs. The bound is 5 percent of a core for fifty tabs.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from redis import Redis as Client

from benchmarks.target import Target, ours
from benchmarks.traffic import EVENTS_PER_TASK, WORKERS, life, publish
from benchmarks.traffic import envelope as packed
from tests.services import Redis, wait_for

PAGES = ("/", "/workers")
KINDS = ("workers", "tasks", "facts", "notices")
TICK = 5.0
"""Seconds: static/js/stream.js."""
PAUSES = {"overview": 2.0}
"""Seconds between two fetches of what an event asks for: static/js/overview.js."""
CHART_PAUSE = 5.0
"""Seconds: static/js/chart.js."""
REGION = re.compile(r'<\w+ [^>]*?id="([^"]+)"[^>]*?hx-get="([^"]+)" hx-trigger="([^"]+)"')
CHART = re.compile(r'<figure[^>]*?data-src="([^"]+)"')
EVENT = re.compile(r"flower:(\w+) from:body(?: throttle:(\d+)s)?")


@dataclass
class Part:
    """Something on a page that is fetched anew: by which events, and how many seconds apart at least."""

    path: str
    headers: dict[str, str]
    events: dict[str, float]
    asked: float = 0.0

    def due(self, events: set[str], now: float) -> bool:
        """Whether the events make it ask now."""
        return any(name in events and now - self.asked >= pause for name, pause in self.events.items())


def parts_of(page: str) -> list[Part]:
    """The regions and the charts of a page."""
    found = []
    for name, path, triggers in REGION.findall(page):
        events = {word: float(pause or PAUSES.get(word, 0)) for word, pause in EVENT.findall(triggers)}
        headers = {"HX-Request": "true", "HX-Target": name, "HX-Trigger": name}
        found.append(Part(html.unescape(path), headers, events))
    charts = {html.unescape(path): None for path in CHART.findall(page)}  # those of one address are asked for once
    return found + [Part(path, {"Accept": "application/json"}, {"tasks": CHART_PAUSE}) for path in charts]


class Tab(threading.Thread):
    """A reader of one page."""

    def __init__(self, address: str, path: str) -> None:
        super().__init__(daemon=True)
        self.address = address
        self.session = requests.Session()
        self.parts = parts_of(self.get(path, {}).text)
        self.stream = requests.get(f"{address}/stream", stream=True, timeout=60)
        self.seen: dict[str, Any] = {}
        self.ticked = time.monotonic()
        self.fetched = 0
        self.bytes = 0

    def get(self, path: str, headers: dict[str, str]) -> requests.Response:
        """Ask as htmx asks."""
        answer = self.session.get(self.address + path, headers=headers, timeout=30)
        answer.raise_for_status()
        return answer

    def run(self) -> None:
        """Follow the stream until it ends."""
        try:
            for line in self.stream.iter_lines(chunk_size=1):
                if line.startswith(b"data: "):
                    self.told(json.loads(line[6:]))
        except (requests.RequestException, AttributeError):
            return  # the measurement is over

    def told(self, message: dict[str, Any]) -> None:
        """Fetch what has changed."""
        now = time.monotonic()
        events = {kind for kind in KINDS if kind in self.seen and message[kind] != self.seen[kind]}
        self.seen = message
        if events:
            events.add("overview")
        if now - self.ticked >= TICK:
            self.ticked = now
            events.add("tick")
        for part in self.parts:
            if part.due(events, now):
                part.asked = now
                self.bytes += len(self.get(part.path, part.headers).content)
                self.fetched += 1

    def close(self) -> None:
        """Leave the page."""
        self.stream.close()


class Traffic(threading.Thread):
    """Events of tasks at a rate, and a heartbeat of each worker every two seconds."""

    def __init__(self, broker: str, rate: float) -> None:
        super().__init__(daemon=True)
        self.client, self.rate = Client.from_url(broker), rate
        self.over = threading.Event()

    def run(self) -> None:
        """Publish four times a second until it is over."""
        done, beat, began = 0, 0.0, time.monotonic()
        while not self.over.wait(0.25):
            events: list[dict[str, Any]] = []
            while done < (time.monotonic() - began) * self.rate / EVENTS_PER_TASK:
                events += life(done)
                done += 1
            if time.monotonic() - beat >= 2:
                beat = time.monotonic()
                events += heartbeats(done)
            publish(self.client, [packed(events[start : start + 20]) for start in range(0, len(events), 20)])


def heartbeats(clock: int) -> list[dict[str, Any]]:
    """One of each worker."""
    facts = {"freq": 2.0, "sw_ident": "py-celery", "sw_ver": "5.5.0", "sw_sys": "Linux", "loadavg": [1.0, 1.0, 1.0]}
    common = {"type": "worker-heartbeat", "pid": 1, "clock": clock, "utcoffset": 0, "timestamp": time.time()}
    return [{**common, **facts, "hostname": worker, "active": clock % 4, "processed": clock} for worker in WORKERS]


def share(target: Target, seconds: float) -> float:
    """Percent of a core that the server takes for so long."""
    cpu, began = target.cpu_seconds(), time.perf_counter()
    time.sleep(seconds)
    return 100 * (target.cpu_seconds() - cpu) / (time.perf_counter() - began)


def measure(target: Target, path: str, number: int, seconds: float, without: float) -> float:
    """The percent of a core that so many tabs cost; prints it."""
    tabs = [Tab(target.address, path) for _ in range(number)]
    for tab in tabs:
        tab.start()
    time.sleep(3)  # the burst of opening is over
    before = [(tab.fetched, tab.bytes) for tab in tabs]
    cost = share(target, seconds) - without
    fetched = sum(tab.fetched for tab in tabs) - sum(count for count, _ in before)
    for tab in tabs:
        tab.close()
    print(f"{number} tabs of {path}: {cost:.1f} % of a core, {fetched / seconds:.0f} fetches a second", flush=True)
    time.sleep(2)
    return cost


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tabs", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100, help="events a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (default %(default)s)")
    parser.add_argument("pages", nargs="*", default=PAGES)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="flower-tabs-"))
    broker, target = Redis(folder), Target(folder, "flower", ours())
    try:
        broker.start()
        target.start(broker.url)
        traffic = Traffic(broker.url, given.rate)
        traffic.start()
        wait_for(lambda: len(target.session.get(f"{target.address}/api/workers").json()) == len(WORKERS), 30, "all")
        time.sleep(5)
        without = share(target, given.seconds)
        print(f"no tabs, {given.rate:g} events a second: {without:.1f} % of a core", flush=True)
        for path in given.pages:
            measure(target, path, given.tabs, given.seconds, without)
        traffic.over.set()
    finally:
        target.end()
        broker.end()


if __name__ == "__main__":
    main()
