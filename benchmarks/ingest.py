"""Events at full speed, until the last one is visible over HTTP."""

from __future__ import annotations

import math
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from redis import Redis as Client

from benchmarks.measure import Measure
from benchmarks.subject import Size, Subject
from benchmarks.target import Target
from benchmarks.traffic import EVENTS_PER_TASK, REDIS_LIMITS, batches, messages, publish, publish_amqp
from tests.services import RabbitMQ, Redis, wait_for

SAMPLES = 200
FINAL = {"SUCCESS", "FAILURE"}
PATIENCE_SECONDS = 600
AMQP_PATIENCE_SECONDS = 60
"""RabbitMQ drops what a queue of Celery's holds for five seconds: what is not there by then never comes."""
AMQP_SMALL = 3
"""By which the smaller burst is smaller."""
STILL_SECONDS = 5.0
"""When nothing more was counted for so long, nothing more will come."""


def id_of(number: int) -> str:
    """The uuid of a task of `benchmarks.traffic`."""
    return str(uuid.UUID(int=number + 1))


def missing(target: Target, tasks: int) -> float:
    """Percent of a sample of the tasks that are wrong, or not there."""
    ids = [id_of(number) for number in range(0, tasks, max(1, tasks // SAMPLES))]
    return 100 * sum(target.state_of(id_) not in FINAL for id_ in ids) / len(ids)


def fill(target: Target, broker: Redis, tasks: int, first: int = 0) -> float:
    """Let it hear of so many tasks; the seconds until the last one was visible."""
    texts = list(messages(tasks, first))
    return measured(target, first + tasks, lambda: _publish(broker, texts))


def measured(target: Target, end: int, send: Callable[[], None], patience: float = PATIENCE_SECONDS) -> float:
    """Seconds from the first event until the task before the `end` is visible. Raises AssertionError."""
    began = time.perf_counter()
    send()
    wait_for(lambda: target.state_of(id_of(end - 1)) in FINAL, patience, "the last task is visible")
    return time.perf_counter() - began


def _publish(broker: Redis, texts: list[str], limits: str = "0 0 0") -> None:
    with Client.from_url(broker.url) as client:
        publish(client, texts, limits)


def empty(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """A burst to a server that knows nothing yet."""
    texts, events = list(messages(size.tasks)), size.tasks * EVENTS_PER_TASK
    rates, costs, wrong = [], [], 0.0
    for _ in range(size.repeats):
        with subject.running(broker) as target:
            cpu = target.cpu_seconds()
            took = measured(target, size.tasks, lambda: _publish(broker, texts))
            rates.append(events / took)
            costs.append((target.cpu_seconds() - cpu) / events * 1000)
            wrong = max(wrong, missing(target, size.tasks))
    return [
        Measure(f"burst of {events:,} events, events/s", sorted(rates)[len(rates) // 2], more=True),
        Measure("processor, s for 1,000 events", sorted(costs)[len(costs) // 2]),
        Measure("tasks that are wrong or missing, %", wrong),
    ]


def full(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """The same where every new task pushes out an old one."""
    with subject.running(broker, f"--max_tasks={size.kept}") as target:
        fill(target, broker, size.kept)
        took = fill(target, broker, size.tasks, size.kept)
        memory = target.megabytes()
    return [
        Measure(f"{size.kept:,} tasks known, events/s", size.tasks * EVENTS_PER_TASK / took, more=True),
        Measure(f"memory with {size.kept:,} tasks, MiB", memory),
    ]


def flood(subject: Subject, broker: Redis, size: Size) -> list[Measure]:
    """A burst that is more than Redis keeps for a subscriber, with its default limits."""
    texts = list(messages(size.flood))
    with subject.running(broker, f"--max_tasks={size.flood}") as target:
        _publish(broker, texts, REDIS_LIMITS)
        told, since = -1.0, time.monotonic()
        while time.monotonic() - since < STILL_SECONDS and target.state_of(id_of(size.flood - 1)) not in FINAL:
            if (counted := target.counted()) != told:
                told, since = counted, time.monotonic()
            time.sleep(0.5)
        lost = missing(target, size.flood)
    return [Measure(f"burst of {size.flood * EVENTS_PER_TASK:,} events, Redis' default limits: lost, %", lost)]


def rabbitmq(subject: Subject, _: Redis, size: Size) -> list[Measure]:
    """Bursts through RabbitMQ, one of them small enough for a slow reader."""
    broker = RabbitMQ(Path(tempfile.mkdtemp(prefix="flower-bench-")))
    found, first = [], 0
    try:
        broker.start()
        with subject.running(broker) as target:
            for tasks in (size.tasks // AMQP_SMALL, size.tasks):
                took = _amqp_seconds(target, broker, tasks, first)
                first, events = first + tasks, tasks * EVENTS_PER_TASK
                found.append(
                    Measure(f"burst of {events:,} events through RabbitMQ, events/s", events / took, more=True)
                )
    finally:
        broker.end()
    return found


def _amqp_seconds(target: Target, broker: RabbitMQ, tasks: int, first: int) -> float:
    """Until the last of them was visible; NaN if that never was."""
    sent = list(batches(tasks, first))
    try:
        return measured(target, first + tasks, lambda: publish_amqp(broker.url, sent), AMQP_PATIENCE_SECONDS)
    except AssertionError:
        return math.nan
