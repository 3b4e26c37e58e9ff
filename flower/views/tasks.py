"""Every task: a list that stays still, found by what is known of them."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from functools import partial
from typing import Any

from flower.store import FINAL_STATES, TASK_STATES, Facets, Slice, StoreError, TaskQuery
from flower.store.plan import INDEXED
from flower.utils.search import FIELDS, QuerySyntaxError
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.datatable import TasksDataTable
from flower.views.filters import END, PAGE_SIZES, RANGES, View
from flower.views.patience import Patience
from flower.views.places import word_of
from flower.views.saved import STARTING_VIEWS
from flower.views.task import TaskView
from flower.views.task_columns import (
    COLUMNS_COOKIE,
    DEFAULT_COLUMNS,
    TASK_COLUMNS,
    TaskColumn,
    known_columns,
    visible_task_columns,
)

__all__ = [
    "DEFAULT_COLUMNS",
    "TASK_COLUMNS",
    "TaskColumn",
    "TaskView",
    "TasksDataTable",
    "TasksView",
    "visible_task_columns",
]

OPEN_AT_MOST = PAGE_SIZES[-1]
FACETS_SHOWN = 7
FACETS_MOST = 200
"""Values of a facet that a page lists: more are for the search."""
COOKIE_DAYS = 365
DEAR_TASKS = 100_000
"""From so many on it may take a second or more to look at all of them."""
PATIENCE_SECONDS = 0.3
"""How long a page waits for rows that no index leads to, before it is shown without them."""
WORD = re.compile(r"[^\s()]+")


class TasksView(BaseHandler):
    """GET /tasks: one page of the list; the whole view is in the address."""

    tab = "tasks"

    async def get(self) -> None:
        if self.get_arguments("column") or self.get_argument("columns", "") == "default":
            self._choose_columns(self.get_arguments("column"))
            return
        view = View.read(self.get_argument, self.zone)
        if self.get_argument("newest", None) is not None:
            await self._tell_news(view)
            return
        facets_only = self.request.headers.get("HX-Target") == "facets"
        error: QuerySyntaxError | None = None
        page, facets, newest, searching = Slice(), None, 0.0, False
        try:
            query = view.query()
            # Without script there is no second request for the numbers: a link asks for them.
            patient = facets_only or self.get_argument("count", False, type=bool)
            facets = await self.run(self.cluster.store.facets, query, hurry=not patient)
            if not facets_only:
                read = await self._page(view, query)
                searching = read is None
                page, newest = read or (page, newest)
        except QuerySyntaxError as problem:
            error = problem
        self.show(
            "tasks.html",
            {"tasks": "tasks_body.html", "list": "tasks_list.html", "facets": "tasks_facets.html"},
            title=say("tasks.title"),
            view=view,
            slice=page,
            places=_places(page, view),
            total=_number(page.total.number, page.total.whole),
            stored=self.cluster.store.tasks,
            newest=newest,
            searching=searching,
            tasks=[self.format_task(task) for task in page.tasks],
            error=error,
            pointed=_pointed(view.search, error),
            quoted=_quoted,
            facets=facets,
            facets_only=facets_only,
            states=_states(view, facets),
            number=_number,
            facet_values=_facet_values,
            sizes=PAGE_SIZES,
            ranges=RANGES,
            fields=FIELDS,
            starting_views=STARTING_VIEWS,
            **self._columns(view),
        )

    def _columns(self, view: View) -> dict[str, Any]:
        """What the rows need."""
        return {
            "columns": self.columns(view),
            "all_columns": TASK_COLUMNS,
            "final": FINAL_STATES,
            "markable": self.actions.may("task.revoke-many") or self.actions.may("task.retry"),
        }

    def columns(self, view: View) -> list[TaskColumn]:
        """The columns of the address, else those that the visitor chose last, else those of the option."""
        chosen = known_columns(view.columns) or known_columns((self.get_cookie(COLUMNS_COOKIE) or "").split("."))
        return chosen or visible_task_columns(self.site.tasks_columns)

    def _choose_columns(self, chosen: list[str]) -> None:
        """Remember the columns and show the list with them; without any, with those of the option."""
        slugs = [column.slug for column in known_columns(chosen)]
        root = f"{self.site.root}/"
        if slugs:
            self.set_cookie(
                COLUMNS_COOKIE, ".".join(slugs), path=root, expires_days=COOKIE_DAYS, samesite="Lax", secure=self.by_tls
            )
        else:
            self.clear_cookie(COLUMNS_COOKIE, path=root, samesite="Lax")
        kept = {name: self.get_argument(name) for name in self.request.arguments if name not in ("column", "columns")}
        self.redirect(self.path("tasks", **kept))

    async def _page(self, view: View, query: TaskQuery) -> tuple[Slice, float] | None:
        """The page, and when the newest of all tasks was received; None when the page should be shown before."""
        patience: Patience[tuple[Slice, float]] = self.site.kept.setdefault("patience", Patience())
        dear = self.cluster.store.tasks > DEAR_TASKS and (query.search is not None or query.sort_by not in INDEXED)
        waits = not dear or self.get_argument("wait", False, type=bool)
        ask = partial(self.run, self._read, view, query)
        return await patience.read(view, ask, None if waits else PATIENCE_SECONDS)

    def _read(self, view: View, query: TaskQuery) -> tuple[Slice, float]:
        """The page, and when the newest of all tasks was received."""
        store = self.cluster.store
        place, backward = view.place()
        try:
            page = store.slice(query, place, backward=backward)
        except StoreError:
            raise
        except ValueError:  # the place belongs to another order: the address was put together by hand
            page = store.slice(query)
        latest = store.slice(TaskQuery(limit=1)).tasks
        return page, (latest[0]["received"] or 0.0) if latest else 0.0

    async def _tell_news(self, view: View) -> None:
        """How many tasks came since `newest`, and the rows of the page that were `open` as they are now."""
        newest = self.get_argument("newest", 0.0, type=float)
        uuids = self.get_argument("open", "").split(",")[:OPEN_AT_MOST]
        since = max(math.nextafter(newest, math.inf), view.received()[0] or 0.0)
        query = replace(view.query(), received_start=since)
        count, tasks = await self.run(
            lambda: (self.cluster.store.about(query), [self.cluster.state.task(uuid) for uuid in uuids if uuid])
        )
        self.show(
            "tasks_news.html",
            view=view,
            count=count.number,
            counted=_number(count.number, count.whole),
            tasks=[self.format_task(task) for task in tasks if task is not None],
            **self._columns(view),
        )


def _pointed(search: str, error: QuerySyntaxError | None) -> tuple[str, str, str] | None:
    """What stands before the mistake, the word that is wrong, what follows; None where no place is told."""
    if error is None or error.position is None:
        return None
    word = WORD.match(search, error.position)
    end = word.end() if word else error.position + 1
    return search[: error.position], search[error.position : end], search[end:]


def _quoted(search: str) -> str:
    """A search for the very text."""
    escaped = search.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(number: int, whole: bool = True) -> str:
    """`1,234`, or `1,234+` where it is the least that there is."""
    return f"{number:,}" if whole else f"{number:,}+"


def _places(page: Slice, view: View) -> dict[str, dict[str, Any]]:
    """The arguments of the pages around this one."""
    found: dict[str, dict[str, Any]] = {}
    if page.before and page.first is not None:
        found["first"] = view.arguments()
        found["newer"] = view.arguments(before=word_of(page.first))
    if page.after and page.last is not None:
        found["older"] = view.arguments(after=word_of(page.last))
        found["last"] = view.arguments(before=END)
    if view.before == END:
        found.pop("last", None)
    return found


def _states(view: View, facets: Facets | None) -> list[tuple[str, str | None, bool]]:
    """Every state, how many tasks have it (None: not counted yet), whether it is chosen."""
    counts = facets["state"].counts if facets else {}
    custom = sorted(({state.upper() for state in (view.state, *counts) if state}) - set(TASK_STATES))
    whole = bool(facets) and facets["state"].whole  # type: ignore[index]
    return [
        (state, _number(counts.get(state, 0), whole) if facets else None, view.state.upper() == state)
        for state in (*TASK_STATES, *custom[:FACETS_MOST])
    ]


def _facet_values(facets: Facets, name: str, chosen: str) -> tuple[list[tuple[str, int]], list[tuple[str, int]], int]:
    """The values of a facet that are shown, those that can be unfolded, and how many more there are."""
    values = list(facets[name].counts.items())
    if chosen and chosen.lower() not in (value.lower() for value, _ in values[:FACETS_SHOWN]):
        values = [(value, count) for value, count in values if value.lower() != chosen.lower()]
        values.insert(0, (chosen, facets[name].counts.get(chosen, 0)))
    return values[:FACETS_SHOWN], values[FACETS_SHOWN:FACETS_MOST], max(0, len(values) - FACETS_MOST)
