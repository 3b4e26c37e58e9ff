"""One server and two brokers, of which one is killed or hangs."""

from __future__ import annotations

import json
import signal
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import Server, Worker, client
from tests.services import Process, Redis, last, wait_for

THREADS = ("-Q", "fast", "-P", "threads", "-c", "2", "-E", "--without-gossip", "--without-mingle")
ASKED = ("/c/default/", "/c/default/tasks", "/c/default/api/tasks", "/c/default/api/workers", "/metrics", "/")
"""What must answer as ever."""
BLOCKING = ("/c/mail/api/workers?refresh=1", "/c/mail/api/queues/length", "/c/mail/broker", "/c/mail/api/task/result/x")
"""What asks the other broker, which does not answer."""
CALLS = 40


@dataclass
class Two:
    """A server with the clusters default and mail, each with a broker and a worker."""

    server: Server
    brokers: dict[str, Redis]

    def run(self, cluster: str) -> str:
        """Have a task run in a cluster; its id."""
        app = client(self.brokers[cluster].url)
        with app.connection_for_write() as connection:
            return str(app.send_task("tests.add", (1, 2), connection=connection).id)

    def ended(self, cluster: str) -> set[str]:
        """The tasks that ended there, as the API of the cluster tells."""
        tasks = self.server.read(f"/c/{cluster}/api/tasks")["tasks"]
        return {task["uuid"] for task in tasks if task["state"] == "SUCCESS"}

    def states(self) -> dict[str, str]:
        """How each cluster stands."""
        return {each["name"]: each["state"] for each in self.server.read("/api/clusters")["clusters"]}

    def seconds(self) -> float:
        """How long an answer about the first cluster usually takes."""
        took = []
        for path in ASKED * 3:
            began = time.monotonic()
            assert 200 == self.server.ask(path).status_code
            took.append(time.monotonic() - began)
        return statistics.median(took)


@pytest.fixture
def two(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Both clusters at work, and both workers known."""
    brokers = {name: Redis(tmp_path_factory.mktemp(name)) for name in ("default", "mail")}
    workers = {name: Worker(tmp_path, name) for name in brokers}
    server = Server(tmp_path, "server")
    clusters = tmp_path / "clusters.json"
    clusters.write_text(json.dumps({"mail": {"broker": brokers["mail"].url}}))
    started: list[Process] = [*brokers.values(), *workers.values(), server]
    with ExitStack() as stack:
        for process in started:
            stack.callback(process.end)
        for name, broker in brokers.items():
            broker.start()
            workers[name].start(broker.url, *THREADS)
        server.start(brokers["default"].url, f"--clusters={clusters}", "--persistent=true", "--db=history.db")
        two = Two(server, brokers)
        wait_for(lambda: set(two.states().values()) == {"well"}, 30, "both workers are online", two.states)
        yield two


@contextmanager
def piled_up(two: Two) -> Iterator[None]:
    """Many calls wait for the other broker meanwhile."""
    with ExitStack() as stack:
        for path in BLOCKING * (CALLS // len(BLOCKING)):
            stack.enter_context(two.server.begin(path))
        yield


def test_each_sees_its_own(two: Two) -> None:
    """Tasks, workers and commands of a cluster are its own, and so is the file of its tasks."""
    ran = {name: two.run(name) for name in two.brokers}
    for name, task in ran.items():
        assert {task} == last(lambda name=name: two.ended(name), {task}, 15)  # type: ignore[misc]
        assert {f"{name}@test": True} == two.server.read(f"/c/{name}/api/workers", status=1)
    body = {"args": [1, 2], "queue": "fast"}
    sent = requests.post(f"{two.server.address}/c/mail/api/task/send-task/tests.add", json=body, timeout=10).json()
    both = {ran["mail"], sent["task-id"]}
    assert both == last(lambda: two.ended("mail"), both, 15)
    assert {ran["default"]} == two.ended("default")
    assert {"history.db", "history.mail.db"} <= {path.name for path in two.server.folder.glob("*.db")}


@pytest.mark.parametrize("how", ["killed", "hanging"])
def test_outage_stays_where_it_is(two: Two, how: str) -> None:
    """With one broker killed or hanging and forty calls waiting for it, the other cluster answers and hears as ever."""
    before = two.seconds()
    broker = two.brokers["mail"]
    if how == "killed":
        broker.end(signal.SIGKILL)
        assert "unreachable" == last(lambda: two.states()["mail"], "unreachable", 30)
    else:
        broker.pause()
    with piled_up(two):
        assert two.seconds() < 5 * before + 0.25
        task = two.run("default")
        assert {task} == last(lambda: two.ended("default"), {task}, 15)
        assert "well" == two.states()["default"]
        again = broker.resume if how == "hanging" else broker.start
        again()
    assert "well" == last(lambda: two.states()["mail"], "well", 60)


def test_stops_within_two_seconds(two: Two) -> None:
    """Calls that hang on the broker of one cluster do not hold up the end."""
    two.brokers["mail"].pause()
    with piled_up(two):
        ended = two.server.ends_in_time()
    two.brokers["mail"].resume()
    assert (0, True) == ended
