"""Events that a real broker did not deliver are told; undisturbed work on real workers makes no alarm."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from tests.integration.cluster import Server, Worker, client, unexplained
from tests.services import Process, RabbitMQ, Redis, wait_for

TASKS = 2_000
SECONDS_OF_WORK = 20
SLOTS = {"prefork": 2, "threads": 4}
POOLS = {"prefork": ("-P", "prefork", "-c", "2"), "threads": ("-P", "threads", "-c", "4")}

ASKED = "it is asked for tasks that send no events"


def acknowledged(rabbitmq: RabbitMQ, queue: str) -> int:
    """How many tasks of a queue were taken by a worker."""
    told = requests.get(f"{rabbitmq.api_url}queues/%2F/{queue}", timeout=10).json()
    return int(told.get("message_stats", {}).get("ack", 0))


def cut_off(redis: Redis) -> None:
    """Have Redis end every subscription to events."""
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        connection.sendall(b"*4\r\n$6\r\nCLIENT\r\n$4\r\nKILL\r\n$4\r\nTYPE\r\n$6\r\npubsub\r\n")
        connection.recv(100)


def told(server: Server, name: str) -> dict[str, Any]:
    """What `/api/workers` says of a worker."""
    found: dict[str, Any] = server.read("/api/workers", workername=name)[name]
    return found


def rests(server: Server, name: str, tasks: int) -> bool:
    """Whether a worker has begun so many tasks and has nothing to do."""
    facts = told(server, name)
    return facts["processed"] >= tasks and facts["active"] == 0


@pytest.fixture
def scene(own_redis: Redis, processes: list[Process], request: pytest.FixtureRequest) -> tuple[Server, str]:
    """A server and a worker that is at work; the worker's name."""
    folder, pool = own_redis.folder, request.param
    server, worker = Server(folder, "server"), Worker(folder, pool)
    processes += [server, worker]
    server.start(own_redis.url)
    worker.start(own_redis.url, "-Q", "fast,slow", "-E", *POOLS[pool])
    return server, f"{pool}@test"


class Tap:
    """What leads RabbitMQ's events to those who begin to listen from now on: closed, they are dropped silently."""

    def __init__(self, rabbitmq: RabbitMQ) -> None:
        self.api = rabbitmq.api_url
        self.others = self.bound()
        self.queues: dict[str, str] = {}

    def bound(self) -> dict[str, str]:
        """The queues to which all events go, and what the API calls their bindings."""
        bindings = requests.get(f"{self.api}exchanges/%2F/celeryev/bindings/source", timeout=10)
        found = bindings.json() if bindings.ok else []
        return {each["destination"]: each["properties_key"] for each in found if each["routing_key"] == "#"}

    def close(self) -> None:
        self.queues = {queue: key for queue, key in self.bound().items() if queue not in self.others}
        for queue, key in self.queues.items():
            address = f"{self.api}bindings/%2F/e/celeryev/q/{queue}/{quote(key)}"
            requests.delete(address, timeout=10).raise_for_status()

    def open(self) -> None:
        for queue in self.queues:
            address = f"{self.api}bindings/%2F/e/celeryev/q/{queue}"
            requests.post(address, json={"routing_key": "#"}, timeout=10).raise_for_status()


@pytest.fixture
def rabbit_scene(
    rabbitmq: RabbitMQ, tmp_path: Path, processes: list[Process], request: pytest.FixtureRequest
) -> tuple[Server, str, Tap]:
    """The same on RabbitMQ, and its tap: it leads to a queue that others may reach, unlike that of most servers."""
    (tmp_path / "celeryconfig.py").write_text("event_queue_durable = True\n")
    server, worker = Server(tmp_path, "server"), Worker(tmp_path, f"rabbit-{request.param}")
    processes += [server, worker]
    tap = Tap(rabbitmq)
    server.start(rabbitmq.url)
    worker.start(rabbitmq.url, "-Q", worker.name, "-E", *POOLS[request.param])
    return server, f"{worker.name}@test", tap


def send(broker: str, number: int, name: str, *args: float, queue: str | None = None) -> None:
    with client(broker) as app, app.producer_pool.acquire(block=True) as producer:
        for _ in range(number):
            app.send_task(name, args, producer=producer, queue=queue)


def settled(server: Server, name: str, tasks: int) -> None:
    """Wait until the worker rests, and for the heartbeats by which it is judged."""
    wait_for(lambda: rests(server, name, tasks), 60, "all is done", lambda: told(server, name))
    beats = told(server, name)["heartbeats"][-1]
    wait_for(lambda: told(server, name)["heartbeats"][-1] > beats + 9, 30, "five heartbeats")


@pytest.mark.parametrize("scene", sorted(POOLS), indirect=True)
def test_undisturbed_work_makes_no_alarm(own_redis: Redis, scene: tuple[Server, str]) -> None:
    """Nothing is said to be lost of thousands of tasks, whatever the pool."""
    server, name = scene
    send(own_redis.url, TASKS, "tests.add", 1, 1)
    settled(server, name, TASKS)
    assert (0, []) == (told(server, name)["lost_events"], told(server, name)["losses"])


@pytest.mark.parametrize("scene", sorted(POOLS), indirect=True)
def test_what_a_cut_subscription_missed_is_told(own_redis: Redis, scene: tuple[Server, str]) -> None:
    """A subscriber that Redis cuts off under load learns how many starts it did not hear."""
    server, name = scene
    tasks = SECONDS_OF_WORK * 20 * SLOTS[name.partition("@")[0]]
    send(own_redis.url, tasks, "tests.wait", 0.05)
    wait_for(lambda: (told(server, name)["processed"] or 0) > 0, 30, "it is at work", lambda: told(server, name))
    began = told(server, name)["heartbeats"][-1]
    wait_for(lambda: told(server, name)["heartbeats"][-1] > began + 7, 30, "it is known to tell of its work")
    for times in range(2, 5):
        cut_off(own_redis)
        wait_for(lambda times=times: server.log.count("Receiving events") >= times, 15, "it is connected anew")
    settled(server, name, tasks)
    wait_for(lambda: told(server, name)["lost_events"] > 0, 20, "it is told", lambda: told(server, name))
    wait_for(lambda: not unexplained(server), 30, "what became of every task is known, or said not to be")
    since, until = (told(server, name)["losses"][0][key] for key in ("since", "until"))
    assert since < until


@pytest.mark.parametrize("rabbit_scene", sorted(POOLS), indirect=True)
def test_what_rabbitmq_dropped_is_told(rabbitmq: RabbitMQ, rabbit_scene: tuple[Server, str, Tap]) -> None:
    """Undisturbed work makes no alarm, and the worker is not even asked; what is dropped under load is told as lost."""
    server, name, tap = rabbit_scene
    queue = name.partition("@")[0]
    for times in (1, 2):
        send(rabbitmq.url, TASKS, "tests.add", 1, 1, queue=queue)
        settled(server, name, times * TASKS)
    assert (0, False) == (told(server, name)["lost_events"], ASKED in server.log)
    tap.close()
    send(rabbitmq.url, TASKS, "tests.add", 1, 1, queue=queue)
    wait_for(lambda: acknowledged(rabbitmq, queue) == 3 * TASKS, 60, "all is done")
    tap.open()
    send(rabbitmq.url, TASKS, "tests.add", 1, 1, queue=queue)
    settled(server, name, 4 * TASKS)
    wait_for(lambda: told(server, name)["lost_events"] > 0, 30, "it is told", lambda: told(server, name))
    wait_for(lambda: not unexplained(server), 30, "what became of every task is known, or said not to be")
    missing, lost = 4 * TASKS - len(server.tasks()), told(server, name)["lost_events"]
    slots = SLOTS[queue.removeprefix("rabbit-")]
    assert (1, True) == (server.log.count("Receiving events"), abs(missing - lost) <= slots)
