"""The thread that brings what changed in memory into the store, several times a second."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

from flower.store.merge import View
from flower.store.store import Store

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.2
"""A crash loses what came in since the last write, so well under a second."""
RETRY_SECONDS = 1.0
WORKERS_EVERY = 5
"""Workers are saved once in so many rounds: heartbeats change them all the time."""

Batch = list[View]
WorkerFacts = tuple[dict[str, dict[str, Any]], Sequence[str]]


class Saver(threading.Thread):
    """Takes a batch, writes it, gives back what the store already knew of those tasks.

    A failing write is tried again until it succeeds; meanwhile `store.failing_since` is set and the
    batch stays in hand.
    """

    def __init__(
        self,
        store: Store,
        take: Callable[[], Batch],
        learn: Callable[[dict[str, View]], None],
        take_workers: Callable[[], WorkerFacts],
        now: Callable[[], float],
    ) -> None:
        super().__init__(name="flower-saver", daemon=True)
        self._store = store
        self._take = take
        self._learn = learn
        self._take_workers = take_workers
        self._now = now
        self._condition = threading.Condition()
        self._asked = 0
        self._done = 0
        self._stopping = False
        self._round = 0

    def hurry(self) -> None:
        """Begin the next round now instead of at its time."""
        with self._condition:
            self._asked += 1
            self._condition.notify_all()

    def flush(self, timeout: float) -> bool:
        """Whether everything taken up to now is stored within `timeout` seconds."""
        with self._condition:
            self._asked += 1
            ticket = self._asked
            self._condition.notify_all()
            return self._condition.wait_for(lambda: self._done >= ticket or not self.is_alive(), timeout)

    def stop(self, timeout: float) -> bool:
        """Write what is left and end the thread; whether it all went in."""
        flushed = self.flush(timeout)
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self.join(timeout)
        return flushed

    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._stopping or self._asked > self._done, INTERVAL_SECONDS)
                if self._stopping:
                    return
                ticket = self._asked
            self._save()
            with self._condition:
                self._done = ticket
                self._condition.notify_all()

    def _save(self) -> None:
        batch = self._take()
        self._round += 1
        while not self._attempt(batch):
            with self._condition:
                if self._condition.wait_for(lambda: self._stopping, RETRY_SECONDS):
                    return

    def _attempt(self, batch: Batch) -> bool:
        try:
            found = self._store.write(batch) if batch else {}
            if self._round % WORKERS_EVERY == 0 or self._asked > self._done:
                self._store.save_workers(*self._take_workers())
        except sqlite3.Error as error:
            if self._store.failing_since is None:
                logger.error("The store cannot be written (%s); events are kept in memory meanwhile", error)
                self._store.failing_since = self._now()
            self._store.failure = str(error)
            return False
        except Exception:  # the thread must outlive a batch that is beyond help
            logger.exception("%d changes could not be stored and are lost", len(batch))
            self._store.lost += len(batch)
            return True
        if self._store.failing_since is not None:
            logger.info("The store can be written again")
            self._store.failing_since = self._store.failure = None
        self._learn(found)
        return True
