"""Real workers, a real server and a client, each a process or a connection of its own."""

from __future__ import annotations

import re
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from celery import Celery

from tests.services import Process

ROOT = Path(__file__).parents[2]
BANNER = re.compile(r"http://127\.0\.0\.1:\d+")
CELERY = (sys.executable, "-m", "celery")

FINAL = {"SUCCESS", "FAILURE", "REVOKED"}


def client(broker: str) -> Celery:
    """An app that sends tasks by name; close it."""
    app = Celery(broker=broker, set_as_current=False)
    app.conf.update(task_default_queue="fast", task_routes={"tests.wait": {"queue": "slow"}}, task_ignore_result=True)
    return app


class Worker(Process):
    """A Celery worker."""

    def start(self, broker: str, *options: str) -> None:
        """Start it and wait until it consumes."""
        command = (*CELERY, "-A", "tests.integration.tasks", "-b", broker, "worker", "-l", "INFO")
        self.spawn(*command, "-n", f"{self.name}@test", *options, cwd=ROOT)
        self.wait_for(lambda: " ready." in self.log, 30, "is ready")

    def end(self, number: int = signal.SIGKILL, seconds: float = 15) -> int:
        """End it; by default without waiting for its tasks."""
        return super().end(number, seconds)


class Server(Process):
    """`celery flower`, and a way to ask it."""

    address = ""
    started_in = 0.0
    """Seconds until it answered."""

    def start(self, broker: str, *options: str) -> None:
        """Start it and wait until its banner tells the address."""
        said, began = len(self.log), time.monotonic()
        listen = ("--address=127.0.0.1", "--port=0")
        self.spawn(*CELERY, "-b", broker, "flower", *listen, *options, env={"FLOWER_UNAUTHENTICATED_API": "true"})

        def announced() -> bool:
            found = BANNER.search(self.log, said)
            self.address = found[0] if found else ""
            return bool(found)

        self.wait_for(announced, 15, "tells where it listens")
        self.wait_for(lambda: self.ask("/healthcheck").status_code == 200, 10, "answers")
        self.started_in = time.monotonic() - began

    def ends_in_time(self, number: int = signal.SIGTERM) -> tuple[int, bool]:
        """Its exit code after a signal, and whether that took no more than two seconds.

        On a busy machine everything takes longer: it may take as long as its start did.
        """
        began = time.monotonic()
        code = self.end(number)
        return code, time.monotonic() - began < max(2.0, self.started_in)

    def ask(self, path: str, **arguments: Any) -> requests.Response:
        """GET a path."""
        return requests.get(self.address + path, params=arguments, timeout=10)

    def begin(self, path: str) -> socket.socket:
        """GET a path without reading the answer; when this returns, the server works on it. Close it."""
        place = urlsplit(self.address)
        connection = socket.create_connection((place.hostname, place.port))
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\n\r\n".encode())
        # What comes later is not read before it.
        self.ask("/healthcheck").raise_for_status()
        return connection

    def read(self, path: str, **arguments: Any) -> Any:
        """GET JSON."""
        answer = self.ask(path, **arguments)
        answer.raise_for_status()
        return answer.json()

    def tasks(self, **arguments: Any) -> dict[str, dict[str, Any]]:
        """The tasks that match, by uuid."""
        listed = self.read("/api/tasks", **{"limit": 10_000, **arguments})["tasks"]
        return {task["uuid"]: task for task in listed}

    def states(self) -> dict[str, str]:
        """The state of every task."""
        return {uuid: task["state"] for uuid, task in self.tasks().items()}

    def alive(self) -> set[str]:
        """The workers that are online."""
        return {name for name, online in self.read("/api/workers", status=1).items() if online}

    def ready(self) -> bool:
        """Whether it hears the broker and can store."""
        return self.ask("/healthcheck", ready=1).status_code == 200


def unexplained(server: Server) -> list[str]:
    """Tasks that seem to go on though no worker is known to have them still."""
    tasks = server.tasks(state="RECEIVED") | server.tasks(state="STARTED")
    return [uuid for uuid in tasks if "unheard" not in server.read(f"/api/task/info/{uuid}")["extra"]]
