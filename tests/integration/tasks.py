"""The Celery app that the tests' workers run."""

from __future__ import annotations

import time
from typing import Any

from celery import Celery

app = Celery("tests.integration.tasks")
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_default_queue="fast",
    task_ignore_result=True,
    task_routes={"tests.wait": {"queue": "slow"}},
)


@app.task(name="tests.add")
def add(x: int, y: int, note: str = "") -> int:
    """Return at once."""
    return x + y


@app.task(name="tests.fail")
def fail(reason: str) -> None:
    """Fail with a text."""
    raise ValueError(reason)


@app.task(name="tests.flaky", bind=True, max_retries=5)
def flaky(self: Any, times: int) -> int:
    """Succeed after so many retries."""
    if self.request.retries < times:
        raise self.retry(exc=OSError("not yet"), countdown=0)
    return times


@app.task(name="tests.parent", bind=True)
def parent(self: Any, children: int) -> list[str]:
    """Start tasks and return their ids."""
    return [add.delay(number, 1).id for number in range(children)]


@app.task(name="tests.progress", bind=True)
def progress(self: Any, steps: int) -> None:
    """Send a custom event for each step."""
    for step in range(steps):
        self.send_event("task-progress", current=step + 1, total=steps)


@app.task(name="tests.wait")
def wait(seconds: float) -> float:
    """Take time."""
    time.sleep(seconds)
    return seconds
