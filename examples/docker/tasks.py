"""A small Celery app to look at; `docker-compose.yml` runs its worker."""

import os
import random
import time

from celery import Celery

app = Celery("tasks", broker=os.environ["CELERY_BROKER_URL"], backend=os.environ.get("CELERY_RESULT_BACKEND"))
app.conf.update(
    broker_connection_retry_on_startup=True,
    task_send_sent_event=True,
    task_track_started=True,
    beat_schedule={
        "add": {"task": "tasks.add", "schedule": 2.0, "args": (1, 2)},
        "divide": {"task": "tasks.divide", "schedule": 5.0, "args": (1,)},
    },
)


@app.task
def add(x: int, y: int) -> int:
    """A task that works."""
    time.sleep(random.uniform(0.1, 1.0))
    return x + y


@app.task
def divide(x: int) -> float:
    """A task that fails now and then."""
    return x / random.randrange(4)
