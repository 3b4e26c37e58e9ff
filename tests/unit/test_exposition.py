"""Hostile names in `/metrics`, read by the strict parsers of Prometheus' own library and by its tool."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from flower.metrics import METRICS, Metrics
from flower.state import State
from flower.store import open_store
from tests import factories as make
from tests.hostile import MARK, SHORT

ACCEPT = "application/openmetrics-text; version=1.0.0"

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""(name, its labels) -> value."""


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """Of tasks, workers, queues and exceptions that have every hostile text for their name."""
    state = State(open_store())
    metrics = Metrics(state, [0.1, 1.0], registry=CollectorRegistry())
    state.observers.append(metrics)
    for number, text in enumerate(SHORT.values()):
        uuid, host = f"t{number}", f"celery@{text}"
        about = {"name": text, "queue": text, "host": "gen1@client"}
        state.apply([make.heartbeat(host=host), make.sent(uuid, 0.0, **about)])
        state.apply([make.received(uuid, 1.0, name=text, host=host), make.started(uuid, 2.0, host=host)])
        state.apply([make.failed(uuid, 3.0, host=host, exception=text)])
    yield metrics
    state.stop()


def plain(text: str) -> Samples:
    """The samples of Prometheus' format, without the times of creation, which are families of their own there."""
    families = [family for family in parse_prometheus(text) if not family.name.endswith("_created")]
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_openmetrics(metrics: Metrics) -> None:
    """OpenMetrics has exactly the metrics of the table, and the samples of the other format, whatever is in a name."""
    families = list(parse_openmetrics(metrics.render(ACCEPT)[0].decode()))
    assert [metric.name for metric in METRICS] == [family.name for family in families]
    strict = {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if not sample.name.endswith("_created")
    }
    assert strict.keys() == plain(metrics.render()[0].decode()).keys()


def test_names(metrics: Metrics) -> None:
    """Each name is one label, and none makes a metric."""
    found = plain(metrics.render()[0].decode())
    tasks = {dict(labels).get("task") for name, labels in found if name == "flower_events_total"}
    assert (len(tasks), []) == (len(SHORT), [name for name, _ in found if MARK in name])


def test_promtool(metrics: Metrics) -> None:
    """Prometheus' own tool finds nothing to say, where it is installed."""
    tool = shutil.which("promtool")
    if tool is None:
        return
    done = subprocess.run([tool, "check", "metrics"], input=metrics.render()[0], capture_output=True)
    assert (0, b"") == (done.returncode, done.stdout + done.stderr)
