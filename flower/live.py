"""Tells browsers what has changed: one message for all of them, at most once a second.

All on the loop's thread. Nothing is computed while nobody listens. A message says what is
newer (`tasks`, `workers`, `facts` grow with each change), not what it is: pages fetch the
regions that they show.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import orjson

from flower.state import State

INTERVAL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
BACKLOG = 8
"""Messages that may wait for one listener; the next one drops it."""

STALE_SECONDS = 15.0
"""Silence after which connected no longer means live: workers send a heartbeat every 2 s."""

END = b""
"""The last item of a queue: the stream is over."""

HEARTBEAT = b": still here\n\n"


def condition(connection: dict[str, Any], last_event_at: float | None, now: float) -> dict[str, Any]:
    """How far the pages can be believed: `kind` is live, quiet, stale, connecting or unreachable.

    `since` is when that began, `reason` why the broker cannot be reached. Quiet: connected,
    and no event has come yet.
    """
    connected, since = bool(connection.get("connected")), connection.get("since")
    reason = connection.get("failure")
    if not connected:
        return {"kind": "unreachable" if reason else "connecting", "since": since, "reason": reason}
    if last_event_at is None:
        return {"kind": "quiet", "since": since, "reason": None}
    # A connection younger than its last event says nothing about the silence before it.
    silent_since = max(last_event_at, since or 0.0)
    if now - silent_since > STALE_SECONDS:
        return {"kind": "stale", "since": last_event_at, "reason": None}
    return {"kind": "live", "since": since, "reason": None}


class Hub:
    """The one source of the pages' event streams.

    `connection` returns `{"connected": bool, "since": float | None, "failure": str | None}`.
    """

    def __init__(self, state: State, connection: Callable[[], dict[str, Any]]) -> None:
        self._state = state
        self._connection = connection
        self._listeners: set[asyncio.Queue[bytes]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._facts = 0
        self._number = 0
        self._last: dict[str, Any] = {}
        self._last_sent = 0.0
        self.neighbours: Callable[[], str] | None = None
        """Differs when another cluster of the server stands otherwise."""
        self.dropped = 0
        """Listeners that did not read and were dropped."""

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    @property
    def generation(self) -> int:
        """Grows with each message: what was drawn since the last one is true until the next."""
        return self._number

    def start(self) -> None:
        """From now on listeners are served."""
        self._running = True
        self._plan()

    def stop(self) -> None:
        """End every stream."""
        self._running = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for queue in list(self._listeners):
            self._end(queue)

    def subscribe(self) -> asyncio.Queue[bytes]:
        """A queue whose first item is the present state; it ends with END."""
        queue: asyncio.Queue[bytes] = asyncio.Queue(BACKLOG)
        if not self._running:
            queue.put_nowait(END)
            return queue
        self._listeners.add(queue)
        queue.put_nowait(self._serialise(self.snapshot()))
        self._plan()
        return queue

    def unsubscribe(self, queue: asyncio.Queue[bytes]) -> None:
        """Forget a listener; without any the clock stands still."""
        self._listeners.discard(queue)
        if not self._listeners and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def learned(self, worker: str = "", method: str = "", reply: Any = None) -> None:
        """A worker has told a fact: for `Inspector.on_facts`."""
        self._facts += 1

    def condition(self, now: float | None = None) -> dict[str, Any]:
        """`condition` of this cluster."""
        return condition(self._connection(), self._state.last_event_at, time.time() if now is None else now)

    def revisions(self) -> dict[str, Any]:
        """By what a page knows whether it shows what is: each differs after a change of its kind."""
        state = self._state
        revisions = {"tasks": state.revision_tasks, "workers": state.revision_workers, "facts": self._facts}
        others = {} if self.neighbours is None else {"clusters": self.neighbours()}
        return {**revisions, "notices": self._troubles(), **others}

    def _troubles(self) -> str:
        """What the notices of a page tell; losses by their magnitude, not at every single one."""
        totals, store = self._state.totals, self._state.store
        connection = self.condition()
        unreachable = connection["kind"] == "unreachable" and connection["reason"]
        losses = [totals[name].bit_length() for name in ("dropped", "malformed")]
        return f"{losses} {store.failure or ''} {unreachable or ''}".strip()

    def snapshot(self) -> dict[str, Any]:
        """What a message says. Times are seconds since the epoch."""
        state, store, now = self._state, self._state.store, time.time()
        with state.lock:
            totals = dict(state.totals)
            received = sum(worker.counts["task-received"] for worker in state.workers.values())
        return {
            **self.revisions(),
            "new": received,
            "last_event_at": state.last_event_at,
            "connection": self.condition(now),
            "totals": totals,
            "store": {"tasks": store.tasks, "failing_since": store.failing_since, "failure": store.failure},
        }

    def tick(self, now: float | None = None) -> None:
        """Send what changed since the last message; after a long silence, that the server lives."""
        now = time.monotonic() if now is None else now
        snapshot = self.snapshot()
        if snapshot != self._last:
            self._send(self._serialise(snapshot))
        elif now - self._last_sent >= HEARTBEAT_SECONDS:
            self._send(HEARTBEAT)
        else:
            return
        self._last, self._last_sent = snapshot, now

    def _plan(self) -> None:
        if self._running and self._listeners and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(INTERVAL_SECONDS, self._tick_again)

    def _tick_again(self) -> None:
        self._timer = None
        try:
            self.tick()
        finally:
            self._plan()

    def _serialise(self, snapshot: dict[str, Any]) -> bytes:
        self._number += 1
        data = orjson.dumps({**snapshot, "now": time.time()}, option=orjson.OPT_NON_STR_KEYS)
        return b"id: %d\ndata: %b\n\n" % (self._number, data)

    def _send(self, message: bytes) -> None:
        for queue in list(self._listeners):
            if queue.full():
                self.dropped += 1
                self._end(queue)
            else:
                queue.put_nowait(message)

    def _end(self, queue: asyncio.Queue[bytes]) -> None:
        """Let the listener's next read be the last."""
        self.unsubscribe(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(END)
