"""Native histograms, and the protobuf that carries them, read with Google's library."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary

from flower.metrics import METRICS, Metrics
from flower.metrics.native import MOST, ZERO, ZERO_WIDTH, bucket_of, spans
from flower.state import State
from flower.utils.exposition import PROTOBUF, wants_protobuf
from tests import factories as make
from tests import prometheus_proto as proto
from tests.factories import Clock
from tests.hostile import SHORT

W = make.WORKER
ACCEPT = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
    "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
"""What Prometheus sends whose native histograms are enabled."""
RUNTIME = "flower_task_runtime_seconds"


@pytest.fixture
def metrics(state: State) -> Metrics:
    metrics = Metrics(state, [0.1, 1.0], registry=CollectorRegistry(), native=True)
    state.observers.append(metrics)
    return metrics


def runtimes(*seconds: float) -> list[tuple[str, str, str, float | None]]:
    return [(W, "task-succeeded", "t", each) for each in seconds]


@given(st.floats(ZERO_WIDTH * 1.001, 2.0**25))
def test_buckets(seconds: float) -> None:
    """A duration is in the bucket that ends at it or above, less than 9.1% above."""
    end = 2 ** (bucket_of(seconds) / 8)
    assert 1 - 1e-12 <= end / seconds < 1.0906


@pytest.mark.parametrize(
    ("seconds", "number"),
    [(1.0, 0), (1.01, 1), (2.0, 8), (0.5, -8), (0.0, ZERO), (-3.0, ZERO), (1e-9, ZERO), (1e300, MOST), (inf, MOST)],
)
def test_numbers(seconds: float, number: int) -> None:
    """Buckets have Prometheus' numbers; there are so many of them, whatever a worker says."""
    assert number == bucket_of(seconds)


@given(st.dictionaries(st.integers(ZERO + 1, MOST), st.integers(1, 10**9)))
def test_spans(counts: dict[int, int]) -> None:
    """Runs and differences tell exactly the buckets that counted something."""
    runs, differences = spans(counts)
    found, number, value, rest = {}, 0, 0, iter(differences)
    for distance, length in runs:
        number += distance
        for _ in range(length):
            value += next(rest)
            found[number] = value
            number += 1
    assert (counts, []) == (found, list(rest))


def test_native(metrics: Metrics) -> None:
    """A histogram has both kinds of buckets, and as many in the native ones as it says."""
    metrics.observe(*make.tally(runtimes(0.0, 0.5, 0.5, 1.0, 3.0)))
    body, kind = metrics.render(ACCEPT)
    (metric,) = proto.families(body)[RUNTIME].metric
    found = metric.histogram
    assert (PROTOBUF, {"task": "t", "worker": W}, 5, 5.0) == (
        kind,
        proto.labels(metric),
        found.sample_count,
        found.sample_sum,
    )
    assert (3, 1, [(-8, 1), (7, 1), (12, 1)], [2, -1, 0]) == (
        found.schema,
        found.zero_count,
        [(span.offset, span.length) for span in found.positive_span],
        list(found.positive_delta),
    )
    assert [(0.1, 1), (1.0, 4), (inf, 5)] == [(each.upper_bound, each.cumulative_count) for each in found.bucket]


def test_protobuf_tells_what_the_text_tells(state: State, metrics: Metrics, clock: Clock) -> None:
    """Every metric that has samples, with its type; counters with the time of their creation."""
    state.apply([make.heartbeat(), *make.success("a"), *make.failure("b", name="tasks.bad")])
    found = proto.families(metrics.render(ACCEPT)[0])
    types = {"counter": 0, "gauge": 1, "histogram": 4}
    text = metrics.render()[0].decode()
    expected = {
        name: (types[metric.kind], metric.help)
        for metric in METRICS
        if f"\n{(name := metric.name + ('_total' if metric.kind == 'counter' else ''))}" in text.replace("_bucket", "")
    }
    assert expected == {name: (family.type, family.help) for name, family in found.items()}
    assert clock.now == found["flower_events_total"].metric[0].counter.created_timestamp.seconds


@pytest.mark.parametrize("text", SHORT.values(), ids=SHORT)
def test_hostile_names(metrics: Metrics, text: str) -> None:
    """Whatever is in a name stays in its label."""
    metrics.observe(*make.tally([(W, "task-succeeded", text, 0.1)]))
    (metric,) = proto.families(metrics.render(ACCEPT)[0])[RUNTIME].metric
    assert text.encode("utf-8", "replace").decode() == proto.labels(metric)["task"]


def test_registry(state: State) -> None:
    """What the user's own code adds is told, too: all kinds that prometheus_client has."""
    registry = CollectorRegistry()
    Counter("orders", "Orders", ["shop"], registry=registry).labels("a").inc(3)
    Gauge("depth", "Depth", registry=registry).set(2.5)
    Histogram("taken", "Time", buckets=[1, 5], registry=registry).observe(2)
    Summary("size", "Size", registry=registry).observe(7)
    Info("built", "Version", registry=registry).info({"version": "1"})
    metrics = Metrics(state, [1.0], registry=registry, native=True)
    found = proto.families(metrics.render(ACCEPT)[0])
    assert (3.0, 2.5, 1.0) == (
        found["orders_total"].metric[0].counter.value,
        found["depth"].metric[0].gauge.value,
        found["built_info"].metric[0].gauge.value,
    )
    counts = {name: found[name].metric[0].histogram for name in ("taken", "size")}
    assert {"taken": [(1.0, 0), (5.0, 1), (inf, 1)], "size": [(inf, 1)]} == {
        name: [(each.upper_bound, each.cumulative_count) for each in histogram.bucket]
        for name, histogram in counts.items()
    }
    assert [2.0, 7.0] == [histogram.sample_sum for histogram in counts.values()]


def test_off(state: State) -> None:
    """Without the option there is no protobuf, however much it is liked."""
    assert "application/openmetrics-text" in Metrics(state, [1.0]).render(ACCEPT)[1]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (ACCEPT, True),
        (PROTOBUF, True),
        ("", False),
        ("*/*", False),
        ("application/vnd.google.protobuf", False),
        (PROTOBUF.replace("delimited", "text"), False),
        (f"{PROTOBUF};q=0.3,text/plain;q=0.9", False),
        (f"{PROTOBUF};q=0", False),
    ],
)
def test_negotiation(accept: str, expected: bool) -> None:
    """Protobuf is for those who name its message and do not like a text better."""
    assert expected == wants_protobuf(accept)
