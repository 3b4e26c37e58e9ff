"""What is alive: workers, counters and unfinished tasks; everything it learns goes on to the store.

The events thread calls `apply`, the saver's thread takes what changed, the web threads read. All three
hold `lock` while they touch the tables; nobody holds it while he waits.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from sys import intern
from typing import Any

from flower.ingest.lag import lag_of
from flower.ingest.names import Names
from flower.ingest.secrets import hide_secrets, without_secrets
from flower.ingest.views import follow, settled_view_of, view_of
from flower.store import FINAL_STATES, Saver, Store, Task
from flower.store.merge import View, join
from flower.store.tally import Observer, Tally
from flower.utils.coercion import encodable, name_in
from flower.utils.redaction import Redactor
from flower.worker import producer_of
from flower.workers import Workers

logger = logging.getLogger(__name__)

MAX_OPEN_TASKS = 50_000
"""About 1 KB each. Older unfinished tasks stay in the store, and late events still find them there."""
MAX_UNSAVED = 6_000
"""Changed tasks, of about 2 KB each, that wait for the store before events are held back."""
MAX_UNSTORED = 50_000
"""The same while the store cannot be written; what changes beyond is dropped, and told."""
HURRY_AT = 3_000
"""Fewer are written at their time: each batch touches most pages of the indexes, however small it is."""
HELD_BACK_SECONDS = 5.0
MAX_QUEUE_NAMES = 1_000

TELL_SECONDS = 0.25
"""How often a burst is counted: each time costs as much as some hundred events."""


class State:
    """The reducer of events. Own the thread that saves: `start` it, `stop` it."""

    def __init__(self, store: Store, *, max_workers: int = 5000, clock: Callable[[], float] = time.time) -> None:
        self.store = store
        self.clock = clock
        self.lock = threading.RLock()
        self.started_at = clock()
        self.last_event_at: float | None = None
        self.totals: Counter[str] = Counter()
        """`received`, `task`, `worker`, `malformed` (not understood) and `dropped` (not kept) events."""
        self.open_tasks: dict[str, View] = {}
        self.queue_names: set[str] = set()
        """Queues to which tasks were sent, as far as `task-sent` events tell."""
        self.sent: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        """By queue, of those in `queue_names`: tasks that were sent to it, and that workers received from it."""
        self.revision_tasks = 0
        self.revision_workers = 0
        self.redactor = Redactor(())
        """Hides secrets in what comes in; set before anything does."""
        self.observers: list[Observer] = []
        self.tap: Callable[[Sequence[dict[str, Any]], int], None] | None = None
        """Is given every batch as it came, and the number of its last event in `totals["received"]`."""
        self.lag_seconds = 0.0
        """How old the events of the last batch were when they came."""
        self._names = Names()
        self._tally = Tally()
        """What was not told yet."""
        self._telling = threading.Lock()
        self._told_at = 0.0
        self._changed: dict[str, View] = {}
        self._saving: dict[str, View] = {}
        self.workers = Workers(max_workers)
        self._recalled = False
        if store.is_open:
            self.recall()
        self._saver = Saver(store, self, clock)
        self._saver.start()

    @property
    def counter(self) -> dict[str, Counter[str]]:
        """Worker -> how many events of each type it sent."""
        with self.lock:
            return {name: worker.counts for name, worker in self.workers.items()}

    # Events come in

    def apply(self, events: Sequence[dict[str, Any]], now: float | None = None, *, more: bool = False) -> None:
        """Apply decoded events in the order of their arrival. Never raises for what an event holds.

        Who knows that there are `more` to come applies them soon, or calls `tell`: until then they may not be counted.
        """
        now = self.clock() if now is None else now
        if len(self._changed) >= MAX_UNSAVED and not self._wait_for_room():
            self.totals["dropped"] += len(events)
            return
        redactor, names = self.redactor or None, self._names
        with self.lock:
            before = len(self._tally.events)
            for event in events:
                try:
                    if redactor is not None:
                        hide_secrets(event, redactor)
                    type_, host = names[event["type"]], event["hostname"]
                    host = names[host] if host.__class__ is str else name_in(host)
                    if type_.startswith("task-"):
                        self._task_event(type_, host, event, now)
                    elif type_.startswith("worker-"):
                        self._worker_event(type_, host, event, now)
                except (KeyError, TypeError, AttributeError, ValueError, RecursionError, ArithmeticError) as error:
                    self._refuse(event, error)
            self.totals["received"] = number = self.totals["received"] + len(events)
            self.totals["task"] += len(self._tally.events) - before
            self.last_event_at = now
            self.lag_seconds = lag_of(events, now)
            if len(self.open_tasks) > MAX_OPEN_TASKS:
                self._shrink()
        if not more or not 0.0 <= now - self._told_at < TELL_SECONDS:
            self.tell(now)
        if self.tap is not None:
            self.tap(events, number)
        if len(self._changed) >= HURRY_AT:
            self._saver.hurry()

    def tell(self, now: float | None = None) -> None:
        """When it returns, those who count have counted all that was applied. In any thread."""
        now = self.clock() if now is None else now
        with self._telling:
            with self.lock:
                self._told_at = now
                tally, self._tally = self._tally, Tally()
                if not tally.events:
                    return
                counts = tally.counts()
                for (_, type_, host), number in counts.items():
                    if type_ != "task-sent":
                        self.workers.count(type_, host, number, now)
                self.revision_tasks += 1
                self.revision_workers += 1
            self.store.rollups.count(tally, counts, now)
            for observer in self.observers:
                observer.observe(tally, counts)

    def _task_event(self, type_: str, host: str, event: dict[str, Any], now: float) -> None:
        uuid = name_in(event["uuid"])
        task = self.open_tasks.get(uuid)
        if task is None:
            task = self.open_tasks[uuid] = settled_view_of(uuid, host, event, now)
        elif not follow(task, host, event):
            join(task, view_of(uuid, host, event, now))
        self._changed[uuid] = task
        name = intern(task.get("name") or "")
        if type_ == "task-sent":
            queue = task.get("queue")
            if queue and len(self.queue_names) < MAX_QUEUE_NAMES:
                self.queue_names.add(queue)
            if queue in self.queue_names:
                self.sent[queue] += 1
            host = intern(producer_of(host))
        elif type_ == "task-received" and (queue := task.get("queue")) in self.queue_names:
            self.taken[queue] += 1
        self._tally.note((name, type_, host), task, event, self.queue_names)

    def _worker_event(self, type_: str, host: str, event: dict[str, Any], now: float) -> None:
        self.workers.hear(type_, host, event, now)
        self.totals["worker"] += 1
        self.revision_workers += 1

    def _refuse(self, event: Any, error: Exception) -> None:
        if not self.totals["malformed"]:
            what = self.redactor.text(f"{error!r} in {encodable(event):.200}")
            logger.warning("An event was not understood (%s); further ones are only counted", what)
        self.totals["malformed"] += 1

    def _wait_for_room(self) -> bool:
        """Hold the events thread back until the store caught up; False when it does not."""
        if self.store.failing_since is not None:
            return len(self._changed) < MAX_UNSTORED
        self._saver.hurry()
        room = self._saver.wait(lambda: len(self._changed) < MAX_UNSAVED, HELD_BACK_SECONDS)
        return room or len(self._changed) < MAX_UNSTORED

    def _shrink(self) -> None:
        """Let the longest known unfinished tasks go from memory; they stay in the store."""
        excess = len(self.open_tasks) - MAX_OPEN_TASKS
        for uuid in [uuid for uuid in self.open_tasks if uuid not in self._changed][:excess]:
            del self.open_tasks[uuid]

    # Facts from elsewhere

    def adopt(self, tasks: Sequence[View]) -> None:
        """Add tasks that a worker was found to have, unless an event already told of them."""
        known = [task for task in tasks if self.task(task["uuid"]) is None]
        with self.lock:
            for task in (without_secrets(view, self.redactor) for view in known):
                if task["uuid"] not in self.open_tasks:
                    view: View = {"timestamp": task.get("started") or task.get("received"), "state": None}
                    join(view, task)
                    self.open_tasks[task["uuid"]] = self._changed[task["uuid"]] = view
            self.revision_tasks += bool(known)

    def note(self, facts: View) -> None:
        """Add facts of which no event tells to their task, known or not."""
        with self.lock:
            task = self.open_tasks.setdefault(facts["uuid"], {"timestamp": facts.get("sent"), "state": None})
            join(task, without_secrets(facts, self.redactor))
            self._changed[facts["uuid"]] = task
            self.revision_tasks += 1

    def appeared(self) -> list[str]:
        """The workers that came online since the last call."""
        with self.lock:
            return self.workers.appeared()

    def forget_workers(self, offline_seconds: float) -> list[str]:
        """Drop the workers that are offline and were not heard of for so long; returns their names."""
        with self.lock:
            names = self.workers.forget_silent(offline_seconds, self.clock())
            self.revision_workers += bool(names)
        return names

    # Reading and saving

    def task(self, uuid: str) -> Task | None:
        """The freshest view of a task, with every column; None when it is unknown. May block."""
        with self.lock:
            known = self.open_tasks.get(uuid) or self._saving.get(uuid)
            view = dict(known) if known else None
        if view is None or not view.get("stored") or self.store.is_shared:
            row = self.store.get(uuid)
            if view is None or row is None:
                return row if view is None else Task.of(view)
            join(row, view)
            return row
        return Task.of(view)

    def flush(self, timeout: float = 10.0) -> bool:
        """Whether everything applied so far is in the store, after waiting for it."""
        return self._saver.flush(timeout)

    def stop(self, timeout: float = 1.5) -> bool:
        """Save what is left and close the store; whether everything went in."""
        flushed = self._saver.stop(timeout)
        self.store.close()
        return flushed

    def recall(self) -> None:
        """Open the store, and take in what it knows of workers and unfinished tasks that were not heard of since."""
        if self._recalled:
            return
        self.store.open()
        workers, tasks = self.store.load_workers(), self.store.unfinished(MAX_OPEN_TASKS)
        with self.lock:
            self.workers.recall(workers)
            heard = self._changed.keys() | self._saving.keys()
            self.open_tasks |= {task["uuid"]: task for task in tasks if task["uuid"] not in heard}
            self._recalled = True

    def unsaved(self) -> int:
        """How many tasks changed and are not on their way to the store yet."""
        return len(self._changed)

    def take(self, limit: int) -> list[View]:
        """What changed longest ago. Finished tasks leave memory with it."""
        with self.lock:
            batch: list[View] = []
            for uuid in list(islice(self._changed, limit)):
                task = self._changed.pop(uuid)
                if task["state"] in FINAL_STATES:
                    self.open_tasks.pop(uuid, None)
                    batch.append(task)
                else:
                    batch.append(dict(task))
                    task["stored"] = True
            self._saving = {task["uuid"]: task for task in batch}
        return batch

    def learn(self, found: dict[str, View]) -> None:
        """Complete what memory holds by what the store already knew."""
        with self.lock:
            self._saving = {}
            for uuid in found.keys() & self.open_tasks.keys():
                task = self.open_tasks[uuid]
                join(task, found[uuid])
                if task["state"] in FINAL_STATES and uuid not in self._changed:
                    del self.open_tasks[uuid]

    def take_workers(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """The facts of the workers that changed since the last call, and the names of those that are gone."""
        with self.lock:
            return self.workers.take_changes()
