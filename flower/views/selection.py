"""What the list of tasks asks before many are acted on, and while a search is written. JSON for its scripts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

from flower.store import FACETS, TASK_STATES, Task, TaskQuery
from flower.utils.arguments import ArgumentError
from flower.utils.search import FIELDS, KINDS
from flower.views import BaseHandler
from flower.views.filters import View

MOST = 10_000
"""Tasks that can be acted on at once."""
WORDS_MOST = 2_000
"""Names, workers and queues that are offered while one types."""


class TasksSelection(BaseHandler):
    """/tasks/selection: uuid, name and state, as they are now, of many tasks: the preview of what is done to them.

    What was told here is what is acted on, by id: nothing that comes later is.
    """

    tab = "tasks"

    async def get(self) -> None:
        """The first tasks of a view, in its order."""
        view = View.read(self.get_argument, self.zone)
        await self.reply(self._matching, replace(view.query(), limit=MOST + 1, offset=0))

    async def post(self) -> None:
        """Those with the ids in the body; it only reads."""
        try:
            ids = json.loads(self.request.body)["ids"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ArgumentError("The body must be a JSON object with ids", "ids") from None
        if not isinstance(ids, list) or len(ids) > MOST or not all(isinstance(uuid, str) for uuid in ids):
            raise ArgumentError(f"Invalid ids, expected at most {MOST} texts", "ids")
        await self.reply(self._known, ids)

    def _matching(self, query: TaskQuery) -> dict[str, Any]:
        self.cluster.state.flush()
        tasks = list(islice(self.cluster.store.iterate(query), MOST + 1))
        return self._shape(tasks[:MOST], len(tasks) > MOST)

    def _known(self, ids: list[str]) -> dict[str, Any]:
        found = (self.cluster.state.task(uuid) for uuid in dict.fromkeys(ids))
        return self._shape([task for task in found if task is not None], False)

    def _shape(self, tasks: Iterable[Task], more: bool) -> dict[str, Any]:
        told = [
            {"uuid": task["uuid"], "name": self.format_task(task)["name"] or "", "state": task["state"] or "PENDING"}
            for task in tasks
        ]
        return {"tasks": told, "more": more, "most": MOST}


class TasksWords(BaseHandler):
    """GET /tasks/words: what a search can be completed with."""

    tab = "tasks"

    async def get(self) -> None:
        """The fields, and the values of those that have few."""
        queues = self.get_active_queue_names()
        await self.reply(self._words, queues)

    def _words(self, queues: list[str]) -> dict[str, Any]:
        state = self.cluster.state
        facets = self.cluster.store.facets(TaskQuery()) or {}
        found = {name: list(facets[name].counts) if name in facets else [] for name in FACETS}
        with state.lock:
            workers = sorted(state.workers)
        values = {
            "state": TASK_STATES + sorted(set(found["state"]) - set(TASK_STATES)),
            "name": self.cluster.store.names(),
            "worker": sorted({*found["worker"], *workers}),
            "queue": sorted({*found["queue"], *queues}),
        }
        fields = [
            {"name": field.name, "help": field.help, "example": field.example, "takes": KINDS[field.kind]}
            for field in FIELDS
        ]
        return {"fields": fields, "values": {name: list(known)[:WORDS_MOST] for name, known in values.items()}}
