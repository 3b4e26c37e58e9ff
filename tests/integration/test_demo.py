"""The demonstration: a whole cluster on kombu's filesystem transport."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import ROOT
from tests.services import Process, accepts, free_port, last


class Demo(Process):
    """`make demo`, its temporary folder within the test's."""

    def start(self) -> None:
        """Start it and wait until it says what to open."""
        self.port = free_port()
        script = str(ROOT / "examples" / "demo" / "run.py")
        self.spawn(sys.executable, script, f"--port={self.port}", env={"TMPDIR": str(self.folder)})
        self.wait_for(lambda: f"http://localhost:{self.port}" in self.log, 20, "says what to open")

    def done(self) -> list[dict[str, str]]:
        """The tasks that its server has seen succeed."""
        answer = requests.get(f"http://127.0.0.1:{self.port}/api/tasks?limit=1000&state=SUCCESS", timeout=10)
        return list(answer.json()["tasks"])


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """The running demonstration."""
    demo = Demo(tmp_path, "demo")
    try:
        demo.start()
        yield demo
    finally:
        demo.end(signal.SIGINT)


def test_demo_shows_living_tasks(demo: Demo) -> None:
    """Both workers run tasks of many kinds, seen over a broker that is a folder."""

    def seen() -> tuple[bool, set[str]]:
        done = demo.done()
        return len({task["name"] for task in done}) > 5, {task["hostname"].split("@")[0] for task in done}

    expected = (True, {"orders", "mail"})
    assert expected == last(seen, expected, 30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_leaves_nothing_behind(demo: Demo, number: signal.Signals) -> None:
    """A signal ends every process of it, and its folder goes."""
    assert 0 == demo.end(number)
    assert (False, []) == (accepts(demo.port), list(demo.folder.glob("flower-demo-*")))
