"""What charts are drawn from, spans of time, and short figures."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flower.store.recent import KEPT_SECONDS, Recent
from flower.store.rollup_rows import Cell
from flower.store.sketch import bucket_of
from flower.store.stats import Stats
from flower.utils.arguments import ArgumentError
from flower.utils.figures import format_rate, format_share, format_short
from flower.views.charts import Chart, Series, sparkline
from flower.views.names import name_rows
from flower.views.trends import Reading, Window, charts, read_window

NOW = 1_795_242_217.5
"""06:23:37.5 UTC."""


def window(**given: str) -> Window:
    return read_window(given.get, NOW)


def reading(**states: int) -> Reading:
    """Two minutes: nothing was counted in the first, these states in the second."""
    cell = Cell(dict(states), {bucket_of(0.5): 2}, {})
    series = {60: Cell(), 120: cell}
    stats = Stats(cell, {"a": cell, "b": Cell({"FAILURE": 9})}, series, {"a": {120: states}}, since=120)
    return Reading(Window("1h", 60, 180.0, 60, 2.0), stats, 60, series)


# -- the JSON of a chart


def test_shape() -> None:
    """A chart tells its span, its steps and its series."""
    series = Series("SUCCESS", "Succeeded", "good", [1, None], "/tasks", "bars")
    told = {"name": "SUCCESS", "label": "Succeeded", "tone": "good", "values": [1, None]}
    assert {
        "start": 0,
        "end": 20,
        "step": 10,
        "unit": "",
        "x": [0, 10],
        "series": [{**told, "link": "/tasks", "kind": "bars"}],
    } == Chart("c", "C", 0, 20, 10, [0, 10], [series]).shape()


def test_embedded_json_cannot_end_its_element() -> None:
    """What stands in a page is the same JSON, and holds no tag."""
    chart = Chart("c", "C", 0, 10, 10, [0], [Series("</script>", "<b>", "good", [1])])
    assert (False, chart.shape()) == ("<" in chart.embedded(), json.loads(chart.embedded()))


def test_rows_of_the_table() -> None:
    """The table has the newest step first."""
    chart = Chart("c", "C", 0, 20, 10, [0, 10], [Series("a", "A", "good", [1, 2]), Series("b", "B", "bad", [3, 4])])
    assert [(10, [2, 4]), (0, [1, 3])] == chart.rows


def test_charts_of_a_reading() -> None:
    """Steps before counting began are unknown, not zero; percentiles of nothing are too."""
    drawn = charts(reading(SUCCESS=3, FAILURE=1), "/p/tasks", "/p/")
    values = {name: [series["values"] for series in drawn[name].shape()["series"]] for name in ("ended", "waiting")}
    assert {"ended": [[None, 3], [None, 1], [None, 0]], "waiting": [[None, None]] * 3} == values


def test_links_of_a_chart() -> None:
    """A point leads to the tasks of that state whose time is within its step."""
    chart = charts(reading(), "/p/tasks", "/p/")["failed"]
    assert "/p/tasks?state=FAILURE&search=failed:%3E%3D{start}+failed:%3C{end}" == chart.series[0].link


def test_source_of_a_chart() -> None:
    """A window that ends now can be asked for again, one of the past need not be."""
    live = charts(reading(), "/tasks", "/")["ended"].source
    past = Reading(Window("", 60, 180.0, 60, 5.0), Stats(), 60, {})
    assert ("/?chart=all", "") == (live, charts(past, "/tasks", "/")["ended"].source)


# -- task names


@pytest.mark.parametrize("order, first", [("ended", "b"), ("failed", "b"), ("p95", "a"), ("total", "a")])
def test_order_of_names(order: str, first: str) -> None:
    """Names are ordered by what was asked, and no more are told than were."""
    assert [first] == [row.name for row in name_rows(reading(SUCCESS=3), order, 1)]


def test_row_of_a_name() -> None:
    """A name tells its tasks, their durations and what they add up to."""
    (row,) = name_rows(reading(SUCCESS=3, FAILURE=1), "p95", 1)
    assert (4, 1, 0.25, pytest.approx(1.0, rel=0.02)) == (row.ended, row.failed, row.share, row.total)


# -- sparklines


def test_sparkline_reaches_from_nothing_to_the_greatest() -> None:
    """Zero is at the foot, the greatest value at the top."""
    assert 'class="spark-line" d="M24.0 23.0L72.0 1.0"' in sparkline([0, 5])


def test_sparkline_has_gaps() -> None:
    """What is not known is not drawn."""
    assert 2 == sparkline([1, 1, None, 2, 3]).count("spark-line")


@pytest.mark.parametrize("values", [[], [None], [0, 0]])
def test_sparkline_of_nothing(values: list[float | None]) -> None:
    """Nothing can be drawn too."""
    assert sparkline(values, kind="bars").endswith("></svg>")


def test_sparkline_label_is_escaped() -> None:
    """A label is text, whatever it holds."""
    assert 'aria-label="&quot;&gt;&lt;b&gt;"' in sparkline([1], '"><b>')


# -- spans of time


def test_default_window() -> None:
    """An hour of whole minutes that ends now, with a plain address."""
    assert (1_795_238_580, NOW, 60, {}) == (window().start, window().end, window().step, window().arguments)


@pytest.mark.parametrize("word, start, step", [("5m", 1_795_241_880, 5), ("24h", 1_795_154_400, 3600)])
def test_windows_begin_with_a_whole_step(word: str, start: int, step: int) -> None:
    """The first point of a chart is as long as every other."""
    found = window(window=word)
    assert (start, step, {"window": word}) == (found.start, found.step, found.arguments)


def test_own_span() -> None:
    """A span that was dragged is widened to whole steps, and its address keeps it."""
    found = window(start="2026-11-21T05:10:20Z", end="2026-11-21T05:50:10Z")
    assert (1_795_237_800, 1_795_240_260, 60, False) == (found.start, found.end, found.step, found.live)
    assert found == window(**found.arguments)


def test_short_span_of_late_has_fine_steps() -> None:
    """The last minutes are known by the second."""
    assert 5 == window(start=str(NOW - 300), end=str(NOW - 60)).step


def test_long_span_has_few_points() -> None:
    """A month is told by the day, more or less."""
    found = window(start=str(NOW - 29 * 86_400))
    assert (found.end - found.start) / found.step <= 101


@pytest.mark.parametrize(
    "given",
    [{"window": "2h"}, {"start": "x"}, {"start": "20", "end": "10"}, {"start": "1e9", "end": "1.1e9"}, {"start": "-5"}],
)
def test_wrong_spans(given: dict[str, str]) -> None:
    """A span that cannot be is refused, not guessed."""
    with pytest.raises(ArgumentError):
        window(**given)


def test_search_of_a_window() -> None:
    """The tasks of a window can be searched for."""
    past = window(start="2026-11-21T05:10:00Z", end="2026-11-21T05:20:00Z")
    assert "failed:>=2026-11-21T05:10:00Z failed:<2026-11-21T05:20:00Z" == past.search("failed")


# -- the last minutes


def test_recent_steps() -> None:
    """Events count in the step of five seconds in which they came."""
    recent = Recent()
    recent.count({"task-failed": 2}, [7], [], 101.0)
    recent.count({"task-failed": 1}, [], [3], 104.9)
    recent.count({"task-sent": 1}, [], [], 105.0)
    steps = recent.between(100, 110)
    assert ([100, 105], {"task-failed": 3}, {7: 1}, {3: 1}) == (
        list(steps),
        steps[100].events,
        steps[100].runtime,
        steps[100].waiting,
    )


def test_recent_is_bounded() -> None:
    """Old steps are given up."""
    recent = Recent()
    for at in range(0, 2 * KEPT_SECONDS, 5):
        recent.count({"task-sent": 1}, [], [], at)
    assert KEPT_SECONDS // 5 == len(recent.between(0, 10_000))


# -- figures


@pytest.mark.parametrize(
    "seconds, text",
    [
        (None, ""),
        (0.0, "0 µs"),
        (0.00034, "340 µs"),
        (0.0012, "1.2 ms"),
        (4.512, "4.51 s"),
        (80, "1m 20s"),
        (7500, "2h 5m"),
        (3600, "1h"),
        (90_000, "1d 1h"),
    ],
)
def test_short_durations(seconds: float | None, text: str) -> None:
    """Three digits at most."""
    assert text == format_short(seconds)


@pytest.mark.parametrize("rate, text", [(12345.6, "12,346/s"), (12.44, "12.4/s"), (0.05, "3/min"), (0, "0/h")])
def test_rates(rate: float, text: str) -> None:
    """A rate is told in the unit in which it is at least one."""
    assert text == format_rate(rate)


@pytest.mark.parametrize(
    "share, text", [(None, ""), (0, "0%"), (0.0004, "<0.1%"), (0.064, "6.4%"), (0.5, "50%"), (1, "100%")]
)
def test_shares(share: Any, text: str) -> None:
    """A small share has a decimal, and none that exists is told as zero."""
    assert text == format_share(share)
