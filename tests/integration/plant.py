"""A cluster that is commanded: a server that knows no task of its own, and workers to be commanded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from celery import Celery

from tests.integration.cluster import BANNER, CELERY, ROOT, Server, Worker
from tests.services import wait_for


class Hand(Worker):
    """A worker of `tests.integration.work`."""

    def __init__(self, folder: Path, name: str, backend: str) -> None:
        super().__init__(folder, name)
        self.backend = backend

    @property
    def host(self) -> str:
        return f"{self.name}@test"

    def start(self, broker: str, *options: str) -> None:
        command = (*CELERY, "-A", "tests.integration.work", "-b", broker, "worker", "-l", "INFO", "-E")
        self.spawn(*command, "-n", self.host, *options, cwd=ROOT, env={"RESULT_BACKEND": self.backend})
        self.wait_for(lambda: " ready." in self.log, 30, "is ready")

    @property
    def pid(self) -> int:
        assert self.running is not None
        return self.running.pid


class Desk(Server):
    """The server, and its commands."""

    def __init__(self, folder: Path, name: str, backend: str | None) -> None:
        super().__init__(folder, name)
        self.backend = backend
        self.session = requests.Session()

    def start(self, broker: str, *options: str) -> None:
        said = len(self.log)
        backend = ("--result-backend", self.backend) if self.backend else ()
        listen = ("--address=127.0.0.1", "--port=0")
        command = (*CELERY, "-b", broker, *backend, "flower", *listen, *options)
        self.spawn(*command, env={"FLOWER_UNAUTHENTICATED_API": "true"})

        def announced() -> bool:
            found = BANNER.search(self.log, said)
            self.address = found[0] if found else ""
            return bool(found)

        self.wait_for(announced, 15, "tells where it listens")

    def post(self, path: str, json: Any = None, **arguments: Any) -> tuple[int, Any]:
        """Status and answer of a command."""
        answer = self.session.post(self.address + path, json=json, params=arguments, timeout=30)
        return answer.status_code, answer.json()

    def do(self, path: str, json: Any = None, **arguments: Any) -> Any:
        """The answer of a command that is done."""
        status, answer = self.post(path, json, **arguments)
        assert status == 200, answer
        return answer

    def result(self, task: str, **arguments: Any) -> Any:
        return self.read(f"/api/task/result/{task}", **arguments)


class Plant:
    """One cluster: `broker` and `backend` are URLs, `app` asks the workers behind the server's back."""

    def __init__(self, broker: str, backend: str, desk: Desk, stack: ExitStack) -> None:
        self.broker, self.backend, self.desk = broker, backend, desk
        self.stack = stack
        self.app = Celery(broker=broker, set_as_current=False)

    def hire(self, name: str, *options: str) -> Hand:
        """A new worker, which the server has seen to be online."""
        hand = Hand(self.desk.folder, name, self.backend)
        self.stack.callback(hand.end)
        hand.start(self.broker, *options)
        wait_for(lambda: hand.host in self.desk.alive(), 15, f"{name} is online")
        return hand

    def ask(self, question: str, host: str, **arguments: Any) -> Any:
        """What a worker says when the server is not asked."""
        replies = self.app.control.broadcast(question, arguments, reply=True, destination=[host], timeout=5, limit=1)
        return replies[0][host]

    def waiting(self, queue: str) -> int:
        """How many messages wait in a queue."""
        with self.app.connection_for_write() as connection:
            try:
                return int(connection.default_channel.queue_declare(queue=queue, passive=True).message_count)
            except connection.channel_errors:
                return 0


@contextmanager
def plant_of(
    folder: Path, broker: str, backend: str, *options: str, server_backend: str | None = ""
) -> Iterator[Plant]:
    """A server without workers."""
    with ExitStack() as stack:
        desk = Desk(folder, "desk", backend if server_backend == "" else server_backend)
        stack.callback(desk.end)
        desk.start(broker, *options)
        plant = Plant(broker, backend, desk, stack)
        stack.callback(plant.app.close)
        yield plant


def running(pid: int) -> bool:
    """Whether there is such a process, other than as a corpse."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
