"""Tasks that keep coming while something else happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery
from kombu.exceptions import OperationalError

from tests.integration.cluster import client


class Stream(threading.Thread):
    """A client that goes on sending tasks and remembers which, and when."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="stream")
        self.app = app
        self.sent: dict[str, float] = {}
        self.ended = threading.Event()

    def run(self) -> None:
        """Some fifty tasks a second; what the broker does not take was not sent."""
        while not self.ended.wait(0.02):
            try:
                task = self.app.send_task("tests.add", (1, 1), retry=False)
            except (OperationalError, OSError):
                self.ended.wait(0.2)
            else:
                self.sent[task.id] = time.time()


@contextmanager
def load(broker: str) -> Iterator[Stream]:
    """Tasks that keep coming while the block runs."""
    app = client(broker)
    stream = Stream(app)
    stream.start()
    try:
        yield stream
    finally:
        stream.ended.set()
        stream.join()
        app.close()
