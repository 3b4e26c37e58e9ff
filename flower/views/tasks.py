"""Every task, and one task."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple

from flower.store import COLUMNS, FINAL_STATES, TASK_STATES, Page
from flower.utils.search import FIELDS, QuerySyntaxError
from flower.views import BaseHandler
from flower.views.datatable import TasksDataTable
from flower.views.filters import PAGE_SIZES, RANGES, View
from flower.views.task import TaskView

__all__ = ["TASK_COLUMNS", "TaskColumn", "TaskView", "TasksDataTable", "TasksView", "visible_task_columns"]

DEFAULT_COLUMNS = ("name", "uuid", "state", "received", "runtime", "worker")
OPEN_AT_MOST = PAGE_SIZES[-1]


class TaskColumn(NamedTuple):
    """A column of the table of tasks; `slug` is its word in the `tasks_columns` option."""

    slug: str
    label: str
    kind: str
    help: str


LABELS = {"kwargs": "Kwargs", "args": "Args"}
"""Shorter than in the column table, for a head of a table."""

TASK_COLUMNS: tuple[TaskColumn, ...] = tuple(
    TaskColumn(column.name, LABELS.get(column.name, column.label), column.kind, column.help)
    for column in COLUMNS
    if column.kind != "json" and column.name not in ("clock", "custom", "custom_state")
)


def visible_task_columns(wanted: Any) -> list[TaskColumn]:
    """The columns that a `tasks_columns` value (a text with commas, or slugs) names, in its order.

    Unknown ones are left out; the default ones are shown when none is left.
    """
    slugs = wanted.split(",") if isinstance(wanted, str) else list(wanted or ())
    known = {column.slug: column for column in TASK_COLUMNS}
    found = [known[slug] for slug in dict.fromkeys(str(slug).strip() for slug in slugs) if slug in known]
    return found or [known[slug] for slug in DEFAULT_COLUMNS]


class TasksView(BaseHandler):
    """GET /tasks: one page of the list; the whole view is in the address."""

    tab = "tasks"

    async def get(self) -> None:
        view = View.read(self.get_argument, self.zone)
        if self.get_argument("newest", None) is not None:
            await self._tell_news(view)
            return
        error: QuerySyntaxError | None = None
        page = Page(stored=self.cluster.store.tasks)
        newest = 0.0
        try:
            page, newest = await self.run(self._read, view)
        except QuerySyntaxError as problem:
            error = problem
        names = await self.run(self.cluster.store.names)
        with self.cluster.state.lock:
            workers = sorted(self.cluster.state.workers)
        self.show(
            "tasks.html",
            {"tasks": "tasks_body.html"},
            title="Tasks",
            view=view,
            page=page,
            newest=newest,
            tasks=[self.format_task(task) for task in page.tasks],
            columns=visible_task_columns(self.site.tasks_columns),
            error=error,
            names=names,
            workers=workers,
            states=TASK_STATES,
            sizes=PAGE_SIZES,
            ranges=RANGES,
            fields=FIELDS,
            final=FINAL_STATES,
        )

    def _read(self, view: View) -> tuple[Page, float]:
        """The page, and when the newest task of the whole view was received."""
        query = view.query()
        page = self.cluster.store.search(query)
        latest = replace(query, sort_by="received", descending=True, limit=1, offset=0)
        first = page.tasks if view.sort == "-received" and not view.offset else self.cluster.store.search(latest).tasks
        return page, (first[0].received or 0.0) if first else 0.0

    async def _tell_news(self, view: View) -> None:
        """How many tasks came since `newest`, and the rows of the page that were `open` as they are now."""
        newest = self.get_argument("newest", 0.0, type=float)
        uuids = self.get_argument("open", "").split(",")[:OPEN_AT_MOST]
        since = max(math.nextafter(newest, math.inf), view.received()[0] or 0.0)
        query = replace(view.query(), received_start=since)
        count, tasks = await self.run(
            lambda: (self.cluster.store.count(query), [self.cluster.state.task(uuid) for uuid in uuids if uuid])
        )
        self.show(
            "tasks_news.html",
            view=view,
            count=count,
            tasks=[self.format_task(task) for task in tasks if task is not None],
            columns=visible_task_columns(self.site.tasks_columns),
            final=FINAL_STATES,
        )
