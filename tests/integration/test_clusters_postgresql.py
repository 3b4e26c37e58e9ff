"""A cluster that keeps its tasks in a PostgreSQL database beside one with a file, each with a broker and a worker."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import Server, Worker
from tests.integration.test_clusters import THREADS, Two
from tests.services import PostgreSQL, Process, Redis, last, wait_for


@pytest.fixture
def database(tmp_path: Path) -> Iterator[PostgreSQL]:
    """A server that is not running yet."""
    database = PostgreSQL(tmp_path)
    yield database
    database.remove()


@pytest.fixture
def two(
    processes: list[Process], database: PostgreSQL, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Two:
    """The cluster default, in a file, and the cluster mail, in the database; the server is not started yet."""
    brokers = {name: Redis(tmp_path_factory.mktemp(name)) for name in ("default", "mail")}
    (tmp_path / "clusters.json").write_text(json.dumps({"mail": {"broker": brokers["mail"].url, "db": database.url}}))
    for name, broker in brokers.items():
        processes.append(broker)
        broker.start()
        worker = Worker(tmp_path, name)
        processes.append(worker)
        worker.start(broker.url, *THREADS)
    two = Two(Server(tmp_path, "server"), brokers)
    processes.append(two.server)
    return two


def start(two: Two) -> None:
    """Start the server, and wait until it hears both workers."""
    two.server.start(two.brokers["default"].url, "--clusters=clusters.json", "--persistent=true", "--db=history.db")
    for name in two.brokers:
        alive = {f"{name}@test": True}
        wait_for(lambda name=name, alive=alive: two.server.read(f"/c/{name}/api/workers", status=1) == alive, 30, name)


def settled(two: Two, states: dict[str, str]) -> dict[str, str]:
    """How the clusters stand, when it is as expected."""
    return last(two.states, states, 30)


WELL = {"default": "well", "mail": "well"}
DEAD = {"default": "well", "mail": "unstored"}


def test_both_are_kept(two: Two, database: PostgreSQL) -> None:
    """Lists, searches, statistics and metrics tell of each its own, and a restart forgets nothing."""
    database.start()
    start(two)
    ran = {name: {two.run(name) for _ in range(number)} for name, number in (("default", 3), ("mail", 5))}
    for name, tasks in ran.items():
        assert tasks == last(lambda name=name: two.ended(name), tasks, 30)  # type: ignore[misc]
    assert WELL == settled(two, WELL)
    for name, tasks in ran.items():
        one = min(tasks)
        found = two.server.read(f"/c/{name}/api/tasks", search=f"state:SUCCESS {one[:8]}")["tasks"]
        assert [one] == [task["uuid"] for task in found]
        path = f"/c/{name}/api/stats?window=1h"
        counted = last(lambda path=path: two.server.read(path)["total"]["states"].get("SUCCESS"), len(tasks), 15)  # type: ignore[misc]
        assert len(tasks) == counted
    text = two.server.ask("/metrics").text
    assert ({f'flower_store_tasks{{cluster="{name}"}} {len(tasks)}.0' in text for name, tasks in ran.items()}) == {True}
    two.server.end()
    start(two)
    assert ran == {name: two.ended(name) for name in ran}


def test_a_database_that_dies(two: Two, database: PostgreSQL) -> None:
    """Killed while the server runs, and away when one starts: the other cluster goes on, and nothing is lost."""
    database.start()
    start(two)
    kept = {"default": {two.run("default")}, "mail": {two.run("mail")}}
    for name, tasks in kept.items():
        assert tasks == last(lambda name=name: two.ended(name), tasks, 30)  # type: ignore[misc]
    database.end(signal.SIGKILL)
    assert DEAD == settled(two, DEAD)
    assert (0, True) == two.server.ends_in_time()
    start(two)
    assert DEAD == settled(two, DEAD)
    for name in two.brokers:
        kept[name].add(two.run(name))
    assert kept["default"] == last(lambda: two.ended("default"), kept["default"], 30)
    assert [503, 200, 503] == [
        two.server.ask(path, ready=1).status_code
        for path in ("/c/mail/healthcheck", "/healthcheck", "/c/mail/api/tasks")
    ]
    database.start()
    assert WELL == settled(two, WELL)
    assert kept == last(lambda: {name: two.ended(name) for name in kept}, kept, 30)
