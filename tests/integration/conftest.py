"""The scene of the integration tests: workers and a server that have seen a few hundred tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from celery import Celery, chain, uuid

from tests.integration.cluster import FINAL, Server, Worker, client
from tests.services import Process, RabbitMQ, Redis, wait_for


@dataclass
class Scene:
    """One watched cluster after its work is done; `ids` are the tasks' uuids by what they are."""

    broker: str
    server: Server
    ids: dict[str, list[str]] = field(default_factory=dict)

    def infos(self, kind: str) -> list[dict[str, Any]]:
        """All about the tasks of a kind."""
        return [self.server.read(f"/api/task/info/{task}") for task in self.ids[kind]]


def send_all(app: Celery, scene: Scene) -> None:
    """Send every kind of task, and wait for none."""

    def send(name: str, *args: Any, **options: Any) -> str:
        return str(app.send_task(f"tests.{name}", args, **options).id)

    scene.ids["unread"] = [send("add", 1, 1, queue="nobodys") for _ in range(3)]
    scene.ids["revoked"] = [uuid() for _ in range(3)]
    app.control.revoke(scene.ids["revoked"], reply=True, timeout=5, limit=2)
    for revoked in scene.ids["revoked"]:
        send("add", 0, 0, task_id=revoked)
    scene.ids["add"] = [send("add", number, number) for number in range(200)]
    scene.ids["fail"] = [send("fail", f"reason {number} ü 失敗 <b>") for number in range(40)]
    scene.ids["flaky"] = [send("flaky", 2) for _ in range(20)]
    scene.ids["progress"] = [send("progress", 3) for _ in range(5)]
    scene.ids["parent"] = [send("parent", 2) for _ in range(5)]
    scene.ids["wait"] = [send("wait", 0.05) for _ in range(20)]
    last = chain(app.signature("tests.add", (1, 2)), app.signature("tests.add", (3,))).apply_async()
    scene.ids["chain"] = [last.parent.id, last.id]


def unfinished(scene: Scene) -> dict[str, dict[str, int]]:
    """Kind -> state -> how many tasks that should have ended are in it."""
    states = scene.server.states()
    found: dict[str, dict[str, int]] = {}
    for kind, tasks in scene.ids.items():
        left = Counter(state for task in tasks if (state := states.get(task, "unseen")) not in FINAL)
        if left and kind != "unread":
            found[kind] = dict(left)
    return found


def play(scene: Scene, app: Celery) -> None:
    """Have the work done, and return when the server has seen the end of it."""
    send_all(app, scene)
    wait_for(lambda: not unfinished(scene), 40, "every task has ended", lambda: unfinished(scene))


@pytest.fixture(scope="session", params=["redis", "rabbitmq"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A prefork worker that sends events, a threads worker that must be asked to, and what the server saw of them."""
    folder = tmp_path_factory.mktemp("scene")
    service = request.getfixturevalue(request.param)
    options = [f"--broker_api={service.api_url}"] if request.param == "rabbitmq" else []
    server = Server(folder, "server")
    fast, slow = Worker(folder, "fast"), Worker(folder, "slow")
    app = client(service.url)
    try:
        server.start(service.url, *options)
        fast.start(service.url, "-Q", "fast", "-P", "prefork", "-c", "2", "-E")
        slow.start(service.url, "-Q", "slow", "-P", "threads", "-c", "4")
        scene = Scene(service.url, server)
        wait_for(lambda: server.alive() == {"fast@test", "slow@test"}, 15, "both workers are online")
        slow.wait_for(lambda: "enabled by remote" in slow.log, 4, "is asked for its events when it appears")
        play(scene, app)
        yield scene
    finally:
        app.close()
        for process in (server, fast, slow):
            process.end()


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    """Processes that are ended after the test, the last one first."""
    started: list[Process] = []
    with ExitStack() as stack:
        yield started
        for process in started:
            stack.callback(process.end)


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A running Redis that the test may kill and start again."""
    server = Redis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.end()


@pytest.fixture
def own_rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """A running RabbitMQ that the test may kill and start again."""
    server = RabbitMQ(tmp_path_factory.mktemp("rabbitmq"))
    try:
        server.start()
        yield server
    finally:
        server.end()
