"""Every worker: found, filtered, sorted, page by page."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flower.utils.arguments import one_of, within
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.worker import WorkerView
from flower.views.worker_rows import (
    COUNTED,
    SORTS,
    Roster,
    Row,
    matches,
    natural_key,
    roster_of,
    row_of,
    sorted_rows,
)

__all__ = ("Row", "WorkerView", "WorkersView", "matches", "natural_key", "row_of", "sorted_rows")

STATES: tuple[tuple[str, str, str], ...] = tuple(
    (word, say(f"workers.state.{word or 'all'}"), say(f"workers.state.{word or 'all'}.help"))
    for word in ("", "online", "busy", "silent", "offline")
)
"""Word of the address, label and meaning of each filter of states."""

LIMIT = 50
LIMITS = (25, 50, 100, 200)
PAGES_AT_MOST = 100_000
REFRESHED_AT_ONCE = 200

FRESH_SECONDS = {"stats": 20.0, "active_queues": 30.0}
"""How old the facts of the workers that are shown may become before they are asked again."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the address asks for."""

    q: str
    state: str
    queue: str
    sort: str
    page: int
    limit: int

    def takes(self, row: Row) -> bool:
        """Whether a row is wanted, whatever its state."""
        return (not self.queue or self.queue in row.queues) and (not self.q or matches(row, self.q))


@dataclass(slots=True)
class Listed:
    """What is shown: `rows` of one page, and what is summed over all that were found."""

    rows: list[Row]
    found: int
    page: int
    pages: int
    known: int
    states: Counter[str]
    queues: list[tuple[str, int]]
    sums: dict[str, int]
    online: int
    offline: int
    active: int
    slots: int
    unknown_slots: int


def in_state(row: Row, state: str) -> bool:
    """Whether a row passes the filter of states."""
    return not state or row.state == state or (state == "online" and row.online)


def listed(rows: Sequence[Row], choice: Choice) -> Listed:
    """One page of the rows that are wanted."""
    queues = Counter(queue for row in rows for queue in set(row.queues))
    wanted = [row for row in rows if choice.takes(row)]
    states: Counter[str] = Counter(row.state for row in wanted)
    states[""], states["online"] = len(wanted), sum(row.online for row in wanted)
    found = sorted_rows([row for row in wanted if in_state(row, choice.state)], choice.sort)
    pages = max(1, -(-len(found) // choice.limit))
    page = min(choice.page, pages)
    online = [row for row in found if row.online]
    return Listed(
        rows=found[(page - 1) * choice.limit : page * choice.limit],
        found=len(found),
        page=page,
        pages=pages,
        known=len(rows),
        states=states,
        queues=sorted(queues.items(), key=lambda pair: natural_key(pair[0])),
        sums={name: sum(row.counts[name] for row in found) for name in COUNTED},
        online=len(online),
        offline=len(found) - len(online),
        active=sum(row.active for row in online),
        slots=sum(row.concurrency or 0 for row in online),
        unknown_slots=sum(row.concurrency is None for row in online),
    )


class WorkersView(BaseHandler):
    """GET /workers: every worker; with `json=1` as Flower 2.x's rows. `refresh` asks the workers first."""

    tab = "workers"

    async def get(self) -> None:
        as_json = self.get_argument("json", False, type=bool)
        choice = self._choice()
        if self.get_argument("refresh", False, type=bool):
            await self._ask(self.get_arguments("worker")[:REFRESHED_AT_ONCE])
        if as_json:
            state = self.cluster.state
            with state.lock:
                rows = [worker.as_dict() for worker in state.workers.values()]
            self.write({"data": rows})
            return
        roster = roster_of(self.cluster)
        shown = await self.run(lambda: listed(roster.rows(self.cluster), choice))
        self._renew(roster, shown.rows)
        self.show(
            "workers.html",
            {"workers": "workers_table.html"},
            title=say("workers.title"),
            choice=choice,
            shown=shown,
            states=STATES,
            limits=LIMITS,
            address=self._address,
        )

    def _choice(self) -> Choice:
        sort = self.get_argument("sort", "") or "name"
        one_of("sort", sort.removeprefix("-"), SORTS)
        return Choice(
            q=self.get_argument("q", "") or "",
            state=one_of("state", self.get_argument("state", "") or "", tuple(slug for slug, _, _ in STATES)),
            queue=self.get_argument("queue", "", strip=False) or "",
            sort=sort,
            page=within("page", self.get_argument("page", 1, type=int), 1, PAGES_AT_MOST),
            limit=within("limit", self.get_argument("limit", LIMIT, type=int), 1, LIMITS[-1]),
        )

    def _address(self, choice: Choice, **changes: Any) -> str:
        """The address of this list with something changed; another filter begins at the first page."""
        values = {name: getattr(choice, name) for name in ("q", "state", "queue", "sort", "limit")}
        values |= {"page": 1, **changes}
        usual = {"sort": "name", "limit": LIMIT, "page": 1}
        return self.path(
            "workers", **{name: "" if usual.get(name) == value else value for name, value in values.items()}
        )

    async def _ask(self, names: list[str]) -> None:
        """Ask the named workers, or all, and wait as long as that takes at most."""
        inspector = self.cluster.inspector
        waiting = asyncio.gather(
            *inspector.inspect(names or None, FRESH_SECONDS if names else None), return_exceptions=True
        )
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(waiting), inspector.timeout + 1.0)

    def _renew(self, roster: Roster, rows: Sequence[Row]) -> None:
        """Have the workers that are shown tell anew what has become old; the page hears of it when they did."""
        names = [row.name for row in rows if row.online and roster.due(self.cluster, row.name, FRESH_SECONDS)]
        if names:
            self.cluster.inspector.inspect(names, FRESH_SECONDS)
