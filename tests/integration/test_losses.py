"""Events that a real Redis did not deliver are told; undisturbed work on real workers makes no alarm."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.integration.cluster import Server, Worker, client
from tests.services import Process, Redis, wait_for

TASKS = 2_000
SECONDS_OF_WORK = 20
SLOTS = {"prefork": 2, "threads": 4}
POOLS = {"prefork": ("-P", "prefork", "-c", "2"), "threads": ("-P", "threads", "-c", "4")}


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


def unexplained(server: Server) -> list[str]:
    """Tasks that seem to go on though the worker rests."""
    tasks = server.tasks(state="RECEIVED") | server.tasks(state="STARTED")
    return [uuid for uuid in tasks if "unheard" not in server.read(f"/api/task/info/{uuid}")["extra"]]


def send(redis: Redis, number: int, name: str, *args: float) -> None:
    with client(redis.url) as app, app.producer_pool.acquire(block=True) as producer:
        for _ in range(number):
            app.send_task(name, args, producer=producer)


def settled(server: Server, name: str, tasks: int) -> None:
    """Wait until the worker rests, and for the heartbeats by which it is judged."""
    wait_for(lambda: rests(server, name, tasks), 60, "all is done", lambda: told(server, name))
    beats = told(server, name)["heartbeats"][-1]
    wait_for(lambda: told(server, name)["heartbeats"][-1] > beats + 9, 30, "five heartbeats")


@pytest.mark.parametrize("scene", sorted(POOLS), indirect=True)
def test_undisturbed_work_makes_no_alarm(own_redis: Redis, scene: tuple[Server, str]) -> None:
    """Nothing is said to be lost of thousands of tasks, whatever the pool."""
    server, name = scene
    send(own_redis, TASKS, "tests.add", 1, 1)
    settled(server, name, TASKS)
    assert (0, []) == (told(server, name)["lost_events"], told(server, name)["losses"])


@pytest.mark.parametrize("scene", sorted(POOLS), indirect=True)
def test_what_a_cut_subscription_missed_is_told(own_redis: Redis, scene: tuple[Server, str]) -> None:
    """A subscriber that Redis cuts off under load learns how many starts it did not hear."""
    server, name = scene
    tasks = SECONDS_OF_WORK * 20 * SLOTS[name.partition("@")[0]]
    send(own_redis, tasks, "tests.wait", 0.05)
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
