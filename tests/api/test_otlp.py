"""Metrics exported to a collector."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from flower import __version__
from flower.app import Flower
from flower.metrics import METRICS
from flower.options import OptionError
from flower.otlp import Export
from tests import factories as make
from tests.api.collector import SECONDS, Collector, attributes
from tests.api.conftest import Serve, Server, options_of
from tests.hostile import SHORT
from tests.services import wait_for

W = make.WORKER


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever, daemon=True)
    thread.start()
    yield collector
    collector.answering.set()
    collector.shutdown()
    collector.server_close()
    thread.join(SECONDS)


Exporting = Callable[..., Server]


@pytest.fixture
def exporting(serve: Serve, collector: Collector) -> Iterator[Exporting]:
    """Starts a server that exports what it was fed."""
    exports: list[Export] = []

    def start(*events: Any, **options: Any) -> Server:
        server = serve(otlp_endpoint=collector.url, **options)
        server.feed(*events)
        assert server.app.cluster.export is not None
        exports.append(server.app.cluster.export)
        exports[-1].start()
        return server

    yield start
    for export in exports:
        export.stop()
        export.join(SECONDS)


def arrived(collector: Collector, name: str) -> Any:
    """A metric, as soon as it came."""
    wait_for(lambda: name in collector.metrics, SECONDS, f"{name} is exported", lambda: sorted(collector.metrics))
    return collector.metrics[name]


def told(server: Server) -> dict[str, list[dict[str, str]]]:
    """What /metrics tells: the labels of the samples of each family that has any."""
    families = parse_prometheus(server.get("/metrics").text)
    samples = {family.name: [sample.labels for sample in family.samples] for family in families}
    return {name: labels for name, labels in samples.items() if labels and not name.endswith("_created")}


def test_the_same_metrics(exporting: Exporting, collector: Collector) -> None:
    """Everything that /metrics tells is exported, those of the process, too, with what it means."""
    server = exporting(make.heartbeat(), make.success("a"), make.failure("b", name="tasks.bad"))
    arrived(collector, "python_info")
    assert told(server).keys() == collector.metrics.keys()
    described = {metric.name: metric.description for metric in collector.metrics.values()}
    assert {metric.name: metric.help for metric in METRICS if metric.name in described}.items() <= described.items()


def test_counter(exporting: Exporting, collector: Collector) -> None:
    """A counter is a sum that only grows, counted since the series began."""
    exporting(make.success("a"), make.success("b"))
    metric = arrived(collector, "flower_events")
    point = next(each for each in metric.sum.data_points if attributes(each)["type"] == "task-received")
    assert (True, 2, 2.0, {"task": "tasks.add", "type": "task-received", "worker": W}) == (
        metric.sum.is_monotonic,
        metric.sum.aggregation_temporality,
        point.as_double,
        attributes(point),
    )
    assert 0 < point.start_time_unix_nano <= point.time_unix_nano


def test_histogram(exporting: Exporting, collector: Collector) -> None:
    """A histogram has the buckets of the options, and its unit."""
    exporting(
        make.received("a"),
        make.started("a"),
        make.succeeded("a", runtime=0.5),
        task_runtime_metric_buckets=[0.1, 1.0],
    )
    metric = arrived(collector, "flower_task_runtime_seconds")
    (point,) = metric.histogram.data_points
    assert ("s", [0.1, 1.0], [0, 1, 0], 1, 0.5) == (
        metric.unit,
        list(point.explicit_bounds),
        list(point.bucket_counts),
        point.count,
        point.sum,
    )


def test_hostile_names(exporting: Exporting, collector: Collector) -> None:
    """Whatever is in a name, its attribute is what the label of /metrics is."""
    server = exporting(*(make.received(f"t{number}", name=name) for number, name in enumerate(SHORT.values())))
    names = {attributes(point)["task"] for point in arrived(collector, "flower_events").sum.data_points}
    assert (names, True) == ({labels["task"] for labels in told(server)["flower_events"]}, len(names) > len(SHORT) / 2)


def test_resource(exporting: Exporting, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is Flower, which version and where; OpenTelemetry's variables say more, and win."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test,service.instance.id=mine")
    exporting()
    arrived(collector, "flower_build_info")
    wanted = ("service.name", "service.version", "service.instance.id", "deployment.environment")
    assert ["flower", __version__, "mine", "test"] == [collector.resource[name] for name in wanted]


def test_variables(exporting: Exporting, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers, compression, name and interval are what OpenTelemetry's variables say."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=shop")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "celery-watch")
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "100")
    exporting()
    wait_for(lambda: len(collector.requests) > 2, SECONDS, "it is exported again and again")
    path, headers, _ = collector.requests[0]
    assert ("/v1/metrics", "shop", "gzip", "celery-watch") == (
        path,
        headers["x-tenant"],
        headers["content-encoding"],
        collector.resource["service.name"],
    )


def test_failure_is_told_once(
    exporting: Exporting,
    collector: Collector,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log tells once that a collector refuses, with the reason, and once that it is over; so does the overview."""
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "50")
    caplog.set_level(logging.INFO)
    collector.status = 403
    server = exporting()
    export = server.app.cluster.export
    assert export is not None
    wait_for(lambda: export.failing_since, SECONDS, "the failure is noticed")
    assert ("403" in (export.failure or ""), True) == (True, "Metrics are not exported" in server.get("/").text)
    collector.status = 200
    arrived(collector, "flower_build_info")
    wait_for(lambda: export.failing_since is None, SECONDS, "the failure is over")
    told = [record.getMessage() for record in caplog.records if "xport" in record.getMessage()]
    assert ["Metrics cannot be exported: ", "Metrics can be exported again"] == [told[0][:28], *told[1:]]


def test_server_does_not_wait(exporting: Exporting, collector: Collector) -> None:
    """A collector that does not answer keeps nobody waiting, not even the end of the server."""
    collector.answering.clear()
    server = exporting()
    wait_for(collector.asked.is_set, SECONDS, "it was asked")
    assert 200 == server.get("/metrics").status_code
    server.end()
    # Whoever waits has an answer after half a minute.
    assert [] == collector.requests


async def test_with_the_server(collector: Collector) -> None:
    """It begins and ends with the server."""
    app = Flower(options_of(otlp_endpoint=collector.url), Celery("tests", broker="memory://"))
    app.start(listen=False)
    try:
        await asyncio.to_thread(arrived, collector, "flower_build_info")
    finally:
        app.stop()
    export = app.cluster.export
    assert export is not None
    await asyncio.to_thread(export.join, SECONDS)
    assert not export.is_alive()


def test_missing_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without OpenTelemetry's packages the option is refused with what to install."""
    monkeypatch.setitem(sys.modules, "flower.otlp.sdk", None)
    with pytest.raises(OptionError, match=r"^otlp_endpoint: .*pip install 'flower\[otel\]'"):
        Flower(options_of(otlp_endpoint="http://localhost:4318"), Celery("tests", broker="memory://"))


async def test_of_several_clusters(collector: Collector, tmp_path: Path) -> None:
    """Those of a cluster are told with its name, and those of the process once, without one."""
    path = tmp_path / "clusters.json"
    path.write_text('{"mail": {"broker": "memory://"}}')
    app = Flower(options_of(otlp_endpoint=collector.url, clusters=str(path)), Celery("tests", broker="memory://"))
    app.start(listen=False)
    try:
        for name in ("process_resident_memory_bytes", "python_info"):
            await asyncio.to_thread(arrived, collector, name)
        await asyncio.to_thread(wait_for, lambda: len(clusters_of(collector)) == 3, SECONDS, "all are exported")
    finally:
        app.stop()
    told = {("flower_build_info", "tests"), ("flower_build_info", "mail"), ("python_info", None)}
    assert told == clusters_of(collector)


def clusters_of(collector: Collector) -> set[tuple[str, str | None]]:
    """(metric, cluster) of what came of two metrics."""
    return {
        (metric.name, attributes(point).get("cluster"))
        for metric in collector.came()
        if metric.name in ("flower_build_info", "python_info")
        for point in metric.gauge.data_points
    }
