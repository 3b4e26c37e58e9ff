"""Events as Celery's workers send them, published as fast as Redis takes them."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

from kombu import Connection, Exchange, Producer
from redis import Redis

CHANNEL = "/0.celeryev/task.multi"
BATCH = 10
"""Events a message; a busy worker sends what it has collected in a second."""
PIPELINE = 200
WORKERS = [f"worker{number}@bench" for number in range(20)]
NAMES = [f"shop.module{number % 7}.task{number}" for number in range(50)]
EVENTS_PER_TASK = 4
REDIS_LIMITS = "33554432 8388608 60"
"""How much a subscriber may be behind by default: 32 MB, or 8 MB for a minute."""


def life(number: int) -> list[dict[str, Any]]:
    """The events of one task: sent, received, started, and 95 in 100 times succeeded."""
    now = time.time()
    id_ = str(uuid.UUID(int=number + 1))
    worker = WORKERS[number % len(WORKERS)]
    common = {"uuid": id_, "clock": number, "pid": 1000, "utcoffset": 0, "local_received": now}
    described: dict[str, Any] = {
        "name": NAMES[number % len(NAMES)],
        "args": f"({number}, 'customer{number % 97}@example.com')",
        "kwargs": "{'region': 'eu-west-1', 'priority': 3}",
        "root_id": id_,
        "parent_id": None,
        "retries": 0,
        "eta": None,
        "expires": None,
    }
    sent = {"queue": "celery", "exchange": "", "routing_key": "celery"}
    end = {"type": "task-succeeded", "result": f"'done {number}'", "runtime": 0.012}
    if number % 20 == 7:
        trace = 'Traceback (most recent call last):\n  File "shop.py", line 7, in task\n' * 4
        end = {"type": "task-failed", "exception": f"ValueError('order {number}')", "traceback": trace}
    moments: list[dict[str, Any]] = [
        {"type": "task-sent", "hostname": "gen1@client", **described, **sent},
        {"type": "task-received", "hostname": worker, **described},
        {"type": "task-started", "hostname": worker},
        {**end, "hostname": worker},
    ]
    return [{**moment, **common, "timestamp": now + step * 0.001} for step, moment in enumerate(moments)]


def envelope(events: list[dict[str, Any]]) -> str:
    """One message as kombu puts it on a Redis channel."""
    properties = {
        "delivery_mode": 1,
        "delivery_info": {"exchange": "celeryev", "routing_key": "task.multi"},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid.uuid4()),
    }
    body = base64.b64encode(json.dumps(events).encode()).decode()
    return json.dumps(
        {
            "body": body,
            "content-encoding": "utf-8",
            "content-type": "application/json",
            "headers": {"hostname": "worker0@bench"},
            "properties": properties,
        }
    )


def batches(tasks: int, first: int = 0) -> Iterator[list[dict[str, Any]]]:
    """Everything that so many tasks tell, from the `first` on, in the order in which workers would."""
    waiting: list[dict[str, Any]] = []
    for number in range(first, first + tasks):
        waiting.extend(life(number))
        while len(waiting) >= BATCH:
            yield waiting[:BATCH]
            waiting = waiting[BATCH:]
    if waiting:
        yield waiting


def messages(tasks: int, first: int = 0) -> Iterator[str]:
    """The same as messages on a channel of Redis."""
    return map(envelope, batches(tasks, first))


def publish(client: Redis, texts: list[str], limits: str = "0 0 0") -> None:
    """Publish at full speed; unless told otherwise Redis' buffers are not limited, so that nothing is lost to them."""
    client.config_set("client-output-buffer-limit", f"pubsub {limits}")
    for start in range(0, len(texts), PIPELINE):
        with client.pipeline(transaction=False) as pipeline:
            for text in texts[start : start + PIPELINE]:
                pipeline.publish(CHANNEL, text)
            pipeline.execute()


def publish_amqp(url: str, sent: Iterable[list[dict[str, Any]]]) -> None:
    """Publish at full speed through RabbitMQ."""
    with Connection(url) as connection, connection.channel() as channel:
        exchange = Exchange("celeryev", "topic", durable=True)
        producer = Producer(channel, exchange, serializer="json")
        for events in sent:
            producer.publish(events, routing_key="task.multi", delivery_mode=1, headers={"hostname": WORKERS[0]})
