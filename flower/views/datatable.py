"""`/tasks/datatable`: pages of tasks for programs written for the DataTables endpoint of Flower 2.x."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flower import web
from flower.store import COLUMNS, TaskQuery
from flower.utils import shapes
from flower.utils.search import QuerySyntaxError, parse_query
from flower.views import BaseHandler

LENGTH_MOST = 10_000
SORTABLE = frozenset(column.name for column in COLUMNS if column.kind != "json")


class TasksDataTable(BaseHandler):
    """GET or POST /tasks/datatable; both only read."""

    permission = "view"
    write_error = web.BaseHandler.write_error
    """Programs are told of errors in plain text, as by Flower 2.x."""

    async def get(self) -> None:
        """One page, in the form that DataTables asks and expects."""
        draw = self.get_argument("draw", type=int, required=True)
        start = self.get_argument("start", type=int, required=True)
        length = self.get_argument("length", type=int, required=True)
        column = self.get_argument("order[0][column]", type=int, required=True)
        sort_by = self.get_argument(f"columns[{column}][data]", "")
        known = sort_by in SORTABLE
        query = TaskQuery(
            sort_by=sort_by if known else "timestamp",
            descending=self.get_argument("order[0][dir]", "") == "desc" if known else True,
            # DataTables' word for all is -1.
            limit=LENGTH_MOST if length == -1 else min(max(0, length), LENGTH_MOST),
            offset=max(0, start),
        )
        await self.reply(self._page, draw, query, self.get_argument("search[value]", ""))

    async def post(self) -> None:
        """As GET, for queries too long for an address."""
        await self.get()

    def _page(self, draw: int, query: TaskQuery, search: str) -> dict[str, Any]:
        store = self.cluster.store
        try:
            page = store.search(replace(query, search=parse_query(search) if search else None))
        except QuerySyntaxError as error:
            shape = {"draw": draw, "data": [], "recordsTotal": store.tasks, "recordsFiltered": 0}
            return shape | {"searchError": str(error)}
        children = store.children([task["uuid"] for task in page.tasks])
        rows = [shapes.classic_task(self.format_task(task), children.get(task["uuid"], [])) for task in page.tasks]
        return {"draw": draw, "data": rows, "recordsTotal": page.stored, "recordsFiltered": page.total}
