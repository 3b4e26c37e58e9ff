"""Queues as a running server tells them, with real brokers: deep, unread, purged, with the broker gone and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from celery import Celery

from tests.integration.cluster import Server, client
from tests.services import Process, RabbitMQ, Redis, wait_for

HOSTILE = "a <b>q</b>/ü?#%&"


@pytest.fixture
def sent() -> Iterator[Celery]:
    """A client that announces its tasks."""
    app = client("memory://")
    app.conf.task_send_sent_event = True
    yield app
    app.close()


def fill(app: Celery, url: str, *, priorities: bool = False) -> None:
    """Three messages in a queue that nobody consumes, one in a queue with a hostile name."""
    app.conf.broker_url = url
    for number in range(3):
        app.send_task("tests.add", (1, 1), queue="nobodys", priority=9 if priorities and not number else 0)
    app.send_task("tests.add", (1, 1), queue=HOSTILE)


def waiting(server: Server) -> dict[str, Any]:
    lengths = server.read("/api/queues/length")
    return {name: lengths.get(name) for name in ("nobodys", HOSTILE)}


def ready(server: Server, queue: str) -> list[Any]:
    """What was sampled of a queue."""
    depths = server.read("/api/queues/history", queue=queue, window="10m")["queues"]
    return [number for number in depths[0]["ready"] if number is not None] if depths else []


def purge(server: Server, queue: str) -> tuple[int, dict[str, Any]]:
    """Purge with the token of the first answer; how many it counted, and the answer."""
    address = f"{server.address}/api/queue/purge/{quote(queue, safe='')}"
    asked = requests.post(address, timeout=10).json()
    return asked["count"], requests.post(address, params={"confirm": asked["confirm"]}, timeout=10).json()


def test_redis(own_redis: Redis, tmp_path: Path, processes: list[Process], sent: Celery) -> None:
    """Queues that nobody consumes are found, sampled, told to Prometheus, flagged, purged; a dead Redis leaves them."""
    server = Server(tmp_path, "server")
    processes.append(server)
    fill(sent, own_redis.url, priorities=True)
    server.start(own_redis.url)
    wait_for(lambda: waiting(server) == {"nobodys": 3, HOSTILE: 1}, 10, "both are counted", lambda: waiting(server))
    wait_for(lambda: 3 in ready(server, "nobodys") and 1 in ready(server, HOSTILE), 15, "both are sampled")
    metrics = server.ask("/metrics").text
    assert ('flower_queue_ready_messages{queue="nobodys"} 3.0' in metrics, "oldest_message" in metrics) == (True, True)
    page = server.ask("/queue/nobodys").text
    assert ("priority 9: 1" in page, "priority 0: 2" in page) == (True, True)
    count, answer = purge(server, "nobodys")
    assert (3, 3, {"nobodys": 0, HOSTILE: 1}) == (count, answer["purged"], waiting(server))
    own_redis.end(9)
    wait_for(lambda: server.ask("/api/queues/length").status_code == 503, 10, "the API says that it is gone")
    page = server.ask("/broker").text
    assert ("numbers as of" in page, "no queue" in page.lower()) == (True, False)
    own_redis.start()
    wait_for(lambda: server.ask("/api/queues/length").status_code == 200, 10, "it is back")
    assert "numbers as of" not in server.ask("/broker").text


def test_rabbitmq(rabbitmq: RabbitMQ, tmp_path: Path, processes: list[Process], sent: Celery) -> None:
    """RabbitMQ's numbers are exact from the first moment of a queue, and after a purge."""
    server = Server(tmp_path, "server")
    processes.append(server)
    server.start(rabbitmq.url, f"--broker_api={rabbitmq.api_url}")
    wait_for(lambda: server.ask("/api/queues/length").status_code == 200, 10, "it answers")
    fill(sent, rabbitmq.url)
    # Its statistics need some five seconds for a new queue.
    wait_for(lambda: waiting(server) == {"nobodys": 3, HOSTILE: 1}, 4, "both are counted", lambda: waiting(server))
    for queue, number in (("nobodys", 3), (HOSTILE, 1)):
        assert (number, 0) == (purge(server, queue)[0], waiting(server)[queue])


def test_rabbitmq_without_management(rabbitmq: RabbitMQ, tmp_path: Path, processes: list[Process]) -> None:
    """Without the management API the known queues are counted, and the page says what is missing."""
    server = Server(tmp_path, "server")
    processes.append(server)
    server.start(rabbitmq.url, "--broker_api=http://127.0.0.1:1/api/")
    page = server.ask("/broker").text
    assert ("management API" in page, "does not answer" in page) == (True, True)
