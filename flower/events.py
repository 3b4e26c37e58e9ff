"""The thread that brings the broker's events into the state, and finds the broker again when it is lost."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from celery import Celery
from tornado.ioloop import IOLoop, PeriodicCallback

from flower.ingest.decode import Decoder, Event
from flower.ingest.receiver import receiving
from flower.losses import Losses
from flower.state import State
from flower.store import open_store
from flower.utils import mask_url
from flower.utils.masking import mask_text

logger = logging.getLogger(__name__)

RECEIVE_SECONDS = 0.5
"""How long a silent broker keeps the thread from seeing that it shall stop."""
BACKOFF_SECONDS = (0.5, 1.0, 2.0, 4.0, 5.0)
STEADY_SECONDS = 5.0
"""A connection that held so long starts the back-off anew."""


class Events(threading.Thread):
    """Receives events until it is stopped. `state` is what they add up to.

    The thread owns the connection; `connected` and its kin are written by it and read by all.
    """

    events_enable_interval = 5000
    """Milliseconds between two requests to workers that came up without events."""

    def __init__(
        self,
        capp: Celery,
        io_loop: IOLoop | None = None,
        db: str | None = None,
        persistent: bool = False,
        enable_events: bool = True,
        state_save_interval: int = 0,
        *,
        max_tasks: int = 100_000,
        max_workers: int = 5000,
        state: State | None = None,
        on_workers: Callable[[list[str]], None] | None = None,
        max_tasks_in_memory: int | None = None,
        executor: Executor | None = None,
        backlog_bytes: int = 0,
        **_: Any,
    ) -> None:
        super().__init__(name="flower-events", daemon=True)
        self.capp = capp
        self.io_loop = io_loop
        self.db = db
        self.persistent = persistent
        self.enable_events = enable_events
        self.state_save_interval = state_save_interval
        self.on_workers = on_workers
        self.executor = executor
        """Where workers are asked for their events."""
        if state is None:
            store = open_store(db or "flower", persistent=persistent, max_tasks=max_tasks_in_memory or max_tasks)
            state = State(store, max_workers=max_workers)
        self.state = state
        self.backlog_bytes = backlog_bytes
        self.connected_since: float | None = None
        self.disconnected_since: float | None = time.time()
        self.failure: str | None = None
        self.on_connected: Callable[[float], None] | None = None
        """Is told when events can be heard again, and since when."""
        self.losses = Losses(state.workers)
        self._decoder = Decoder({"json", capp.conf.event_serializer})
        self._stopping = threading.Event()
        self._timer: PeriodicCallback | None = None

    @property
    def connected(self) -> bool:
        """Whether events can be received now."""
        return self.connected_since is not None

    def start(self) -> None:
        super().start()
        if self.enable_events and self.io_loop is not None:
            self._timer = PeriodicCallback(self.on_enable_events, self.events_enable_interval)
            self._timer.start()

    def halt(self) -> None:
        """Receive no more, without waiting for the thread to see it."""
        if self._timer is not None:
            self._timer.stop()
        self._stopping.set()

    def stop(self, timeout: float = 1.6) -> None:
        """Stop receiving, then bring everything seen into the store and close it, in so many seconds."""
        until = time.monotonic() + timeout
        self.halt()
        if self.is_alive():
            self.join(RECEIVE_SECONDS * 1.5)
        if not self.state.stop(max(0.0, until - time.monotonic())):
            logger.error("Not everything that was seen could be stored before the end")

    def save_state(self) -> None:
        """Wait until everything seen is in the store. It also gets there by itself, within a second."""
        self.state.flush()

    def load_state(self) -> None:
        """Nothing is left to load: the state was read from the store when it was made."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Take in one decoded event."""
        self.state.apply([event])

    async def on_enable_events(self) -> None:
        """Ask all workers to send events; the ones that do are not disturbed by it."""
        if self.connected:
            await asyncio.get_running_loop().run_in_executor(self.executor, self._enable_events)

    def _enable_events(self) -> None:
        try:
            self.capp.control.enable_events()
        except Exception as error:  # noqa: BLE001 - any transport's; the thread's own connection tells of the outage
            logger.debug("Could not ask the workers for events: %s", error)

    def run(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._capture()
            except Exception as error:  # noqa: BLE001 - the thread must outlive whatever a transport raises
                self._lost(error)
            if time.monotonic() - began > STEADY_SECONDS:
                attempt = 0
            self._stopping.wait(BACKOFF_SECONDS[min(attempt, len(BACKOFF_SECONDS) - 1)])
            attempt += 1

    def _capture(self) -> None:
        with receiving(self.capp, self._decoder, self.backlog_bytes) as (receiver, connection):
            # Workers that hear this show themselves at once instead of at their next heartbeat.
            self.capp.control.broadcast("heartbeat", connection=connection)
            self.connected_since, self.disconnected_since, self.failure = time.time(), None, None
            self.losses.miss(self.connected_since)
            if self.on_connected is not None:
                self.on_connected(self.connected_since)
            logger.info("Receiving events from %s", mask_url(connection.as_uri(include_password=True)))
            try:
                while not self._stopping.is_set():
                    events = receiver.receive(0.0 if receiver.more else RECEIVE_SECONDS)
                    if events:
                        self._apply(events, receiver.more)
                    else:
                        self.state.tell()
                    self._count_malformed()
            finally:
                self.state.tell()

    def _apply(self, events: list[Event], more: bool) -> None:
        dropped = self.state.totals["dropped"]
        self.state.apply(events, more=more)
        self.losses.hear(events, self.state.clock())
        if self.state.totals["dropped"] > dropped:
            self.losses.drop(events, self.state.clock())
        self._tell_workers()

    def _lost(self, error: Exception) -> None:
        failure = mask_text(str(error)) or type(error).__name__
        if self.connected or self.failure != failure:
            logger.error("No events: %s; trying again", failure)
        if self.disconnected_since is None:
            self.disconnected_since = time.time()
        self.connected_since = None
        self.failure = failure

    def _tell_workers(self) -> None:
        names = self.state.appeared()
        if names and self.on_workers is not None:
            self.on_workers(names)

    def _count_malformed(self) -> None:
        if self._decoder.malformed:
            if not self.state.totals["malformed"]:
                failure = self.state.redactor.text(self._decoder.first_failure or "")
                logger.warning("A message was not understood (%s)", failure)
            self.state.totals["malformed"] += self._decoder.malformed
            self._decoder.malformed = 0
