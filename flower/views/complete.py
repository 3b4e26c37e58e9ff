"""What the command palette offers while one types: workers, task names, queues, tasks by their id."""

from __future__ import annotations

import re
import time
import weakref
from collections.abc import Iterable
from typing import Any

from flower.store import Store
from flower.utils.json import dumps
from flower.utils.texts import say
from flower.views import BaseHandler

EACH = 6
"""Entries of a kind."""
LONGEST = 200
SHORTEST_ID = 4
NAMES_SECONDS = 15.0
"""For so long the task names are not read again: each takes a step through an index."""

ID = re.compile(r"[\w.:@-]+")

_names: weakref.WeakKeyDictionary[Store, tuple[float, list[str]]] = weakref.WeakKeyDictionary()
"""By store: when its task names were read, and which. Written by the threads of the executor."""


def rank(words: list[str], name: str) -> tuple[int, int, str] | None:
    """How well a name fits, the lowest best; None when a word is not in it."""
    folded = name.casefold()
    if not all(word in folded for word in words):
        return None
    first = words[0]
    if folded.startswith(first):
        return 0, len(name), name
    at_word = re.search(rf"[^a-z0-9]{re.escape(first)}", folded)
    return (1 if at_word else 2), len(name), name


def best(text: str, names: Iterable[str]) -> list[str]:
    """The names that hold every word of the text, the best first."""
    words = text.casefold().split()
    ranked = sorted(found for name in names if (found := rank(words, name)) is not None)
    return [name for _, _, name in ranked[:EACH]]


def known_names(store: Store) -> list[str]:
    """The task names, as of a few seconds ago at most."""
    read = _names.get(store)
    if read is None or time.monotonic() - read[0] > NAMES_SECONDS:
        read = _names[store] = (time.monotonic(), store.names())
    return read[1]


class CompleteView(BaseHandler):
    """GET /complete?q=: `{"items": [{"kind", "label", "note", "url"}]}`, the best of each kind first."""

    async def get(self) -> None:
        text = str(self.get_argument("q", "") or "")[:LONGEST]
        items = await self._items(text) if text else []
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(dumps({"items": items}))

    async def _items(self, text: str) -> list[dict[str, str]]:
        state, now = self.cluster.state, self.cluster.state.clock()
        with state.lock:
            online = {name: worker.status(now) for name, worker in state.workers.items()}
            queues = state.queue_names | set(self.get_active_queue_names())
        names, tasks = await self.run(self._stored, text)
        return [
            *tasks,
            *(
                self._item(
                    "worker",
                    name,
                    say("complete.online" if online[name] else "complete.offline"),
                    self.worker_path(name),
                )
                for name in best(text, online)
            ),
            *(self._item("name", name, say("complete.name"), self.tasks_path(name=name)) for name in names),
            *(
                self._item("queue", name, say("complete.queue"), f"{self.path('broker')}#queue-{name}")
                for name in best(text, queues)
            ),
        ]

    def _stored(self, text: str) -> tuple[list[str], list[dict[str, str]]]:
        """What the store knows; in a thread."""
        store = self.cluster.store
        tasks = []
        if len(text) >= SHORTEST_ID and ID.fullmatch(text):
            tasks = [
                self._item("task", uuid, " ".join(filter(None, (name, status))), self.task_path(uuid))
                for uuid, name, status in store.starting(text, EACH)
            ]
        return best(text, known_names(store)), tasks

    def _item(self, kind: str, label: str, note: str, url: str) -> dict[str, Any]:
        return {"kind": kind, "label": label, "note": note, "url": url}
