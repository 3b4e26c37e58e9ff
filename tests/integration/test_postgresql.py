"""Servers on a PostgreSQL database: two that share it, either killed at any moment, and a database that dies."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from flower.state import State
from flower.store import open_store
from tests import factories as make
from tests.databases import Databases
from tests.integration.cluster import Server, Worker
from tests.integration.load import Stream, load
from tests.services import PostgreSQL, Process, Redis, free_port, wait_for

THREADS = ("-Q", "fast,slow", "-P", "threads", "-c", "2", "-E", "--without-gossip", "--without-mingle")


@pytest.fixture
def worker(processes: list[Process], redis: Redis, tmp_path: Path) -> Worker:
    """A running worker."""
    worker = Worker(tmp_path, "worker")
    processes.append(worker)
    worker.start(redis.url, *THREADS)
    return worker


@pytest.fixture
def servers(processes: list[Process], tmp_path: Path) -> list[Server]:
    """Two servers that the test starts."""
    servers = [Server(tmp_path, name) for name in ("one", "two")]
    processes += servers
    return servers


@pytest.fixture
def own_postgresql(tmp_path: Path) -> Iterator[PostgreSQL]:
    """A running PostgreSQL that the test may kill and start again."""
    server = PostgreSQL(tmp_path)
    try:
        server.start()
        yield server
    finally:
        server.remove()


def sent_at_least(stream: Stream, number: int) -> None:
    wait_for(lambda: len(stream.sent) >= number, 30, f"{number} tasks were sent")


def missing(server: Server, stream: Stream) -> dict[str, str]:
    """Tasks that were sent and have not succeeded, as the server tells, with their states."""
    states = server.states()
    return {uuid: states.get(uuid, "unknown") for uuid in stream.sent if states.get(uuid) != "SUCCESS"}


def wait_until_complete(server: Server, stream: Stream) -> None:
    wait_for(lambda: not missing(server, stream), 30, "it has every task", lambda: missing(server, stream))


def metric(server: Server, name: str) -> float:
    """The value of a metric without labels."""
    lines = server.ask("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@pytest.mark.parametrize("victim", [0, 1])
def test_either_of_two_servers_may_be_killed(
    databases: Databases, redis: Redis, worker: Worker, servers: list[Server], victim: int
) -> None:
    """Both show all tasks; after one is killed the other leads and has everything; and so has the killed one again."""
    survivor, killed = servers[1 - victim], servers[victim]
    with databases.lent() as url:
        for server in servers:
            server.start(redis.url, f"--db={url}")
        for server in servers:
            wait_for(lambda server=server: metric(server, "flower_store_processes") == 2, 15, "they know each other")
            wait_for(server.ready, 15, "it receives events")
        with load(redis.url) as stream:
            sent_at_least(stream, 100)
            killed.end(signal.SIGKILL)
            sent_at_least(stream, 200)
            wait_for(lambda: metric(survivor, "flower_store_leads") == 1, 30, "the survivor leads")
            killed.start(redis.url, f"--db={url}")
            wait_for(killed.ready, 15, "the other is back")
            sent_at_least(stream, len(stream.sent) + 50)
        for server in servers:
            wait_until_complete(server, stream)
        assert "shared with" in survivor.ask("/workers").text
        assert 0 == metric(survivor, "flower_events_dropped_total")
        for server in servers:
            server.end()


def test_hung_leader_is_relieved(databases: Databases, redis: Redis, worker: Worker, servers: list[Server]) -> None:
    """One that neither works nor ends leads no longer; when it goes on it stands back, and both have every task."""
    leader, other = servers
    with databases.lent() as url:
        for server in servers:
            server.start(redis.url, f"--db={url}")
            wait_for(server.ready, 15, "it receives events")
        wait_for(lambda: metric(leader, "flower_store_leads") == 1, 15, "the first leads")
        with load(redis.url) as stream:
            sent_at_least(stream, 50)
            leader.pause()
            sent_at_least(stream, 100)
            wait_for(lambda: metric(other, "flower_store_leads") == 1, 60, "the other leads")
            leader.resume()
            wait_for(lambda: metric(leader, "flower_store_leads") == 0, 30, "it stands back")
            sent_at_least(stream, len(stream.sent) + 50)
        for server in servers:
            wait_until_complete(server, stream)
        assert [0, 1] == [metric(server, "flower_store_leads") for server in servers]
        for server in servers:
            server.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_dead_database_is_waited_for(
    own_postgresql: PostgreSQL, redis: Redis, worker: Worker, servers: list[Server], number: int
) -> None:
    """While the database is away it is told, wherever one looks; when it is back nothing is missing."""
    server = servers[0]
    server.start(redis.url, f"--db={own_postgresql.url}")
    wait_for(server.ready, 15, "the server is ready")
    with load(redis.url) as stream:
        sent_at_least(stream, 50)
        own_postgresql.end(number)
        wait_for(lambda: not server.ready(), 30, "the server says that it cannot store")
        before = len(stream.sent)
        sent_at_least(stream, before + 100)
        told = (metric(server, "flower_store_failing"), server.ask("/healthcheck", ready=1).text.startswith("store: "))
        page = "Tasks are not being stored" in server.ask("/workers").text
        unread: requests.Response = server.ask("/api/tasks")
        assert (1, True, True, 503) == (*told, page, unread.status_code)
        own_postgresql.start()
        wait_for(server.ready, 30, "the server can store again")
        sent_at_least(stream, len(stream.sent) + 50)
    wait_until_complete(server, stream)
    assert (0, 0) == (metric(server, "flower_events_dropped_total"), metric(server, "flower_store_lost_changes_total"))


@pytest.mark.parametrize("number, dropped", [(20_000, 0), (30_000, 3 * (30_000 - 20_500))])
def test_what_waits_is_bounded(
    own_postgresql: PostgreSQL, monkeypatch: pytest.MonkeyPatch, number: int, dropped: int
) -> None:
    """Below the bound nothing is lost of a burst that comes while the database is away; beyond it all is counted."""
    monkeypatch.setattr("flower.state.MAX_UNSTORED", 20_500)
    state = State(open_store(own_postgresql.url))
    own_postgresql.end(signal.SIGKILL)
    state.apply(make.success("first"))
    wait_for(lambda: state.store.failing_since is not None, 15, "the store fails")
    for start in range(0, number, 500):
        state.apply([event for task in range(start, start + 500) for event in make.success(f"u{task}", task)])
    own_postgresql.start()
    wait_for(lambda: state.store.failing_since is None and not state.unsaved(), 60, "all is stored")
    state.flush()
    stored, lost = state.store.tasks, state.totals["dropped"]
    state.stop()
    assert (number + 1 - dropped // 3, dropped) == (stored, lost)


def test_database_that_comes_late(redis: Redis, worker: Worker, servers: list[Server], tmp_path: Path) -> None:
    """A server that starts before its database says so, keeps what it hears, and stores it later."""
    database, server = PostgreSQL(tmp_path), servers[0]
    try:
        server.start(redis.url, f"--db={database.url}")
        with load(redis.url) as stream:
            wait_for(lambda: metric(server, "flower_broker_connected") == 1, 15, "it receives events")
            before = len(stream.sent)
            sent_at_least(stream, before + 100)
            told = server.ask("/healthcheck", ready=1)
            assert (503, True) == (told.status_code, told.text.startswith("store: PostgreSQL database postgres at "))
            database.start()
            wait_for(server.ready, 15, "the server stores", lambda: server.log[-2000:])
            sent_at_least(stream, len(stream.sent) + 50)
        late = list(stream.sent)[before:]
        wait_for(lambda: {server.states().get(uuid) for uuid in late} == {"SUCCESS"}, 30, "it has every task")
        assert 0 == metric(server, "flower_events_dropped_total")
    finally:
        server.end()
        database.remove()


def test_stops_without_its_database(redis: Redis, servers: list[Server]) -> None:
    """A server whose database never was there ends in time."""
    server = servers[0]
    server.start(redis.url, f"--db=postgresql://127.0.0.1:{free_port()}/x")
    assert (0, True) == server.ends_in_time()


def test_stops_while_its_database_hangs(
    own_postgresql: PostgreSQL, redis: Redis, worker: Worker, servers: list[Server]
) -> None:
    """A database that takes connections and answers nothing does not hold up the end."""
    server = servers[0]
    server.start(redis.url, f"--db={own_postgresql.url}")
    wait_for(server.ready, 15, "the server is ready")
    with load(redis.url) as stream:
        sent_at_least(stream, 20)
        own_postgresql.pause()
        sent_at_least(stream, len(stream.sent) + 20)
        ended = server.ends_in_time()
    own_postgresql.resume()
    assert (0, True) == ended
