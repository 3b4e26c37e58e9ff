"""A Flower to be measured: this one, or one from PyPI in a virtual environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import requests

from tests.services import Process, free_port

HERE = Path(__file__).parent
ENVIRONMENT = {"FLOWER_UNAUTHENTICATED_API": "true", "PYTHONDONTWRITEBYTECODE": ""}
"""Both are started as they are where they are installed: compiled once."""


def ours() -> str:
    """The Python that has this Flower."""
    return sys.executable


def released(version: str) -> str:
    """The Python that has a released Flower; installed from PyPI at the first call."""
    folder = HERE / f".venv-flower-{version}"
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing flower {version} into {folder.name}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        packages = (f"flower=={version}", "kombu[redis]")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
    return str(python)


class Target(Process):
    """A running server."""

    def __init__(self, folder: Path, name: str, python: str) -> None:
        super().__init__(folder, name)
        self.python = python
        self.session = requests.Session()
        self.address = ""

    def start(self, broker: str, *options: str) -> float:
        """Start it; return the seconds until it answered."""
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        began = time.perf_counter()
        command = (
            self.python,
            "-m",
            "celery",
            "-b",
            broker,
            "flower",
            f"--port={port}",
            "--address=127.0.0.1",
            *options,
        )
        self.spawn(*command, env=ENVIRONMENT)
        self.wait_for(self.answers, 30, "answers")
        return time.perf_counter() - began

    def answers(self) -> bool:
        """Whether it serves."""
        try:
            return self.session.get(self.address + "/healthcheck", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def state_of(self, uuid: str) -> str | None:
        """The state of a task, None when the server does not know it."""
        answer = self.session.get(f"{self.address}/api/task/info/{uuid}", timeout=60)
        return str(answer.json()["state"]) if answer.status_code == 200 else None

    def counted(self) -> float:
        """How many events it says it has heard."""
        lines = self.session.get(f"{self.address}/metrics", timeout=120).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("flower_events_total{"))

    def seconds(self, path: str, headers: dict[str, str] | None = None) -> float:
        """How long one request takes."""
        began = time.perf_counter()
        self.session.get(self.address + path, headers=headers, timeout=60).raise_for_status()
        return time.perf_counter() - began

    def megabytes(self) -> float:
        """Resident memory."""
        assert self.running is not None
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time used so far."""
        assert self.running is not None
        fields = Path(f"/proc/{self.running.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
