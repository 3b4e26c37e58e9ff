"""What happens when a worker, the broker or the server itself is stopped or killed."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.integration.cluster import FINAL, Server, Worker, client, unexplained
from tests.integration.load import load
from tests.services import Process, RabbitMQ, Redis, last, wait_for


@pytest.fixture
def server(processes: list[Process], tmp_path: Path) -> Server:
    """A server that the test starts."""
    server = Server(tmp_path, "server")
    processes.append(server)
    return server


@pytest.fixture
def worker(processes: list[Process], tmp_path: Path) -> Worker:
    """A worker that the test starts."""
    worker = Worker(tmp_path, "worker")
    processes.append(worker)
    return worker


THREADS = ("-Q", "fast,slow", "-P", "threads", "-c", "2", "-E", "--without-gossip", "--without-mingle")


def test_killed_worker_goes_offline(own_redis: Redis, server: Server, worker: Worker) -> None:
    """A worker that dies without a word is offline two heartbeats later."""
    server.start(own_redis.url)
    worker.start(own_redis.url, *THREADS)
    wait_for(lambda: server.alive() == {"worker@test"}, 10, "the worker is online")
    worker.end(signal.SIGKILL)
    offline = {"worker@test": False}
    assert offline == last(lambda: server.read("/api/workers", status=1), offline, 10)


def test_running_tasks_are_found_after_a_restart(own_redis: Redis, server: Server, worker: Worker) -> None:
    """A server that starts while a task runs learns of it from the worker."""
    worker.start(own_redis.url, *THREADS)
    app = client(own_redis.url)
    running = app.send_task("tests.wait", (20,)).id
    wait_for(lambda: running in worker.log, 10, "the task runs")
    time.sleep(0.5)  # the events of its start are past before anybody listens
    server.start(own_redis.url)
    app.close()
    assert {running: "STARTED"} == last(server.states, {running: "STARTED"}, 10)


def test_server_starts_before_its_broker(own_redis: Redis, server: Server) -> None:
    """Without a broker the server starts, says that it is not ready, and becomes so by itself."""
    own_redis.end()
    server.start(own_redis.url)
    assert (503, "broker") == ((answer := server.ask("/healthcheck", ready=1)).status_code, answer.text.split(":")[0])
    own_redis.start()
    wait_for(server.ready, 10, "ready after the broker came")


def ended(server: Server) -> set[str]:
    """The tasks that were seen to their end."""
    return {uuid for uuid, state in server.states().items() if state in FINAL}


def outage(broker: Redis | RabbitMQ, server: Server, worker: Worker) -> tuple[int, set[str]]:
    """Kill the broker under load and start it again; health meanwhile, and later tasks that were not seen to end."""
    server.start(broker.url)
    worker.start(broker.url, *THREADS)
    with load(broker.url) as stream:
        wait_for(lambda: len(server.states()) > 50, 20, "tasks are seen")
        broker.end(signal.SIGKILL)
        wait_for(lambda: not server.ready(), 10, "the outage is told")
        alive = server.ask("/healthcheck").status_code
        broker.start()
        wait_for(server.ready, 15, "ready again")
        wait_for(lambda: " ready." in worker.log and server.alive(), 30, "the worker is back")
        again = time.time()
        wait_for(lambda: len([sent for sent in stream.sent.values() if sent > again]) > 50, 20, "work goes on")
    late = {uuid for uuid, sent in stream.sent.items() if sent > again}
    return alive, last(lambda: late - ended(server), set(), 20)


def test_redis_outage(own_redis: Redis, server: Server, worker: Worker) -> None:
    """When Redis is killed and comes back, the server says so and goes on."""
    assert (200, set()) == outage(own_redis, server, worker)


def test_rabbitmq_outage(own_rabbitmq: RabbitMQ, server: Server, worker: Worker) -> None:
    """When RabbitMQ is killed and comes back, the server says so and goes on."""
    assert (200, set()) == outage(own_rabbitmq, server, worker)


def test_killed_server_keeps_what_is_older_than_a_second(own_redis: Redis, server: Server, worker: Worker) -> None:
    """After kill -9 under load everything is there that the server had seen a second before."""
    persistent = ("--persistent=true", "--db=history")
    server.start(own_redis.url, *persistent)
    worker.start(own_redis.url, *THREADS)
    with load(own_redis.url):
        wait_for(lambda: len(server.states()) > 200, 20, "tasks are seen")
        seen = ended(server)
        time.sleep(1)
        server.end(signal.SIGKILL)
    server.start(own_redis.url, *persistent)
    assert set() == seen - ended(server)


def test_killed_server_is_told_by_the_next(own_redis: Redis, server: Server, worker: Worker) -> None:
    """Since when nobody listened is said in the log, the API and on the overview; no task is left as if it went on."""
    persistent = ("--persistent=true", "--db=history")
    server.start(own_redis.url, *persistent)
    worker.start(own_redis.url, *THREADS)
    with load(own_redis.url) as stream:
        wait_for(lambda: len(server.states()) > 100, 20, "tasks are seen")
        server.end(signal.SIGKILL)
        killed, sent = time.time(), len(stream.sent)
        wait_for(lambda: len(stream.sent) > sent + 100, 20, "work goes on")
        server.start(own_redis.url, *persistent)
        again = time.time()
        wait_for(lambda: server.read("/api/stats")["interrupted"], 10, "it is told")
    told = server.read("/api/stats")["interrupted"]
    # Until a second and a write before; a busy machine may have kept it from writing.
    assert (True, True) == (killed - 5 < told["from"] <= killed, killed < told["to"] <= again)
    assert (1, True) == (server.log.count("not ended in order"), "not ended in order" in server.ask("/").text)
    wait_for(lambda: not unexplained(server), 30, "what became of every task is known, or said not to be")
    server.end()
    server.start(own_redis.url, *persistent)
    wait_for(server.ready, 15, "ready")
    assert (None, 1) == (server.read("/api/stats")["interrupted"], server.log.count("not ended in order"))


def test_everything_is_stored_at_the_end(own_redis: Redis, server: Server, worker: Worker) -> None:
    """SIGTERM under load loses nothing that was seen."""
    persistent = ("--persistent=true", "--db=history")
    server.start(own_redis.url, *persistent)
    worker.start(own_redis.url, *THREADS)
    with load(own_redis.url):
        wait_for(lambda: len(server.states()) > 200, 20, "tasks are seen")
        seen = server.states().keys()
        server.end(signal.SIGTERM)
    server.start(own_redis.url, *persistent)
    assert set() == seen - server.states().keys()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stops_within_two_seconds(own_redis: Redis, server: Server, worker: Worker, number: signal.Signals) -> None:
    """A signal ends the server within two seconds, though a browser listens and a worker is asked that hangs."""
    server.start(own_redis.url, "--inspect_timeout=60000")
    worker.start(own_redis.url, *THREADS)
    wait_for(lambda: server.alive() == {"worker@test"}, 30, "the worker is online")
    worker.pause()
    with server.begin("/stream"), server.begin("/api/workers?refresh=1"):
        ended = server.ends_in_time(number)
    assert (0, True) == ended
