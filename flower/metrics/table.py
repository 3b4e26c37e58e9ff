"""The table of the metrics, in the order in which they are written. Those of the queues are in `flower.sampler`."""

from __future__ import annotations

from flower.utils.exposition import Metric

BY_PAIR = ("task", "worker")

EVENTS = Metric("flower_events", "counter", "Number of events", ("task", "type", "worker"))
RUNTIME = Metric("flower_task_runtime_seconds", "histogram", "Task runtime", BY_PAIR)
WAITING = Metric(
    "flower_task_waiting_seconds",
    "histogram",
    "Time from a task's sending to its start, or from its receipt where the sending was not told",
    ("queue", "task"),
)
FAILURES = Metric("flower_task_failures", "counter", "Number of failures by exception", ("exception", "task"))
RETRIES = Metric("flower_task_retries", "counter", "Number of retries by exception", ("exception", "task"))
PREFETCH_TIME = Metric(
    "flower_task_prefetch_time_seconds",
    "gauge",
    "The time the task spent waiting at the celery worker to be executed.",
    BY_PAIR,
)
PREFETCHED = Metric(
    "flower_worker_prefetched_tasks", "gauge", "Number of tasks of given type prefetched at a worker", BY_PAIR
)
ONLINE = Metric("flower_worker_online", "gauge", "Worker online status", ("worker",))
EXECUTING = Metric(
    "flower_worker_number_of_currently_executing_tasks",
    "gauge",
    "Number of tasks currently executing at a worker",
    ("worker",),
)
CONCURRENCY = Metric("flower_worker_concurrency", "gauge", "Number of tasks a worker can run at once", ("worker",))
BUSY = Metric("flower_worker_busy_slots", "gauge", "How many of a worker's slots run a task", ("worker",))
RECEIVED = Metric("flower_events_received", "counter", "Number of events of tasks and workers that were received")
DROPPED = Metric(
    "flower_events_dropped", "counter", "Number of events that were not kept as the store could not keep up"
)
MISSED = Metric("flower_events_lost", "counter", "Number of events of a worker that are known to be lost", ("worker",))
MALFORMED = Metric("flower_events_malformed", "counter", "Number of messages that were not understood as events")
LAG = Metric("flower_events_lag_seconds", "gauge", "Age of the events that came last, when they came")
CONNECTED = Metric("flower_broker_connected", "gauge", "Whether events can be received from the broker")
STORED = Metric("flower_store_tasks", "gauge", "Number of tasks in the store")
STORE_SIZE = Metric("flower_store_bytes", "gauge", "Size of the store")
PROCESSES = Metric("flower_store_processes", "gauge", "Number of Flowers that use the store, this one included")
LEADS = Metric("flower_store_leads", "gauge", "Whether this one does for all what one must do")
UNSAVED = Metric("flower_store_unsaved_tasks", "gauge", "Number of changed tasks that wait for the store")
WRITE_TIME = Metric("flower_store_write_seconds", "gauge", "Duration of the last write to the store")
FAILING = Metric("flower_store_failing", "gauge", "Whether the store cannot be written")
LOST = Metric("flower_store_lost_changes", "counter", "Number of changes of tasks that could not be stored")
FOLDED = Metric("flower_metrics_folded_series", "gauge", "Number of label sets that are counted as other", ("metric",))
BUILD = Metric("flower_build_info", "gauge", "Versions, with the value 1", ("celery", "version"))

METRICS: tuple[Metric, ...] = (
    EVENTS,
    RUNTIME,
    WAITING,
    FAILURES,
    RETRIES,
    PREFETCH_TIME,
    PREFETCHED,
    ONLINE,
    EXECUTING,
    CONCURRENCY,
    BUSY,
    MISSED,
    RECEIVED,
    DROPPED,
    MALFORMED,
    LAG,
    CONNECTED,
    STORED,
    PROCESSES,
    LEADS,
    STORE_SIZE,
    UNSAVED,
    WRITE_TIME,
    FAILING,
    LOST,
    FOLDED,
    BUILD,
)
