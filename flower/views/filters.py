"""The view of the task list that an address describes: filters, order, page."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, tzinfo
from typing import Any

import pytz

from flower.store import BY_NAME, Cursor, TaskQuery
from flower.utils.arguments import ArgumentError, moment, one_of, within
from flower.utils.search import parse_query
from flower.utils.texts import say
from flower.views.places import place_of

PAGE_SIZES = (15, 30, 50, 100)
PAGE_SIZE = 50
RANGES: tuple[tuple[str, str, float], ...] = (
    ("15m", say("tasks.range.15m"), 900.0),
    ("1h", say("tasks.range.1h"), 3600.0),
    ("24h", say("tasks.range.24h"), 86_400.0),
    ("7d", say("tasks.range.7d"), 604_800.0),
)
"""Word in the address, its label, its length in seconds."""

SORTABLE = tuple(name for name, column in BY_NAME.items() if column.kind != "json")
FILTERS = ("name", "state", "worker", "queue")
"""Arguments that are the whole value of the column of the same name."""
RANGE_STEP_SECONDS = 5.0
"""A range that ends now moves by so much, that what was counted for one visitor holds for the next."""
END = "end"
"""As `before`: the last page."""
OFFSET_AT_MOST = 10**9
NAIVE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?")


@dataclass(frozen=True, slots=True)
class View:
    """What the address of the task list says; an empty text is no filter."""

    search: str = ""
    name: str = ""
    state: str = ""
    worker: str = ""
    queue: str = ""
    range: str = ""
    start: str = ""
    end: str = ""
    tz: str = ""
    sort: str = "-received"
    columns: str = ""
    limit: int = PAGE_SIZE
    after: str = ""
    before: str = ""
    offset: int = 0

    @classmethod
    def read(cls, argument: Callable[..., Any], zone: tzinfo) -> View:
        """The view that a request asks for; ArgumentError when it makes no sense.

        `start` and `end` without an offset are in the zone that `tz` names, else in `zone`.
        """
        words = ("search", *FILTERS, "start", "end", "tz", "columns", "after", "before")
        texts = {name: argument(name, "") or "" for name in words}
        for name in FILTERS:
            # "All" is what 2.x calls no filter.
            texts[name] = "" if texts[name] == "All" else texts[name]
        texts["tz"] = texts["tz"] or str(zone)
        preset = argument("range", "") or ""
        if preset:
            one_of("range", preset, tuple(word for word, _, _ in RANGES))
        sort = argument("sort", "") or BLANK["sort"]
        one_of("sort", sort.removeprefix("-"), SORTABLE)
        limit = within("limit", argument("limit", BLANK["limit"], type=int), 1, PAGE_SIZES[-1])
        offset = within("offset", max(0, argument("offset", 0, type=int)), 0, OFFSET_AT_MOST)
        # Exact times say more than a preset.
        preset = "" if texts["start"] or texts["end"] else preset
        view = cls(**texts, range=preset, sort=sort, limit=limit, offset=offset)
        view.received()
        view.place()
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
        return any((self.search, *(getattr(self, name) for name in FILTERS), self.range, self.start, self.end))

    @property
    def first_page(self) -> bool:
        """Whether the list begins at its beginning."""
        return not (self.after or self.before or self.offset)

    def place(self) -> tuple[Cursor | None, bool]:
        """The place where the page begins, and whether it goes backward from there."""
        if self.before:
            return (None if self.before == END else place_of("before", self.before)), True
        return (place_of("after", self.after) if self.after else None), False

    def received(self) -> tuple[float | None, float | None]:
        """First and last moment of the range."""
        start, end = self._moment("start"), self._moment("end")
        length = next((seconds for word, _, seconds in RANGES if word == self.range), None)
        if length is not None and start is None:
            start = (time.time() - length) // RANGE_STEP_SECONDS * RANGE_STEP_SECONDS
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

    def local(self, name: str) -> str:
        """`start` or `end` as a field for a local time takes it; empty when it is not set."""
        seconds = self._moment(name)
        if seconds is None:
            return ""
        zone = pytz.timezone(self.tz) if self.tz in pytz.all_timezones_set else pytz.utc
        try:
            return datetime.fromtimestamp(seconds, zone).strftime("%Y-%m-%dT%H:%M:%S")
        except (ValueError, OverflowError, OSError):
            return ""

    def query(self) -> TaskQuery:
        """The question to the store. Raises QuerySyntaxError."""
        start, end = self.received()
        return TaskQuery(
            name=self.name or None,
            state=self.state or None,
            worker=self.worker or None,
            queue=self.queue or None,
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
        given = {name: getattr(self, name) for name in BLANK} | {"offset": 0, "after": "", "before": ""} | changes
        if not (given["start"] or given["end"]):
            del given["tz"]
        return {name: value for name, value in given.items() if value != BLANK[name]}

    def without(self, *names: str) -> dict[str, Any]:
        """The arguments without these filters."""
        return self.arguments(**{name: BLANK[name] for name in names})

    def here(self) -> dict[str, Any]:
        """The arguments of this very page."""
        return self.arguments(offset=self.offset, after=self.after, before=self.before)

    def sorted_by(self, column: str) -> dict[str, Any]:
        """The arguments of the list sorted by a column; by the sorted one again: the other way round."""
        if column == self.sort_by:
            return self.arguments(sort=column if self.descending else f"-{column}")
        kind = BY_NAME[column].kind
        return self.arguments(sort=f"-{column}" if kind in ("time", "seconds", "integer") else column)


BLANK: dict[str, Any] = {each.name: each.default for each in fields(View)}
