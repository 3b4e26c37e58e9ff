"""The commands that the documentation tells people to run do run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import metadata
from pathlib import Path

import pytest
import requests

from flower.options import BY_NAME
from flower.settings import option_of
from flower.store import open_store
from tests.integration.cluster import ROOT, Worker
from tests.services import Process, Redis, free_port

PAGES = [
    "README.md",
    *(f"docs/{name}.md" for name in ("install", "embedding", "metrics", "scaling", "clusters", "troubleshooting")),
]
BLOCK = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAMS = ("celery", "curl", "docker", "kubectl", "make", "pip", "promtool", "redis-cli")
ELSEWHERE = ("postgresql://", "www-data", "/run/flower")
"""What a server needs that is not here; only the options of such commands are looked at."""
APP = """
from tests.integration.tasks import app
app.conf.broker_url = "{broker}"
"""


def commands() -> Iterator[tuple[str, str]]:
    """(page, command) of every line of a block of code that begins with a program."""
    for page in PAGES:
        for block in BLOCK.findall((ROOT / page).read_text()):
            for line in block.replace("\\\n", " ").splitlines():
                if line.strip().split(" ")[0] in PROGRAMS:
                    yield page, line.strip()


COMMANDS = list(dict.fromkeys(commands()))


def of(program: str, *words: str) -> list[str]:
    """The different commands of a program, with one of the words if there are any."""
    found = dict.fromkeys(line for _, line in COMMANDS if line.startswith(f"{program} "))
    return [line for line in found if not words or set(words) & set(line.split())]


MAINTENANCE = [line for line in of("celery", "flower") if re.search(r"--(check|export|import)\b", line)]
HERE = [line for line in of("celery", "flower") if not any(word in line for word in ELSEWHERE)]
SERVERS = [line for line in HERE if line not in MAINTENANCE]
CLIENTS = [line for line in of("celery") if line not in of("celery", "flower")]


@pytest.fixture(scope="module")
def project(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the app `proj`, of which a worker runs."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "proj.py").write_text(APP.format(broker=redis.url))
    clusters = re.search(r"```json\n(.*?)```", (ROOT / "docs/clusters.md").read_text(), re.DOTALL)
    assert clusters is not None
    (folder / "clusters.json").write_text(clusters[1])
    worker = Worker(folder, "worker")
    try:
        worker.start(redis.url, "--pool=solo")
        yield folder
    finally:
        worker.end()


def words_of(command: str, project: Path, redis: Redis) -> list[str]:
    """What is run in the place of a command: here, with this Redis."""
    words = shlex.split(command, comments=True)
    here = {"redis://localhost:6379/0": redis.url, "/var/lib/flower": str(project), "/etc/flower": str(project)}
    for told, meant in here.items():
        words = [word.replace(told, meant) for word in words]
    return [sys.executable, "-m", *words] if words[0] == "celery" else words


@pytest.mark.parametrize("command", [*of("celery", "flower"), *of("docker", "flower")])
def test_options(command: str) -> None:
    """Every option exists."""
    words = shlex.split(command, comments=True)
    given = [word for word in words[words.index("flower") + 1 :] if word.startswith("--")] if "celery" in words else []
    variables = [word.partition("=")[0] for word in words if word.startswith("FLOWER_")]
    assert ([], []) == (
        [word for word in given if option_of(word) is None],
        [name for name in variables if name.removeprefix("FLOWER_").lower() not in BY_NAME],
    )


@pytest.mark.parametrize("command", SERVERS)
def test_servers(command: str, project: Path, redis: Redis, tmp_path: Path) -> None:
    """Flower starts, and answers."""
    server, port = Process(tmp_path, "flower"), free_port()
    environment = {"PYTHONPATH": str(ROOT)}
    try:
        listen = (f"--port={port}", "--address=127.0.0.1")
        server.spawn(*words_of(command, project, redis), *listen, cwd=project, env=environment)
        server.wait_for(lambda: f"127.0.0.1:{port}" in server.log, 30, "tells where it listens")
        answer = requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=10)
        assert ("OK", 0) == (answer.text, server.end())
    finally:
        server.end()


def test_maintenance(project: Path, redis: Redis) -> None:
    """What is done with a store runs, one after the other, on one that a server left."""
    (project / "tasks.db").unlink(missing_ok=True)
    open_store(str(project / "tasks.db"), persistent=True).close()
    ended = {
        command: subprocess.run(
            words_of(command, project, redis), cwd=project, capture_output=True, text=True, timeout=60
        ).returncode
        for command in MAINTENANCE
        if "--import" not in command
    }
    assert dict.fromkeys(ended, 0) == ended


@pytest.mark.parametrize("command", [line for line in CLIENTS if "--dump" not in line and "worker" not in line])
def test_clients(command: str, project: Path, redis: Redis) -> None:
    """Commands to look for a cause work."""
    done = subprocess.run(
        words_of(command, project, redis), cwd=project, capture_output=True, text=True, timeout=60, env=path_of(ROOT)
    )
    assert (0, "") == (done.returncode, done.stderr * bool(done.returncode))


def path_of(folder: Path) -> dict[str, str]:
    """The environment, with a folder of modules."""
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.mark.parametrize("command", of("redis-cli"))
def test_redis(command: str, redis: Redis) -> None:
    """Redis takes the setting."""
    done = subprocess.run(
        ["redis-cli", "-p", str(redis.port), *shlex.split(command)[1:]], capture_output=True, text=True, timeout=30
    )
    assert "OK" == done.stdout.strip()


@pytest.mark.parametrize("command", of("pip"))
def test_packages(command: str) -> None:
    """What is to be installed has the extras that are named."""
    named = re.findall(r"flower\[(\w+)\]", command)
    assert set() == set(named) - set(metadata("flower").get_all("Provides-Extra") or ())


@pytest.mark.parametrize("command", of("curl"))
def test_addresses(command: str, project: Path, redis: Redis, tmp_path: Path) -> None:
    """The address is one of Flower's, ready or not."""
    server, port = Process(tmp_path, "flower"), free_port()
    try:
        server.spawn(sys.executable, "-m", "celery", "-b", redis.url, "flower", f"--port={port}", "--address=127.0.0.1")
        server.wait_for(lambda: f"127.0.0.1:{port}" in server.log, 30, "tells where it listens")
        url = shlex.split(command)[-1].replace("localhost:5555", f"127.0.0.1:{port}")
        assert requests.get(url, timeout=10).status_code in (200, 503)
    finally:
        server.end()


def test_nothing_is_left_out() -> None:
    """Each kind of command has a test above."""
    kinds = {line.split()[0] for _, line in COMMANDS}
    assert kinds <= {"celery", "curl", "docker", "kubectl", "pip", "redis-cli"}
