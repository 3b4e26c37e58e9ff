"""What happened over time, as the overview shows it: read from the rollups, drawn as charts, listed by task name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flower.store import Store
from flower.store.recent import KEPT_SECONDS, STEP_SECONDS, Step
from flower.store.rollup_rows import MINUTE, Cell
from flower.store.rollups import RETENTION_SECONDS, STATES
from flower.store.sketch import percentile
from flower.store.stats import Stats, StatsQuery
from flower.utils.arguments import ArgumentError, moment, one_of
from flower.utils.template import iso_time
from flower.utils.texts import say
from flower.views.charts import Chart, Series

WINDOWS: dict[str, tuple[str, int, int, float]] = {
    "5m": (say("overview.window.5m"), 300, STEP_SECONDS, 2.0),
    "1h": (say("overview.window.1h"), 3600, 60, 2.0),
    "24h": (say("overview.window.24h"), 86_400, 3600, 15.0),
    "7d": (say("overview.window.7d"), 604_800, 7200, 60.0),
}
"""Word in the address -> label, length and step in seconds, and for how many seconds an answer is good."""

FINE_STEPS = (5, 10, 15, 30)
STEPS = (60, 120, 300, 3600, 7200, 14_400, 21_600, 43_200, 86_400)
"""Up to an hour the minutes are read, beyond it the sums of hours: a day of minutes would take a second."""
POINTS = 100
SPAN_LEAST = 60
TIME_MOST = 4e9

SHARES = (("p50", 0.50, "low"), ("p95", 0.95, "info"), ("p99", 0.99, "warn"))
OUTCOMES = (
    ("SUCCESS", say("overview.outcome.succeeded"), "good", "succeeded"),
    ("FAILURE", say("overview.outcome.failed"), "bad", "failed"),
    ("RETRY", say("overview.outcome.retried"), "warn", "retried"),
)
"""State, label, tone, and the search word of its time."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of whole steps; `word` is empty for one of its own. `live`: it ends now."""

    word: str
    start: int
    end: float
    step: int
    good_seconds: float

    @property
    def live(self) -> bool:
        return bool(self.word)

    @property
    def arguments(self) -> dict[str, str]:
        """The arguments of its address; none for the default."""
        if self.word:
            return {} if self.word == "1h" else {"window": self.word}
        return {"start": str(self.start), "end": f"{self.end:g}" if self.end % 1 else str(int(self.end))}

    def search(self, word: str) -> str:
        """The search for tasks whose time of that name is within."""
        return f"{word}:>={_iso(self.start)}" + ("" if self.live else f" {word}:<{_iso(self.end)}")


def _iso(seconds: float) -> str:
    return iso_time(seconds).replace(".000Z", "Z")


def read_window(argument: Callable[..., Any], now: float) -> Window:
    """The window that an address asks for: `window`, or `start` and `end`. Raises ArgumentError."""
    start, end = argument("start", ""), argument("end", "")
    if not start and not end:
        word = one_of("window", argument("window", "") or "1h", tuple(WINDOWS))
        _, length, step, good = WINDOWS[word]
        whole = max(step, MINUTE)
        return Window(word, int((now - length) // whole) * whole, now, step, good)
    first = moment("start", start) if start else now - 3600
    last = min(now, moment("end", end)) if end else now
    if not 0 <= first < TIME_MOST or not first < last:
        raise ArgumentError("Invalid start, it must be before end, and end not in the future", "start")
    if last - first > RETENTION_SECONDS:
        raise ArgumentError(f"Invalid start, statistics are kept for {RETENTION_SECONDS // 86_400} days", "start")
    last = max(last, first + SPAN_LEAST)
    step = _step(first, last, now)
    whole = max(step, MINUTE)
    return Window("", int(first // whole) * whole, min(-(-last // whole) * whole, now), step, 5.0)


def _step(first: float, last: float, now: float) -> int:
    fine = FINE_STEPS if first > now - KEPT_SECONDS + MINUTE else ()
    return next((step for step in (*fine, *STEPS) if (last - first) / step <= POINTS), STEPS[-1])


@dataclass(frozen=True, slots=True)
class Reading:
    """What was counted in a window: `series` by the beginning of each step of `step` seconds."""

    window: Window
    stats: Stats
    step: int
    series: Mapping[int, Cell]

    @property
    def since(self) -> float:
        """The beginning of what could be counted in the window."""
        return max(self.window.start, self.stats.since or 0)

    @property
    def seconds(self) -> float:
        """For how long something could be counted."""
        return max(1.0, self.window.end - self.since)


def read(store: Store, window: Window, heard_since: float) -> Reading:
    """What was counted; `heard_since` is when this process began. May block."""
    coarse = max(window.step, MINUTE)
    query = StatsQuery(window.start, window.end, step=coarse, lines=True)
    stats = store.stats(query)
    fine = window.step < MINUTE and int(heard_since // MINUTE) * MINUTE <= max(window.start, stats.since or 0)
    if not fine:
        return Reading(window, stats, coarse, stats.series)
    series = {at: Cell() for at in range(window.start, int(window.end) + 1, window.step)}
    for at, step in store.rollups.recent.between(window.start, window.end).items():
        _count(series.setdefault(at // window.step * window.step, Cell()), step)
    return Reading(window, stats, window.step, dict(sorted(series.items())))


def _count(cell: Cell, step: Step) -> None:
    for type_, number in step.events.items():
        cell.add_state(STATES.get(type_) or type_[5:].upper(), number)
    for bucket, number in step.runtime.items():
        cell.runtime[bucket] = cell.runtime.get(bucket, 0) + number
    for bucket, number in step.waiting.items():
        cell.waiting[bucket] = cell.waiting.get(bucket, 0) + number


# Charts


def charts(reading: Reading, tasks: str, page: str) -> dict[str, Chart]:
    """The charts of the overview; `tasks` and `page` are the addresses of the list and of the overview."""
    cells = list(reading.series.values())
    outcomes = [
        Series(state, label, tone, _counts(reading, state), _link(tasks, state, word))
        for state, label, tone, word in OUTCOMES
    ]
    received = Series(
        "RECEIVED",
        say("overview.outcome.received"),
        "info",
        _counts(reading, "RECEIVED"),
        _link(tasks, "", "received"),
        "line",
    )
    waiting = _percentiles(_link(tasks, "", "started"), [cell.waiting for cell in cells])
    runtime = _percentiles(_link(tasks, "SUCCESS", "succeeded"), [cell.runtime for cell in cells])
    series = {"ended": [*outcomes[:2], received], "failed": outcomes[1:], "waiting": waiting, "runtime": runtime}
    return {slug: _chart(slug, reading, page, each) for slug, each in series.items()}


def _chart(slug: str, reading: Reading, page: str, series: list[Series]) -> Chart:
    window, timed = reading.window, slug in ("waiting", "runtime")
    per = _per(reading.step)
    return Chart(
        slug=slug,
        title=say(f"overview.chart.{slug}"),
        start=window.start,
        end=window.end,
        step=reading.step,
        x=list(reading.series),
        series=series,
        unit="s" if timed else "",
        kind="line" if timed else "bars",
        stacked=not timed,
        log=timed,
        source=f"{page}?{urlencode(window.arguments | {'chart': 'all'})}" if window.live else "",
        zoom=page,
        sync="overview",
        explained=say(f"overview.chart.{slug}.help"),
        note=say("overview.chart.log") if timed else per,
        empty=say(f"overview.chart.{slug}.none"),
    )


def _counts(reading: Reading, state: str) -> list[float | None]:
    """How many tasks entered the state in each step; None before counting began."""
    since = reading.stats.since
    known = (since is not None and at + reading.step > since for at in reading.series)
    return [cell.states.get(state, 0) if it else None for it, cell in zip(known, reading.series.values(), strict=True)]


def _percentiles(link: str, sketches: Sequence[Mapping[int, int]]) -> list[Series]:
    return [
        Series(name, name, tone, [percentile(each, share) for each in sketches], link) for name, share, tone in SHARES
    ]


def _link(tasks: str, state: str, word: str) -> str:
    """The list of the tasks that did it within a step. Retried and received ones have gone on since."""
    search = f"{word}:>={{start}} {word}:<{{end}}"
    given = {"state": state if state in ("SUCCESS", "FAILURE") else "", "search": search}
    return f"{tasks}?{urlencode({name: value for name, value in given.items() if value}, safe='{}:')}"


UNITS = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def _per(seconds: int) -> str:
    """Of each step: per minute, per 5 minutes."""
    size, name = next(unit for unit in UNITS if seconds >= unit[0])
    return say(f"overview.chart.per.{name}", count=seconds // size)
