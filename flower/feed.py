"""The events as they come, for those who listen: kept for a while, numbered, and picked out.

The events thread hands batches over (`hear`), listeners read them at their own pace from any thread: a slow
one falls behind and is told how many it missed, and no one else notices. While nobody listens, and for a
minute after, nothing is kept; the numbers go on, so that what was missed can always be told.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flower.ingest.views import KNOWN, settled_view_of
from flower.state import State
from flower.store import BY_NAME, Task
from flower.utils.coercion import encodable, text
from flower.utils.search import Query

Event = dict[str, Any]

KEPT = 10_000
"""Events kept for those who come back or are slow: some 20 MB, and a second of a very busy cluster."""
LISTENERS_MOST = 50
DIGITS_MOST = 18
LINGER_SECONDS = 60.0
"""How long events are kept when the last listener has gone: time enough to come back."""


class FeedFullError(Exception):
    """Too many clients listen to events"""


@dataclass(slots=True, eq=False)
class Listener:
    """One who listens. `after` is the number of the last event that was told; owned by its stream."""

    after: int
    restarted: bool = False
    """Whether the id to go on from is of another life of the server."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    open: bool = True

    def wake(self) -> None:
        self.woken.set()


@dataclass(frozen=True, slots=True)
class Reading:
    """Numbered events up to `upto`, after `missed` that are gone."""

    events: list[tuple[int, Event]]
    missed: int
    upto: int


class Feed:
    """The events of one state. Everything but `hear` and `read` belongs to the loop's thread."""

    def __init__(self, state: State, *, kept: int = KEPT, listeners_most: int = LISTENERS_MOST) -> None:
        self._state = state
        self.kept = kept
        self.listeners_most = listeners_most
        self.life = f"{int(state.started_at * 1000):x}"
        """Tells the numbers of this process from those before a restart."""
        self._lock = threading.Lock()
        self._batches: deque[tuple[int, Sequence[Event]]] = deque()
        """(number of its last event, events) of each batch."""
        self._held = 0
        self._floor = 0
        """Events up to this number are gone."""
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waking = False
        self._rest: asyncio.TimerHandle | None = None
        self._stopped = False

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._listeners)

    def join(self, last_id: str | None = None) -> Listener:
        """A new listener, who goes on after the event with that id. Raises FeedFullError."""
        if len(self._listeners) >= self.listeners_most:
            raise FeedFullError(f"{self.listeners_most} clients listen to events already, try again later")
        self._begin()
        now = self._state.totals["received"]
        life, _, number = (last_id or "").rpartition("-")
        if last_id is None:
            listener = Listener(now)
        elif life == self.life and number.isdecimal() and len(number) <= DIGITS_MOST and int(number) <= now:
            listener = Listener(int(number))
        else:
            listener = Listener(self._floor, restarted=True)
        listener.open = not self._stopped
        if listener.open:
            self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Let a listener go. Idempotent."""
        listener.open = False
        listener.wake()
        self._listeners.discard(listener)
        if not self._listeners and self._loop is not None and self._rest is None and not self._stopped:
            self._rest = self._loop.call_later(LINGER_SECONDS, self._forget)

    def stop(self) -> None:
        """End every stream."""
        self._stopped = True
        for listener in list(self._listeners):
            self.leave(listener)
        self._forget()

    def id_of(self, number: int) -> str:
        """The id by which a client can go on after that event."""
        return f"{self.life}-{number}"

    def hear(self, events: Sequence[Event], number: int) -> None:
        """Keep a batch, in the events thread; `number` is that of its last event."""
        with self._lock:
            self._batches.append((number, events))
            self._held += len(events)
            while self._held > self.kept and len(self._batches) > 1:
                self._floor, gone = self._batches.popleft()
                self._held -= len(gone)
        if self._listeners and not self._waking and self._loop is not None:
            self._waking = True
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._wake)

    def read(self, after: int, most: int) -> Reading:
        """At most so many events after the one with that number."""
        with self._lock:
            start = max(after, self._floor)
            batches = []
            for batch in reversed(self._batches):
                if batch[0] <= start:
                    break
                batches.append(batch)
        events: list[tuple[int, Event]] = []
        for last, batch_events in reversed(batches):
            first = last - len(batch_events) + 1
            skipped = max(0, start + 1 - first)
            room = most - len(events)
            events += enumerate(batch_events[skipped : skipped + room], first + skipped)
            if len(events) >= most:
                break
        return Reading(events, start - after, events[-1][0] if events else start)

    def _begin(self) -> None:
        """Keep events from now on."""
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
        if self._state.tap is not None or self._stopped:
            return
        self._loop = asyncio.get_running_loop()
        with self._state.lock:
            self._floor = self._state.totals["received"]
            self._state.tap = self.hear

    def _forget(self) -> None:
        self._rest = None
        self._state.tap = None
        with self._lock:
            self._batches.clear()
            self._held = 0

    def _wake(self) -> None:
        self._waking = False
        for listener in self._listeners:
            listener.wake()


@dataclass(frozen=True, slots=True)
class Pick:
    """Which events a listener wants. `types` are whole types, or beginnings with `*` after them."""

    types: tuple[str, ...] = ()
    task: str | None = None
    worker: str | None = None
    search: Query | None = None

    def wants(self, event: Any, look: Callable[[Event], Task]) -> bool:
        """Whether it is one of them; `look` finds the task of an event."""
        if not _understood(event):
            return False
        if self.types and not any(_fits(event["type"], wanted) for wanted in self.types):
            return False
        if self.worker is not None and event.get("hostname") != self.worker:
            return False
        if self.task is None and not self.search:
            return True
        if not is_task_event(event):
            return False
        if self.task is not None and self.task not in (uuid_of(event), event.get("name") or look(event)["name"]):
            return False
        return self.search is None or self.search.matches(look(event))


def is_task_event(event: Event) -> bool:
    """Whether it tells of a task."""
    return bool(event["type"].startswith("task-"))


def uuid_of(event: Event) -> str:
    """The id of its task, as text."""
    return encodable(event["uuid"])


def task_of(state: State, event: Event) -> Task:
    """The task of an event, as it is known now. May block; raises StoreError."""
    uuid = uuid_of(event)
    host = encodable(event["hostname"])
    return state.task(uuid) or Task.of(settled_view_of(uuid, host, event, state.clock()))


def formatted(event: Event, task: Task, format_task: Callable[[Task], Task]) -> Event:
    """The event with what `format_task` makes of its values, seen as those of its task."""
    told = {
        name: text(value) if BY_NAME[name].kind == "text" else value
        for name, value in event.items()
        if name in BY_NAME and BY_NAME[name].kind != "json"
    }
    extra = {name: value for name, value in event.items() if name not in KNOWN and name not in told}
    before = Task(task, **told, extra=extra or None)
    after = format_task(Task(before))
    shown = {}
    for name, value in event.items():
        if name in told:
            shown[name] = value if after.get(name) == before[name] else after.get(name)
        elif name not in extra:
            shown[name] = value
    left = after.get("extra")
    return shown | (left if isinstance(left, dict) else {})


def _understood(event: Any) -> bool:
    """Whether the state took it in."""
    if not isinstance(event, dict) or not isinstance(event.get("type"), str) or not event.get("hostname"):
        return False
    return event["type"].startswith("worker-") or (is_task_event(event) and bool(event.get("uuid")))


def _fits(type_: str, wanted: str) -> bool:
    return type_.startswith(wanted[:-1]) if wanted.endswith("*") else type_ == wanted
