"""An operator replaces Flower 2.2 by changing nothing but the package: both start with the same file and environment.

Flower 2.2.0 comes from PyPI into an environment of its own, which benchmarks share.
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
from celery import Celery
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.target import released
from tests.integration.cluster import Worker, client
from tests.services import Process, Redis, free_port, wait_for

VERSION = "2.2.0"
AUTH = ("ann", "secret")
PREFIX = "/monitor"
CONFIGURATION = """
# The file of a server that has run for years.
basic_auth = ["ann:secret"]
url_prefix = "monitor"
max_tasks = 5000
natural_time = False
tasks_columns = "name,uuid,state,args,kwargs,result,received,started,runtime,worker"
task_runtime_metric_buckets = [0.1, 1.0, 10.0, float("inf")]

def format_task(task):
    task.args = "hidden"
    return task
"""
ENVIRONMENT = {
    "FLOWER_PURGE_OFFLINE_WORKERS": "3600",
    "FLOWER_INSPECT_TIMEOUT": "2000",
    "FLOWER_CLASSIC_API": "true",  # Flower 2.2 has its own shapes and does not know the name
}
MENDED = {"args": "hidden"}
"""`format_task` was only asked for the table: the API told what it hides."""
PAGES = ["/", "/workers", "/tasks", "/broker", "/worker/w1@test", "/metrics", "/healthcheck"]


class Server(Process):
    """One of the two."""

    def start(self, python: str, broker: str) -> None:
        """Start it with the file and the environment."""
        self.port = free_port()
        (self.folder / "flowerconfig.py").write_text(CONFIGURATION)
        listen = (f"--port={self.port}", "--address=127.0.0.1")
        self.spawn(python, "-m", "celery", "-b", broker, "flower", *listen, env=ENVIRONMENT)
        self.wait_for(lambda: self.answers("/healthcheck"), 40, "answers")

    def get(self, path: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{PREFIX}{path}", auth=AUTH, timeout=30)

    def answers(self, path: str) -> bool:
        try:
            return self.get(path).status_code == 200
        except requests.ConnectionError:
            return False

    def json(self, path: str) -> Any:
        answer = self.get(path)
        answer.raise_for_status()
        return answer.json()


@dataclass
class Both:
    """Flower 2.2 and this one, which have seen the same."""

    before: Server
    now: Server
    tasks: dict[str, str]


def states(server: Server, tasks: dict[str, str]) -> set[str | None]:
    """The states in which it has the tasks."""
    seen = server.json("/api/tasks?limit=1000")
    return {seen.get(uuid, {}).get("state") for uuid in tasks.values()}


def send(app: Celery) -> dict[str, str]:
    """A task of each kind."""
    return {
        "add": app.send_task("tests.add", (1, 2), {"note": "x & <y>"}).id,
        "fail": app.send_task("tests.fail", ("no & <reason>",)).id,
    }


@pytest.fixture(scope="module")
def both(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both servers, a worker that both know, and tasks that both saw from the beginning."""
    broker = f"redis://127.0.0.1:{redis.port}/7"
    servers = [Server(tmp_path_factory.mktemp(name), name) for name in ("before", "now")]
    worker = Worker(tmp_path_factory.mktemp("worker"), "w1")
    try:
        for server, python in zip(servers, (released(VERSION), sys.executable), strict=True):
            server.start(python, broker)
        worker.start(broker, "--pool=threads", "--concurrency=2", "-Q", "fast", "-E")
        for server in servers:
            wait_for(
                lambda server=server: server.json("/api/workers?status=true").get("w1@test"), 30, "the worker is seen"
            )
        with client(broker) as app:
            tasks = send(app)
        for server in servers:
            found = partial(states, server, tasks)
            wait_for(lambda found=found: found() == {"SUCCESS", "FAILURE"}, 60, f"{server.name} saw tasks end", found)
            server.json("/api/workers?refresh=true")
        yield Both(*servers, tasks)
    finally:
        worker.end()
        for server in servers:
            server.end(signal.SIGKILL)


@pytest.mark.parametrize("path", PAGES)
def test_pages(both: Both, path: str) -> None:
    """Every page of Flower 2.2 is there, at its address and behind its login."""
    statuses = [server.get(path).status_code for server in (both.before, both.now)]
    assert [200, 200] == statuses


@pytest.mark.parametrize("path", ["/workers", "/tasks", "/api/workers", "/api/tasks"])
def test_login(both: Both, path: str) -> None:
    """Who has no password is refused by both."""
    urls = [f"http://127.0.0.1:{server.port}{PREFIX}{path}" for server in (both.before, both.now)]
    assert [401, 401] == [requests.get(url, timeout=30).status_code for url in urls]


@pytest.mark.parametrize("kind", ["add", "fail"])
def test_tasks(both: Both, kind: str) -> None:
    """What the API tells of a task is the same, but where Flower 2.2 was wrong."""
    before, now = (server.json(f"/api/task/info/{both.tasks[kind]}") for server in (both.before, both.now))
    assert {**before, **MENDED} == now


def test_list_of_tasks(both: Both) -> None:
    """The list has the same tasks, in the same order, with the same names for their values."""
    before, now = (server.json("/api/tasks") for server in (both.before, both.now))
    assert [(uuid, set(task)) for uuid, task in before.items()] == [(uuid, set(task)) for uuid, task in now.items()]


def test_types(both: Both) -> None:
    """And so have the names."""
    before, now = (server.json("/api/task/types") for server in (both.before, both.now))
    assert before == now


def test_workers(both: Both) -> None:
    """What the worker told is there under the same names."""
    before, now = (server.json("/api/workers")["w1@test"] for server in (both.before, both.now))
    assert {name: type(value) for name, value in before.items()} == {name: type(value) for name, value in now.items()}


def test_queue_lengths(both: Both) -> None:
    """Its queues are there; those that nobody consumes are there as well."""
    before, now = (server.json("/api/queues/length")["active_queues"] for server in (both.before, both.now))
    assert [] == [queue for queue in before if queue not in now]


def metrics(server: Server) -> dict[tuple[str, ...], float]:
    """Samples of Flower's metrics: (name, labels) -> value, of the worker's events."""
    text = server.get("/metrics").text
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("flower_")
    }


def test_metrics(both: Both) -> None:
    """Every sample of Flower 2.2 is there with its labels."""
    before, now = metrics(both.before), metrics(both.now)
    assert set() == {key for key in before if key not in now}


def test_counters(both: Both) -> None:
    """Events are counted the same."""
    before, now = metrics(both.before), metrics(both.now)
    counted = {key: value for key, value in before.items() if key[0] == "flower_events_total"}
    assert counted == {key: now.get(key) for key in counted}


def test_the_buckets_of_the_file(both: Both) -> None:
    """And run times fall into the buckets of the configuration file."""
    bounds = [
        sorted({label for key in metrics(server) for label in key if re.match("le=", label)})
        for server in (both.before, both.now)
    ]
    assert {"le=0.1", "le=1.0", "le=10.0", "le=+Inf"} == set(bounds[0]) <= set(bounds[1])
