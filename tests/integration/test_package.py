"""The packages that people install: built, installed into an empty environment, and started from there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import ROOT
from tests.services import Process, Redis, free_port

LEFT_OUT = shutil.ignore_patterns(
    ".*",
    "__pycache__",
    "*.egg-info",
    "build",
    "dist",
    "node_modules",
    "*.pyc",
    "*.db",
    "flowerconfig.py",
    "screenshots",
)
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')


@dataclass
class Built:
    """What was built, and from which files."""

    source: Path
    wheel: Path
    sdist: Path


def files_of(folder: Path) -> set[str]:
    """Paths of all files in it."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The source distribution, and the wheel that is built from it and nothing else."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    before = folder / "before"
    shutil.copytree(folder / "source", before)
    command = (sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "source"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,), (sdist,) = (folder / "dist").glob("*.whl"), (folder / "dist").glob("*.tar.gz")
    return Built(before, wheel, sdist)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = (str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, f"{built.wheel}[redis]"], check=True)
    return folder


@pytest.fixture(scope="module")
def address(installed: Path, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server answers that was started from it, in a folder that has nothing."""
    server = Process(tmp_path_factory.mktemp("elsewhere"), "installed")
    port = free_port()
    command = (str(installed / "bin" / "celery"), "-b", redis.url, "flower", f"--port={port}", "--address=127.0.0.1")
    try:
        server.spawn(*command)
        server.wait_for(lambda: f"127.0.0.1:{port}" in server.log, 30, "tells where it listens")
        server.wait_for(lambda: ready(port), 30, "is ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.end()


def ready(port: int) -> bool:
    """Whether it receives events."""
    return requests.get(f"http://127.0.0.1:{port}/healthcheck?ready=1", timeout=10).status_code == 200


def test_wheel_is_complete(built: Built) -> None:
    """The wheel has every file of the package: modules, templates, assets, the marker of types."""
    with zipfile.ZipFile(built.wheel) as wheel:
        shipped = {name for name in wheel.namelist() if name.startswith("flower/")}
    assert {f"flower/{name}" for name in files_of(built.source / "flower")} == shipped


def test_wheel_has_nothing_else(built: Built) -> None:
    """Nothing beside the package lands in site-packages: no tests, no examples."""
    with zipfile.ZipFile(built.wheel) as wheel:
        assert {"flower"} == {name.split("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}


def test_sdist_is_complete(built: Built) -> None:
    """The source distribution has everything that is needed to change and test it."""
    with tarfile.open(built.sdist) as sdist:
        shipped = {name.partition("/")[2] for name in sdist.getnames()}
    assert set() == files_of(built.source) - shipped


def test_requirements(installed: Path) -> None:
    """What it asks for goes together."""
    done = subprocess.run([str(installed / "bin" / "pip"), "check"], capture_output=True, text=True)
    assert "No broken requirements found." == done.stdout.strip()


def test_assets(address: str) -> None:
    """The first page and every style and script that it names are there."""
    page = requests.get(address, timeout=10)
    assets = ASSET.findall(page.text)
    answers = {asset: requests.get(address + asset, timeout=10).status_code for asset in assets}
    assert (200, True, {200}) == (page.status_code, len(assets) > 5, set(answers.values()))


@pytest.mark.parametrize("path", ["/workers", "/tasks", "/broker", "/api/docs", "/metrics"])
def test_pages(address: str, path: str) -> None:
    """Every page finds its template."""
    assert 200 == requests.get(address + path, timeout=10).status_code


def test_types(installed: Path) -> None:
    """Type checkers may use the package's types."""
    assert [True] == [path.is_file() for path in installed.glob("lib/python*/site-packages/flower/py.typed")]
