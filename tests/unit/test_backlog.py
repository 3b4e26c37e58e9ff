"""What the depths of a queue mean."""

from __future__ import annotations

from typing import Any

import pytest

from flower.backlog import Trend, columns_of, flags_of, query_for, rank_of, span_text, step_for, steps_of, trend_of
from flower.queues import Queue, QueueReport


def every_ten_seconds(*values: int) -> list[tuple[float, int]]:
    return [(1000.0 + 10 * number, value) for number, value in enumerate(values)]


@pytest.mark.parametrize(
    "values, expected",
    [
        (range(0, 310, 10), Trend(300, 300.0)),
        (range(300, -10, -10), Trend(-300, 300.0)),
        (range(0, 50, 5), Trend(45, 90.0)),
        ([5] * 31, None),
        ([], None),
        ([0, 100, 200], None),
        ([0] * 30 + [500], None),
        ([0, 500] + [0] * 28 + [100], None),
        (range(100_000, 100_031), None),
        ([0, 9] * 15, None),
        (range(8), None),
    ],
    ids=["grows", "shrinks", "young", "steady", "nothing", "too few", "burst", "noise", "small share", "swing", "few"],
)
def test_trend(values: Any, expected: Trend | None) -> None:
    """A queue grows or shrinks when it does so steadily, and by enough to matter."""
    assert expected == trend_of(every_ten_seconds(*values))


def test_trend_over_long() -> None:
    """How long it has been growing is told, up to half an hour."""
    trend = trend_of(every_ten_seconds(*range(0, 4000, 10)))
    assert Trend(1800, 1800.0) == trend


def test_trend_that_turned() -> None:
    """What happens now counts, not what happened before."""
    up, down = list(range(0, 3000, 10)), list(range(3000, 2600, -10))
    trend = trend_of(every_ten_seconds(*up, *down))
    assert trend is not None
    assert trend.change < 0


def test_empty_in() -> None:
    """A queue that shrinks tells when it will be empty; one that grows never."""
    assert (50.0, None) == (Trend(-60, 30.0).empty_in(100), Trend(60, 30.0).empty_in(100))


def flags(
    trend: Trend | None = None, untold: tuple[str, ...] = (), workers: int = 1, **queue: Any
) -> list[tuple[str, str]]:
    report = QueueReport([], None, 0.0, untold=untold, workers=workers)
    return [(flag.kind, flag.tone) for flag in flags_of(Queue("q", **queue), report, trend)]


GROWS = Trend(300, 300.0)


@pytest.mark.parametrize(
    "facts, expected",
    [
        ({"ready": 5, "consumers": ["w1"]}, []),
        ({"ready": 5, "connections": 2}, []),
        ({"ready": 5}, [("unconsumed", "bad")]),
        ({"ready": 5, "connections": 0}, [("unconsumed", "bad")]),
        ({"ready": 0}, [("unconsumed", "muted")]),
        ({"ready": None}, [("unconsumed", "muted")]),
        ({"ready": 5, "untold": ("w2",)}, [("unknown", "warn")]),
        ({"ready": 0, "untold": ("w2",)}, [("unknown", "muted")]),
        ({"ready": 5, "connections": 0, "untold": ("w2",)}, [("unconsumed", "bad")]),
        ({"ready": 5, "consumers": ["w1"], "trend": GROWS}, [("growing", "warn")]),
        ({"ready": 5, "trend": GROWS}, [("unconsumed", "bad"), ("growing", "warn")]),
        ({"ready": 5, "consumers": ["w1"], "trend": Trend(-300, 300.0)}, []),
    ],
)
def test_flags(facts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Nobody consumes it, nobody could be asked, it grows: each only where it is sure."""
    assert expected == flags(**facts)


def test_just_started() -> None:
    """Before the workers were heard nothing is said about them."""
    report = QueueReport([], None, 0.0, settled=False)
    assert ["unknown"] == [flag.kind for flag in flags_of(Queue("q", ready=5), report, None)]


def test_words() -> None:
    """A flag says by how much and over how long."""
    report = QueueReport([], None, 0.0, workers=1)
    found = flags_of(Queue("q", ready=5), report, GROWS)
    assert ["the one worker does not", "+300 in 5 min, 1 a second"] == [flag.detail for flag in found]


def test_rank() -> None:
    """A queue is as bad as its worst flag."""
    report = QueueReport([], None, 0.0)
    ranks = [
        rank_of(flags_of(queue, report, trend))
        for queue, trend in (
            (Queue("a", ready=5), GROWS),
            (Queue("b", ready=5, consumers=["w"]), GROWS),
            (Queue("c"), None),
            (Queue("d", consumers=["w"]), None),
        )
    ]
    assert sorted(ranks) == ranks
    assert len(set(ranks)) == 4


@pytest.mark.parametrize(
    "seconds, text", [(50.0, "50 s"), (60, "1 min"), (300, "5 min"), (7200, "2 h"), (3 * 86400, "3 d"), (86400, "24 h")]
)
def test_span_text(seconds: float, text: str) -> None:
    """Spans are told in the unit that suits them."""
    assert text == span_text(seconds)


@pytest.mark.parametrize("seconds, step", [(300, 10), (3600, 10), (86_400, 300), (604_800, 1800), (2_592_000, 7200)])
def test_step(seconds: float, step: int) -> None:
    """A chart has at most some hundred points."""
    assert step == step_for(seconds)


def test_columns() -> None:
    """Every step has its place; what was not sampled is a gap."""
    query = query_for(1001.0, 1050.0, 10, "q")
    told = columns_of([(1010, 3, None, 1), (1040, 5, 2, 0), (9999, 1, 1, 1)], query)
    assert ([1000, 1010, 1020, 1030, 1040], [None, 3, None, None, 5], [None, None, None, None, 2]) == (
        steps_of(query),
        told.ready,
        told.unacked,
    )
