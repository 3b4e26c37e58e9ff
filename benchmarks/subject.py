"""A server that is to be measured, and how much is asked of it."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.target import Target
from tests.services import RabbitMQ, Redis

GREETED_SECONDS = 2.0
"""Then the first inspection is over."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    tasks: int = 25_000
    """Of a burst."""
    kept: int = 100_000
    """In a full store: the default of both servers."""
    flood: int = 125_000
    """Of a burst that is more than Redis keeps for a subscriber."""
    rates: tuple[int, ...] = (1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 40_000)
    """Events per second."""
    seconds: float = 15.0
    """Of each rate."""
    repeats: int = 3


QUICK = Size(tasks=2_500, kept=5_000, flood=25_000, rates=(1_000, 5_000), seconds=4.0, repeats=1)
"""Does all of it work?"""


@dataclass(frozen=True)
class Subject:
    """A server by the Python that has it."""

    name: str
    python: str

    @contextlib.contextmanager
    def running(self, broker: Redis | RabbitMQ, *options: str) -> Iterator[Target]:
        """A server without any tasks."""
        target = self.target()
        target.start(broker.url, *options)
        try:
            time.sleep(GREETED_SECONDS)
            yield target
        finally:
            if target.running is not None:
                target.end(seconds=60)

    def target(self) -> Target:
        return Target(Path(tempfile.mkdtemp(prefix="flower-bench-")), self.name, self.python)
