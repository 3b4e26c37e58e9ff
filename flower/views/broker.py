"""The broker and its queues."""

from __future__ import annotations

import time
from typing import Any

from flower.utils.arguments import one_of, within
from flower.utils.figures import format_rate
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.queue_rows import SORTS, STATES, Row, matches, ordered, rows_of

LISTED = 100
LISTED_MOST = 5_000

COLUMNS: tuple[tuple[str, str, str], ...] = tuple(
    (word, say(f"queues.column.{word}"), say(f"queues.column.{word}.help"))
    for word in ("ready", "unacked", "messages", "in", "out", "oldest")
)
"""Columns of numbers: word to sort by, label, what it counts. One that this broker never fills is not shown."""


class BrokerView(BaseHandler):
    """GET /broker and /queues: every queue, consumed or not, the worst first."""

    tab = "broker"

    async def get(self) -> None:
        sort = self.get_argument("sort", "") or "worst"
        one_of("sort", sort.removeprefix("-"), ("worst", "name", *SORTS))
        search, state = self.get_argument("q", "") or "", self.get_argument("state", "") or ""
        one_of("state", state, tuple(STATES))
        limit = within("limit", self.get_argument("limit", LISTED, type=int), 1, LISTED_MOST)
        cluster = self.cluster
        report = await cluster.queues.look()
        rows = rows_of(report, cluster.sampler, time.time())
        found = [row for row in rows if matches(row, search)]
        listed = ordered([row for row in found if row.has(state)], sort)
        self.show(
            "broker.html",
            {"queues": "broker_queues.html"},
            title=say("queues.title"),
            report=report,
            rows=listed[:limit],
            matching=len(listed),
            known=rows,
            states=[(word, *told, sum(row.has(word) for row in found)) for word, told in STATES.items()],
            columns=[column for column in COLUMNS if self._fills(rows, column[0])],
            search=search,
            sort=sort,
            state=state,
            limit=limit,
            address=lambda **changes: self._address(search, sort, state, limit, changes),
            format_rate=format_rate,
            left_out=cluster.sampler.left_out,
        )

    def _address(self, search: str, sort: str, state: str, limit: int, changes: dict[str, Any]) -> str:
        """This page with something changed; what is usual is left out."""
        given = {"q": search, "sort": sort, "state": state, "limit": limit, **changes}
        usual = {"sort": "worst", "limit": LISTED}
        return self.path("broker", **{name: value for name, value in given.items() if value != usual.get(name)})

    def _fills(self, rows: list[Row], column: str) -> bool:
        """Whether the broker, or the events, ever told what is in a column."""
        if column == "ready":
            return True
        if column in ("in", "out"):
            return bool(self.cluster.state.sent) or any(row.track.counted for row in rows)
        if column == "messages":
            return any(row.queue.unacked is not None for row in rows)
        if column == "oldest" and self.cluster.queues.tells_heads:
            return True
        return any(SORTS[column](row) is not None for row in rows)
