"""The thread that brings what changed in memory into the store, several times a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flower.store.merge import View
from flower.store.store import Store
from flower.utils.memory import give_back_memory

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 0.2
"""A crash loses what came in since the last write, so well under a second."""
RETRY_SECONDS = 1.0
LAST_SECONDS, END_SECONDS = 1.1, 0.1
"""At the end: for the next try, and for a thread that hangs."""
WORKERS_EVERY = 5
"""Workers are saved once in so many rounds: heartbeats change them all the time."""

REREAD_EVERY = 50
"""In so many rounds it is looked once which unfinished tasks have ended as other processes heard."""

BATCH = 3_000
"""Tasks written at once. More would hold more of a burst in memory and save nothing."""
BUSY = 1_500
"""So many tasks that came while others were written are a burst: what else is written can wait."""

Batch = list[View]
WorkerFacts = tuple[dict[str, dict[str, Any]], Sequence[str]]


class Source(Protocol):
    """Where what is to be saved comes from: the state. Called in the saver's thread."""

    open_tasks: dict[str, View]
    """The unfinished tasks by uuid."""

    def recall(self) -> None:
        """Open the store, unless that was done, and take in what it knows. Raises the engine's `failures`."""

    def unsaved(self) -> int:
        """How many tasks changed and were not taken yet."""

    def take(self, limit: int) -> Batch:
        """The longest changed ones."""

    def learn(self, found: dict[str, View]) -> None:
        """What was taken last is stored; `found` is what the store knew of it before."""

    def take_workers(self) -> WorkerFacts:
        """The facts of the workers that changed, and the names of those that are gone."""


class Saver(threading.Thread):
    """Takes batches from `source` and writes them.

    A failing write is tried again until it succeeds; meanwhile `store.failing_since` is set and the
    batch stays in hand.
    """

    def __init__(self, store: Store, source: Source, now: Callable[[], float]) -> None:
        super().__init__(name="flower-saver", daemon=True)
        self._store = store
        self._source = source
        self._now = now
        self._condition = threading.Condition()
        self._asked = 0
        self._done = 0
        self._hurried = False
        self._stopping = False
        self._round = 0
        self._after_burst = False

    def hurry(self) -> None:
        """Begin the next round now instead of at its time."""
        with self._condition:
            self._hurried = True
            self._condition.notify_all()

    def flush(self, timeout: float) -> bool:
        """Whether everything taken up to now is stored within `timeout` seconds."""
        with self._condition:
            self._asked += 1
            ticket = self._asked
            self._condition.notify_all()
            return self._condition.wait_for(lambda: self._done >= ticket or not self.is_alive(), timeout)

    def stop(self, timeout: float) -> bool:
        """Write what is left and end the thread; whether it all went in. A store that fails is tried once more."""
        until = time.monotonic() + (timeout if self._store.failing_since is None else min(timeout, LAST_SECONDS))
        flushed = self.flush(until - time.monotonic())
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        self.join(max(END_SECONDS, until - time.monotonic()))
        return flushed

    def run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(self._is_due, INTERVAL_SECONDS)
                if self._stopping:
                    return
                ticket, self._hurried = self._asked, False
            self._save()
            with self._condition:
                self._done = ticket
                self._condition.notify_all()

    def _is_due(self) -> bool:
        return self._stopping or self._hurried or self._asked > self._done

    def wait(self, claim: Callable[[], bool], timeout: float) -> bool:
        """Whether `claim` comes true, as batches are taken, within `timeout` seconds."""
        with self._condition:
            return self._condition.wait_for(claim, timeout)

    def _save(self) -> None:
        """Write what is unsaved now; what comes meanwhile is for the next round."""
        self._round += 1
        left = self._source.unsaved()
        burst = left > BATCH
        while True:
            batch = self._source.take(BATCH)
            with self._condition:
                self._condition.notify_all()
            while not self._attempt(batch):
                with self._condition:
                    if self._condition.wait_for(lambda: self._stopping, RETRY_SECONDS):
                        return
            left -= len(batch)
            if left <= 0:
                break
        if self._after_burst and not burst:
            give_back_memory()
        self._after_burst = burst

    def _is_behind(self) -> bool:
        return self._source.unsaved() > BUSY

    def _attempt(self, batch: Batch) -> bool:
        try:
            self._source.recall()
            found = self._store.write(batch) if batch else {}
            asked = self._asked > self._done
            if self._round % WORKERS_EVERY == 0 or asked:
                self._store.save_workers(*self._source.take_workers())
            self._store.keep_house(self._now(), at_once=asked, behind=self._is_behind)
            self._store.interrupt(self._store.engine.interrupted)
            if self._store.is_shared and self._round % REREAD_EVERY == 0:
                found = self._store.engine.ended(list(self._source.open_tasks)) | found
        except self._store.engine.failures as error:
            self._store.fail(error, self._now())
            return False
        except Exception:  # the thread must outlive a batch that is beyond help
            logger.exception("%d changes could not be stored and are lost", len(batch))
            self._store.lost += len(batch)
            return True
        self._store.recover()
        self._source.learn(found)
        return True
