"""The metrics: what the counters count, what the gauges read, and how it is written."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

from flower.metrics import METRICS, Limits, Metrics
from flower.metrics.core import class_of
from flower.state import State
from flower.utils.exposition import wants_openmetrics
from tests import factories as make
from tests.factories import Clock

W = make.WORKER
BUCKETS = [0.1, 1.0]


@pytest.fixture
def metrics(state: State) -> Metrics:
    metrics = Metrics(state, BUCKETS, registry=CollectorRegistry())
    state.observers.append(metrics)
    return metrics


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """(name, label values in the alphabetical order of their names) -> value."""
    text = metrics.render()[0].decode()
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in parse_prometheus(text)
        for sample in family.samples
    }


def test_events_are_counted(state: State, metrics: Metrics) -> None:
    """Every task event counts for its task, type and worker."""
    state.apply([*make.success("a"), *make.success("b")])
    assert 2.0 == samples(metrics)["flower_events_total", "tasks.add", "task-received", W]


def test_producers_have_one_name(state: State, metrics: Metrics) -> None:
    """The processes of a client share one series of task-sent."""
    state.apply([make.sent("a", host="gen12288@vm"), make.sent("b", host="gen7@vm")])
    assert 2.0 == samples(metrics)["flower_events_total", "tasks.add", "task-sent", "gen@vm"]


def test_created(state: State, metrics: Metrics, clock: Clock) -> None:
    """A counter's time of creation is told, as Flower 2 does."""
    state.apply(make.success("a"))
    assert clock.now == samples(metrics)["flower_events_created", "tasks.add", "task-received", W]


def test_worker_events_are_not_task_events(state: State, metrics: Metrics) -> None:
    """Heartbeats are no flower_events_total."""
    state.apply([make.heartbeat()])
    assert [] == [key for key in samples(metrics) if key[0] == "flower_events_total"]


def test_runtime_buckets(state: State, metrics: Metrics) -> None:
    """A run time counts in its bucket and all greater ones."""
    state.apply([make.received("a"), make.started("a"), make.succeeded("a", runtime=0.5)])
    found = samples(metrics)
    assert [0.0, 1.0, 1.0] == [
        found["flower_task_runtime_seconds_bucket", bucket, "tasks.add", W] for bucket in ("0.1", "1.0", "+Inf")
    ]


def test_runtime_on_the_bound(state: State, metrics: Metrics) -> None:
    """A bucket holds its own bound."""
    state.apply([make.received("a"), make.started("a"), make.succeeded("a", runtime=0.1)])
    assert 1.0 == samples(metrics)["flower_task_runtime_seconds_bucket", "0.1", "tasks.add", W]


def test_runtime_of_failures(state: State, metrics: Metrics) -> None:
    """A failed task's run time, from its start to its failure, is in the histogram."""
    state.apply(make.failure("a"))
    assert 1.0 == samples(metrics)["flower_task_runtime_seconds_sum", "tasks.add", W]


def test_zero_runtime(state: State, metrics: Metrics) -> None:
    """A run time of 0.0 is one."""
    state.apply([make.received("a"), make.started("a"), make.succeeded("a", runtime=0.0)])
    assert 1.0 == samples(metrics)["flower_task_runtime_seconds_count", "tasks.add", W]


def test_nan_runtime(metrics: Metrics) -> None:
    """A run time that is no number does not spoil the sum."""
    metrics.observe(*make.tally([(W, "task-succeeded", "t", float("nan")), (W, "task-succeeded", "t", 2.0)]))
    assert 2.0 == samples(metrics)["flower_task_runtime_seconds_sum", "t", W]


def test_prefetch_time(state: State, metrics: Metrics) -> None:
    """The prefetch time of a running task is what it waited at its worker."""
    state.apply([make.heartbeat(), make.received("a", 1.0), make.started("a", 3.5)])
    assert 2.5 == samples(metrics)["flower_task_prefetch_time_seconds", "tasks.add", W]


def test_prefetch_time_of_the_newest(state: State, metrics: Metrics) -> None:
    """Of several running tasks of a name the one that started last tells."""
    first = [make.received("a", 1.0), make.started("a", 2.0)]
    second = [make.received("b", 1.0), make.started("b", 6.0)]
    state.apply([make.heartbeat(), *second, *first])
    assert 5.0 == samples(metrics)["flower_task_prefetch_time_seconds", "tasks.add", W]


def test_prefetch_time_while_another_ends(state: State, metrics: Metrics) -> None:
    """A task that ends does not reset the prefetch time of one of the same name that runs."""
    state.apply([make.heartbeat(), make.received("a", 1.0), make.started("a", 3.5), *make.success("b")])
    assert 2.5 == samples(metrics)["flower_task_prefetch_time_seconds", "tasks.add", W]


def test_prefetch_time_when_none_runs(state: State, metrics: Metrics) -> None:
    """It is zero when a task of the name did run and none does, also after a retry."""
    state.apply([make.heartbeat(), make.received("a", 1.0), make.started("a", 3.5), make.retried("a", 4.0)])
    assert 0.0 == samples(metrics)["flower_task_prefetch_time_seconds", "tasks.add", W]


def test_prefetched(state: State, metrics: Metrics) -> None:
    """Tasks that a live worker received and did not start are prefetched."""
    state.apply([make.heartbeat(), make.received("a"), make.received("b"), make.started("a")])
    assert 1.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_prefetched_and_revoked(state: State, metrics: Metrics) -> None:
    """A revoked task is not prefetched any more."""
    state.apply([make.heartbeat(), make.received("a"), make.revoked("a")])
    assert 0.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_eta_is_not_prefetched(state: State, metrics: Metrics) -> None:
    """A task with an ETA waits because it was told to."""
    state.apply([make.heartbeat(), make.received("a", eta="2030-01-01T00:00:00+00:00")])
    assert 0.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_prefetched_of_a_dead_worker(state: State, metrics: Metrics, clock: Clock) -> None:
    """A worker that is gone holds nothing."""
    state.apply([make.heartbeat(), make.received("a")])
    clock.now += 60
    assert 0.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_prefetched_before_a_restart(state: State, metrics: Metrics) -> None:
    """What a worker held before it was started anew is not held any more."""
    state.apply([make.heartbeat(), make.received("a", 1.0), make.heartbeat(at=2.0, kind="worker-online")])
    assert 0.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_prefetched_through_a_silence(state: State, metrics: Metrics, clock: Clock) -> None:
    """A worker that was only silent for a while still holds what it held."""
    state.apply([make.heartbeat(), make.received("a", 1.0)])
    clock.now += 60
    state.apply([make.heartbeat(at=60.0)])
    assert 1.0 == samples(metrics)["flower_worker_prefetched_tasks", "tasks.add", W]


def test_online(state: State, metrics: Metrics) -> None:
    """A worker whose heartbeats come is online."""
    state.apply([make.heartbeat()])
    assert 1.0 == samples(metrics)["flower_worker_online", W]


def test_silent_death(state: State, metrics: Metrics, clock: Clock) -> None:
    """A worker whose heartbeats stop is not, though it never said goodbye."""
    state.apply([make.heartbeat()])
    clock.now += 4.1
    assert 0.0 == samples(metrics)["flower_worker_online", W]


def test_executing(state: State, metrics: Metrics) -> None:
    """The last heartbeat says how many tasks run."""
    state.apply([make.heartbeat(active=3)])
    assert 3.0 == samples(metrics)["flower_worker_number_of_currently_executing_tasks", W]


def test_purge(state: State, metrics: Metrics, clock: Clock) -> None:
    """Series of workers that are offline for long are dropped; those of producers stay."""
    metrics.purge_offline_workers = 10
    state.apply([make.heartbeat(), make.sent("a"), *make.success("a")])
    clock.now += 60
    assert {"gen@client"} == {label for key in samples(metrics) for label in key if "@" in label}


def test_forget(state: State, metrics: Metrics) -> None:
    """Forgotten workers take all their series with them: three counters and a histogram here."""
    state.apply(make.success("a"))
    assert 4 == metrics.forget([W])


def bounded(state: State, **limits: int) -> Metrics:
    """Metrics with less room."""
    return Metrics(state, BUCKETS, registry=CollectorRegistry(), limits=Limits(**limits))


def test_bound_of_pairs(state: State) -> None:
    """What is beyond the bound keeps its task and loses its worker, so that sums by task stay right."""
    metrics = bounded(state, pairs=20)
    metrics.observe(*make.tally([(f"w{number}", "task-succeeded", "t", None) for number in range(25)]))
    found = samples(metrics)
    assert (1.0, 5.0, 5.0) == (
        found["flower_events_total", "t", "task-succeeded", "w19"],
        found["flower_events_total", "t", "task-succeeded", "other"],
        found["flower_metrics_folded_series", "flower_events"],
    )


def test_bound_of_tasks(state: State) -> None:
    """Where there are too many tasks as well, the rest is one series."""
    metrics = bounded(state, pairs=10)
    metrics.observe(*make.tally([(W, "task-succeeded", f"t{number}", None) for number in range(15)]))
    found = {key: value for key, value in samples(metrics).items() if key[0] == "flower_events_total"}
    assert (12, 4.0) == (len(found), found["flower_events_total", "other", "task-succeeded", "other"])


def test_bound_of_histograms(state: State) -> None:
    """Histograms have a bound of their own, which leaves the counters alone."""
    metrics = bounded(state, timed=10)
    metrics.observe(*make.tally([(f"w{number}", "task-succeeded", "t", 0.1) for number in range(15)]))
    found = samples(metrics)
    assert (5.0, 1.0) == (
        found["flower_task_runtime_seconds_count", "t", "other"],
        found["flower_events_total", "t", "task-succeeded", "w14"],
    )


def test_pods_come_and_go(state: State) -> None:
    """However many names workers take, the number of lines stays."""
    metrics = bounded(state, pairs=100, timed=20)
    sizes = []
    for start in (0, 1000, 2000):
        names = [f"pod-{number}" for number in range(start, start + 1000)]
        metrics.observe(*make.tally([(name, "task-succeeded", f"t{task}", 0.1) for name in names for task in range(3)]))
        sizes.append(metrics.render()[0].count(b"\n"))
    assert [sizes[0]] * 3 == sizes


def test_room_for_new_workers(state: State, clock: Clock) -> None:
    """When there is no room left, workers that are gone for ten minutes give theirs."""
    metrics = bounded(state, pairs=10)
    metrics.observe(
        *make.tally([(name, "task-received", "t", None) for name in (*(f"old{number}" for number in range(10)), "new")])
    )
    clock.now += 601
    metrics.observe(*make.tally([("new", "task-received", "t", None)]))
    metrics.observe(*make.tally([("new", "task-received", "t", None)]))
    found = {key: value for key, value in samples(metrics).items() if key[0] == "flower_events_total"}
    assert {("t", "task-received", "new"): 1.0, ("t", "task-received", "other"): 2.0} == {
        key[1:]: value for key, value in found.items()
    }


def test_no_room_from_workers_online(state: State, clock: Clock) -> None:
    """A worker that is online and has nothing to do keeps its series."""
    metrics = bounded(state, pairs=1)
    metrics.observe(*make.tally([(name, "task-received", "t", None) for name in (W, "new")]))
    clock.now += 601
    state.apply([make.heartbeat(at=601.0)])
    metrics.observe(*make.tally([("new", "task-received", "t", None)]))
    assert 1.0 == samples(metrics)["flower_events_total", "t", "task-received", W]


def test_bound_of_types(state: State) -> None:
    """Custom event types are bounded, too."""
    metrics = bounded(state, types=1)
    metrics.observe(*make.tally([(W, "task-a", "t", None), (W, "task-b", "t", None), (W, "task-c", "t", None)]))
    assert 2.0 == samples(metrics)["flower_events_total", "t", "other", W]


def test_escaping(metrics: Metrics) -> None:
    """Quotes, backslashes, line ends and what is not UTF-8 in a name do not break the text."""
    name = 'a"b\\c\nd%s\x00'
    metrics.observe(*make.tally([(W, "task-received", name, 0.1), (W, "task-received", "\ud800", None)]))
    assert 1.0 == samples(metrics)["flower_task_runtime_seconds_count", name, W]


def test_health(state: State, metrics: Metrics) -> None:
    """The server tells of itself: events received and malformed, the broker, the store."""
    metrics.connected = lambda: True
    state.apply([*make.success("a"), {"type": "task-started"}])
    state.flush()
    found = samples(metrics)
    names = (
        "events_received_total",
        "events_malformed_total",
        "events_dropped_total",
        "broker_connected",
        "store_tasks",
    )
    assert [4.0, 1.0, 0.0, 1.0, 1.0] == [found[(f"flower_{name}",)] for name in names]


def test_waiting(state: State, metrics: Metrics) -> None:
    """The histogram of waiting times is by queue and task, from the sending to the start."""
    state.apply([make.sent("a", 0.0), make.received("a", 1.0), make.started("a", 4.0)])
    assert 4.0 == samples(metrics)["flower_task_waiting_seconds_sum", "celery", "tasks.add"]


def test_waiting_without_the_sending(state: State, metrics: Metrics) -> None:
    """Where clients do not tell of the sending, it counts from the receipt, without a queue."""
    state.apply([make.received("a", 1.0), make.started("a", 4.0)])
    assert 3.0 == samples(metrics)["flower_task_waiting_seconds_sum", "", "tasks.add"]


def test_failures(state: State, metrics: Metrics) -> None:
    """Failures count by the class of their exception."""
    state.apply([*make.failure("a"), *make.failure("b")])
    assert 2.0 == samples(metrics)["flower_task_failures_total", "ValueError", "tasks.add"]


def test_retries(state: State, metrics: Metrics) -> None:
    """Retries count by the class of the exception that made them."""
    state.apply(make.retry_then_success("a"))
    assert 1.0 == samples(metrics)["flower_task_retries_total", "OSError", "tasks.add"]


def test_bound_of_exceptions(state: State) -> None:
    """Exceptions beyond the bound are counted together, by task."""
    metrics = bounded(state, reasons=10)
    metrics.observe(*make.tally([], faults=[("task-failed", "t", f"Error{number}()") for number in range(15)]))
    assert 5.0 == samples(metrics)["flower_task_failures_total", "other", "t"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("ValueError('no such order')", "ValueError"),
        ("shop.errors.NoStock(3)", "shop.errors.NoStock"),
        ("<ExceptionInfo: KeyError('x')>", "ExceptionInfo"),
        ("Retry(ConnectionError())", "Retry"),
        ("", "other"),
        (None, "other"),
        ("(1, 2)", "other"),
        ("x" * 200 + "()", "other"),
    ],
)
def test_class_of(told: object, expected: str) -> None:
    """The class is the name before the arguments."""
    assert expected == class_of(told)


def test_slots(state: State) -> None:
    """Concurrency is what a worker told of its pool; no more slots are busy than there are."""
    facts = {W: {"stats": {"pool": {"max-concurrency": 4}}}}
    metrics = Metrics(state, BUCKETS, registry=CollectorRegistry(), facts=facts)
    state.apply([make.heartbeat(active=7)])
    found = samples(metrics)
    assert (4.0, 4.0) == (found["flower_worker_concurrency", W], found["flower_worker_busy_slots", W])


def test_slots_that_nobody_told(state: State, metrics: Metrics) -> None:
    """A worker that did not say how many tasks it runs at once has no such samples."""
    state.apply([make.heartbeat(active=7)])
    assert [] == [
        key for key in samples(metrics) if key[0] in ("flower_worker_concurrency", "flower_worker_busy_slots")
    ]


def test_lag(state: State, metrics: Metrics, clock: Clock) -> None:
    """The lag is the age of the events when they come."""
    clock.now += 15
    state.apply([make.heartbeat(at=5.0), make.received("a", 5.0), make.started("a", 5.0)])
    assert 10.0 == samples(metrics)[("flower_events_lag_seconds",)]


def test_lag_of_one_wrong_clock(state: State, metrics: Metrics, clock: Clock) -> None:
    """One worker whose clock is wrong makes no lag."""
    clock.now += 5
    state.apply([make.heartbeat(at=-3600.0), make.received("a", 5.0), make.started("a", 5.0)])
    assert 0.0 == samples(metrics)[("flower_events_lag_seconds",)]


def test_store(state: State, metrics: Metrics) -> None:
    """The store tells its size, what waits for it, and whether it fails."""
    state.apply(make.success("a"))
    state.flush()
    found = samples(metrics)
    sizes = found[("flower_store_bytes",)], found[("flower_store_unsaved_tasks",)], found[("flower_store_failing",)]
    assert (True, 0.0, 0.0) == (sizes[0] > 4096, *sizes[1:])


def test_process_metrics(state: State) -> None:
    """The registry of the process, where users may add metrics of their own, is part of the answer."""
    assert b"\npython_info{" in Metrics(state, BUCKETS).render()[0]


def test_prometheus_content_type(metrics: Metrics) -> None:
    """The content type names version and charset."""
    assert "text/plain; version=0.0.4; charset=utf-8" == metrics.render("*/*")[1]


def test_openmetrics(state: State, metrics: Metrics) -> None:
    """OpenMetrics is written for those who ask, and its strict parser accepts it."""
    state.apply([make.heartbeat(), *make.success("a"), *make.failure("b", name="tasks.bad")])
    body, content_type = metrics.render("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    families = [family.name for family in parse_openmetrics(body.decode())]
    assert ("application/openmetrics-text; version=1.0.0; charset=utf-8", [metric.name for metric in METRICS]) == (
        content_type,
        families,
    )


PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;"
    "q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text; version=0.0.1", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=0.2,text/plain;q=0.9", False),
        ("application/openmetrics-text;q=x", False),
        (PROMETHEUS_3, True),
    ],
)
def test_negotiation(accept: str, expected: bool) -> None:
    """OpenMetrics 1.0 is for those who ask for it and do not prefer the other format."""
    assert expected == wants_openmetrics(accept)


def test_every_metric_is_written(metrics: Metrics) -> None:
    """The whole table is in the text, with its help."""
    text = metrics.render()[0]
    assert [] == [metric.name for metric in METRICS if metric.head(openmetrics=False) not in text]


def test_pieces(state: State) -> None:
    """Whatever there is to tell, it is made in pieces that are small, and cut between lines."""
    metrics = Metrics(state, BUCKETS, registry=CollectorRegistry())
    state.apply([event for number in range(3000) for event in make.success(f"t{number}", name=f"tasks.t{number}")])
    pieces = list(metrics.pieces()[0])
    assert (True, []) == (max(map(len, pieces)) < 128_000, [piece[-20:] for piece in pieces if piece[-1:] not in b"\n"])
