"""A real Prometheus scrapes `/metrics`, where it is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests import factories as make
from tests.api.conftest import Serve, Server
from tests.hostile import SHORT
from tests.services import Process, accepts, free_port

SECONDS = 30


class Prometheus(Process):
    """A private Prometheus that keeps native histograms and scrapes one server every second."""

    def __init__(self, folder: Path, path: str, target: Server) -> None:
        super().__init__(folder, "prometheus")
        self.path = path
        self.port = free_port()
        jobs = [{"job_name": "flower", "static_configs": [{"targets": [target.url.removeprefix("http://")]}]}]
        settings = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))

    def start(self) -> None:
        """Start it and wait until it answers questions."""
        options = ("--config.file=prometheus.yml", "--storage.tsdb.path=data", "--enable-feature=native-histograms")
        self.spawn(self.path, *options, f"--web.listen-address=127.0.0.1:{self.port}")
        self.wait_for(lambda: accepts(self.port) and self.get("/-/ready").ok, SECONDS, "is ready")

    def get(self, path: str, **arguments: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", params=arguments, timeout=10)

    def ask(self, query: str) -> list[dict[str, Any]]:
        """What an expression gives now: `metric` (the labels) and `value` (time and text) of each."""
        return list(self.get("/api/v1/query", query=query).json()["data"]["result"])

    def scraped(self, query: str) -> list[dict[str, Any]]:
        """The same, as soon as it gives something."""
        self.wait_for(lambda: self.ask(query), SECONDS, query)
        return self.ask(query)


@pytest.fixture
def native(serve: Serve) -> Server:
    """A server whose tasks took three seconds, one of every hostile name."""
    server = serve(native_histograms=True)
    for number, name in enumerate(SHORT.values()):
        uuid = f"t{number}"
        server.feed(make.received(uuid, name=name), make.started(uuid), make.succeeded(uuid, runtime=3.0))
    return server


@pytest.fixture
def prometheus(tmp_path: Path, native: Server) -> Iterator[Prometheus | None]:
    """None where Prometheus is not installed."""
    path = shutil.which("prometheus")
    if path is None:
        yield None
        return
    prometheus = Prometheus(tmp_path, path, native)
    try:
        prometheus.start()
        yield prometheus
    finally:
        prometheus.end()


def test_native_histograms(prometheus: Prometheus | None) -> None:
    """Prometheus takes every native histogram, whatever is in a name, and finds the median within a bucket's width."""
    if prometheus is None:
        return
    found = prometheus.scraped("histogram_quantile(0.5, flower_task_runtime_seconds)")
    values = [float(each["value"][1]) for each in found]
    assert ([], True) == ([each for each in values if not 2.82 < each < 3.09], len(values) > len(SHORT) / 2)
    assert ["1"] == [each["value"][1] for each in prometheus.ask("up")]


def test_other_metrics(prometheus: Prometheus | None) -> None:
    """Counters and gauges come with the same scrape."""
    if prometheus is None:
        return
    (events,) = prometheus.scraped("sum(flower_events_total)")
    (build,) = prometheus.scraped("flower_build_info")
    assert (float(3 * len(SHORT)), "1") == (float(events["value"][1]), build["value"][1])
