"""What takes the server long, such as an index: done on a connection of its own, one after the other."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

import psycopg

from flower.store.postgres.database import Connection, Database

logger = logging.getLogger(__name__)

REFUSED_SECONDS = 3_600.0
"""After which it is tried again: the server may only have been restarted."""
EVERY_SECONDS = 10.0
"""Between two looks at what the others asked for, and at what there is."""
Work = Callable[[Connection, str], None]
"""What is done, with a connection and the name of the schema."""
_OWN = {"lock_timeout": "0", "maintenance_work_mem": "64MB"}


class Errands:
    """At most one is under way. Begun in the writer's thread."""

    failure = "It could not be done"
    """What it means that an errand failed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._refused_at: float | None = None
        self._due_at = 0.0
        self._work: threading.Thread | None = None
        self._settled = True
        """Whether there was nothing to do when that was looked at last."""

    def is_due(self, every_seconds: float) -> bool:
        """Whether it is time to look what there is to do."""
        now = time.monotonic()
        if now < self._due_at or (self._work is not None and self._work.is_alive()):
            return False
        self._due_at = now + every_seconds
        return True

    def is_refused(self) -> bool:
        """Whether one failed of late."""
        return self._refused_at is not None and time.monotonic() - self._refused_at < REFUSED_SECONDS

    def begin(self, work: Work) -> None:
        """Do it behind whoever calls."""
        self._work = threading.Thread(target=self._run, args=(work,), name="flower-errand", daemon=True)
        self._work.start()

    def _run(self, work: Work) -> None:
        try:
            with self._database.connect(**_OWN) as connection:
                work(connection, self._database.schema)
        except psycopg.Error as error:
            self._refused_at = time.monotonic()
            logger.warning("%s: %s", self.failure, str(error).strip())

    def wait(self) -> None:
        """Until what was begun is done."""
        if self._work is not None:
            self._work.join()
