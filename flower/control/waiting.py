"""Waiting for results: one thread looks for all that are waited for, however many."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from flower.control.errors import NoBackend

READY = frozenset({"SUCCESS", "FAILURE", "REVOKED"})

SHORTEST_SECONDS, LONGEST_SECONDS = 0.01, 0.25
PATIENCE = 0.05
"""A result that was waited for so long is looked for after this share of that time again."""
REST = 9.0
"""After looking it rests so many times as long: waiting never takes more than a tenth of a processor."""
GRACE_SECONDS = 1.0
"""How long after its end was seen a task's record may take; one that stores no result has none."""

Meta = dict[str, Any]


class Reader(Protocol):
    """Reads records; raises NoBackend."""

    def read(self, uuids: list[str]) -> dict[str, Meta]: ...


@dataclass(eq=False, slots=True)
class _Waiter:
    uuid: str
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Meta | None]
    since: float = field(default_factory=time.monotonic)
    ended_at: float | None = None


class Poller:
    """Looks for records of tasks while somebody waits; `ended` tells of a task's end from elsewhere."""

    def __init__(self, backend: Reader, ended: Callable[[str], bool]) -> None:
        self._backend = backend
        self._ended = ended
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiters: set[_Waiter] = set()
        self._thread: threading.Thread | None = None
        self._closed = False

    async def wait(self, uuid: str, seconds: float) -> Meta | None:
        """The record of an ended task; None when `seconds` passed, or it ended and stored no result."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(uuid, loop, loop.create_future())
        self._add(waiter)
        try:
            return await asyncio.wait_for(waiter.future, seconds)
        except asyncio.TimeoutError:
            return None
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def close(self) -> None:
        """Let the thread end."""
        self._closed = True
        self._wake.set()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiters)

    def _add(self, waiter: _Waiter) -> None:
        with self._lock:
            self._waiters.add(waiter)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="flower-results-poller", daemon=True)
                self._thread.start()
        self._wake.set()

    def _run(self) -> None:
        while True:
            with self._lock:
                waiters = [waiter for waiter in self._waiters if not waiter.future.done()]
                if self._closed or not waiters:
                    self._thread = None
                    return
            began = time.monotonic()
            self._look(waiters, began)
            now = time.monotonic()
            age = now - max(waiter.since for waiter in waiters)
            pause = min(max(age * PATIENCE, SHORTEST_SECONDS), LONGEST_SECONDS)
            self._wake.wait(max(pause, REST * (now - began)))
            self._wake.clear()

    def _look(self, waiters: list[_Waiter], now: float) -> None:
        try:
            metas = self._backend.read(list({waiter.uuid for waiter in waiters}))
        except NoBackend:
            # It may come back while they wait; and events tell the end in any case.
            metas = {}
        for waiter in waiters:
            meta = metas.get(waiter.uuid)
            if meta is not None and meta.get("status") in READY:
                self._settle(waiter, meta)
            elif waiter.ended_at is not None:
                if now - waiter.ended_at > GRACE_SECONDS:
                    self._settle(waiter, None)
            elif self._has_ended(waiter.uuid):
                waiter.ended_at = now

    def _has_ended(self, uuid: str) -> bool:
        try:
            return self._ended(uuid)
        except Exception:  # noqa: BLE001  # a store that cannot be read must not end the waiting of all
            return False

    def _settle(self, waiter: _Waiter, meta: Meta | None) -> None:
        with self._lock:
            self._waiters.discard(waiter)
        try:
            waiter.loop.call_soon_threadsafe(_set, waiter.future, meta)
        except RuntimeError:
            return  # its loop is closed: nobody waits any more


def _set(future: asyncio.Future[Meta | None], meta: Meta | None) -> None:
    if not future.done():
        future.set_result(meta)
