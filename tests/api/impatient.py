"""An open server that waits hardly at all for workers: for tests that ask it thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from celery import Celery

from flower.control import execution, workers
from tests import factories as make
from tests.api.conftest import Server

PATIENCE = 0.02
"""Seconds that a command waits for workers that there are not."""
TASK = "tasks.known"


def known(*args: object, **kwargs: object) -> None:
    """A task that takes anything."""


@contextmanager
def impatient(*events: make.Event | list[make.Event]) -> Iterator[Server]:
    """It knows the task TASK and what the events tell; its broker has no workers."""
    capp = Celery("impatient", broker="memory://", set_as_current=False)
    capp.task(known, name=TASK, shared=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWER_UNAUTHENTICATED_API", "true")
        patch.setattr(execution, "WAIT_SECONDS", PATIENCE)
        for name in ("GOODBYE_SECONDS", "PING_SECONDS"):
            patch.setattr(workers, name, PATIENCE)
        server = Server(capp)
        server.app.settings["site"].operations.timeout = PATIENCE
        server.feed(*events)
        yield server
        server.end()
