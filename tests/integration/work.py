"""The Celery app of the workers that are commanded."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from celery.contrib.abortable import AbortableTask

app = Celery("tests.integration.work")
app.conf.update(
    broker_connection_retry_on_startup=True,
    result_backend=os.environ.get("RESULT_BACKEND"),
    worker_pool_restarts=True,
    task_track_started=True,
)


@app.task(name="work.add")
def add(x: int, y: int) -> int:
    """Return at once."""
    return x + y


@app.task(name="work.fail")
def fail(reason: str) -> None:
    """Fail with a text."""
    raise ValueError(reason)


@app.task(name="work.echo")
def echo(*args: Any, **kwargs: Any) -> dict[str, Any]:
    """Return the arguments."""
    return {"args": args, "kwargs": kwargs}


@app.task(name="work.quiet", ignore_result=True)
def quiet() -> str:
    """Store no result."""
    return "nothing"


@app.task(name="work.process")
def process() -> int:
    """The process that runs it."""
    return os.getpid()


@app.task(name="work.sleep")
def sleep(seconds: float) -> str:
    """Take time."""
    time.sleep(seconds)
    return "slept"


@app.task(name="work.patient", bind=True, base=AbortableTask)
def patient(self: Any, seconds: float) -> str:
    """Take time, unless told to stop."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if self.is_aborted():
            return "stopped"
        time.sleep(0.05)
    return "waited"
