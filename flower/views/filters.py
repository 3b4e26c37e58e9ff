"""The view of the task list that an address describes: filters, order, page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import datetime, tzinfo
from typing import Any

import pytz

from flower.store import BY_NAME, TaskQuery
from flower.utils.arguments import ArgumentError, moment, one_of, within
from flower.utils.search import parse_query

PAGE_SIZES = (15, 30, 50, 100)
RANGES: tuple[tuple[str, str, float], ...] = (
    ("15m", "Last 15 minutes", 900.0),
    ("1h", "Last hour", 3600.0),
    ("24h", "Last 24 hours", 86_400.0),
    ("7d", "Last 7 days", 604_800.0),
)
"""Word in the address, its label, its length in seconds."""

SORTABLE = tuple(name for name, column in BY_NAME.items() if column.kind != "json")
OFFSET_AT_MOST = 10**9
NAIVE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


@dataclass(frozen=True, slots=True)
class View:
    """What the address of the task list says; an empty text is no filter."""

    search: str = ""
    name: str = ""
    state: str = ""
    worker: str = ""
    range: str = ""
    start: str = ""
    end: str = ""
    tz: str = ""
    sort: str = "-received"
    limit: int = PAGE_SIZES[0]
    offset: int = 0

    @classmethod
    def read(cls, argument: Callable[..., Any], zone: tzinfo) -> View:
        """The view that a request asks for; ArgumentError when it makes no sense.

        `start` and `end` without an offset are in the zone that `tz` names, else in `zone`.
        """
        texts = {name: argument(name, "") or "" for name in ("search", "name", "state", "worker", "start", "end", "tz")}
        for name in ("name", "state", "worker"):
            # "All" is what 2.x calls no filter.
            texts[name] = "" if texts[name] == "All" else texts[name]
        texts["tz"] = texts["tz"] or str(zone)
        preset = argument("range", "") or ""
        sort = argument("sort", "") or BLANK["sort"]
        one_of("sort", sort.removeprefix("-"), SORTABLE)
        if preset:
            one_of("range", preset, tuple(word for word, _, _ in RANGES))
        limit = within("limit", argument("limit", BLANK["limit"], type=int), 1, PAGE_SIZES[-1])
        offset = within("offset", max(0, argument("offset", 0, type=int)), 0, OFFSET_AT_MOST)
        view = cls(**texts, range=preset, sort=sort, limit=limit, offset=offset)
        view.received()
        return view

    @property
    def sort_by(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list."""
        return any((self.search, self.name, self.state, self.worker, self.range, self.start, self.end))

    def received(self) -> tuple[float | None, float | None]:
        """First and last moment of the range."""
        start, end = self._moment("start"), self._moment("end")
        length = next((seconds for word, _, seconds in RANGES if word == self.range), None)
        if length is not None and start is None:
            start = time.time() - length
        return start, end

    def _moment(self, name: str) -> float | None:
        text = getattr(self, name)
        if not text:
            return None
        if NAIVE.fullmatch(text) and self.tz in pytz.all_timezones_set:
            try:
                return pytz.timezone(self.tz).localize(datetime.fromisoformat(text)).timestamp()
            except (ValueError, OverflowError):
                raise ArgumentError(f"Invalid {name} {text!r}, expected a time like 2026-11-21T10:30") from None
        return moment(name, text)

    def query(self) -> TaskQuery:
        """The question to the store. Raises QuerySyntaxError."""
        start, end = self.received()
        return TaskQuery(
            name=self.name or None,
            state=self.state or None,
            worker=self.worker or None,
            received_start=start,
            received_end=end,
            search=parse_query(self.search) if self.search else None,
            sort_by=self.sort_by,
            descending=self.descending,
            limit=self.limit,
            offset=self.offset,
        )

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The arguments of the address of this view with some of them changed; defaults are left out.

        A changed filter or order begins at the first page again.
        """
        if "offset" not in changes:
            changes["offset"] = 0
        changed = replace(self, **changes)
        given = {each.name: getattr(changed, each.name) for each in fields(self)}
        if not (changed.start or changed.end):
            del given["tz"]
        return {name: value for name, value in given.items() if value != BLANK[name]}

    def sorted_by(self, column: str) -> dict[str, Any]:
        """The arguments of the list sorted by a column; by the sorted one again: the other way round."""
        if column == self.sort_by:
            return self.arguments(sort=column if self.descending else f"-{column}")
        kind = BY_NAME[column].kind
        return self.arguments(sort=f"-{column}" if kind in ("time", "seconds", "integer") else column)


BLANK: dict[str, Any] = {each.name: each.default for each in fields(View)}
