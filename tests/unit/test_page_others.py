"""One task beside its equals, and what the result backend's answers mean."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flower.store import Task
from flower.store.rollup_rows import Cell
from flower.store.sketch import Sketch, bucket_of
from flower.store.stats import Stats
from flower.views.others import others_of, standing
from flower.views.record import record_of


def sketch(*seconds: float) -> Sketch:
    found: Sketch = {}
    for each in seconds:
        found[bucket_of(each)] = found.get(bucket_of(each), 0) + 1
    return found


@pytest.mark.parametrize(
    "seconds, words",
    [
        (9.5, "longer than 90% of them"),
        (0.5, "shorter than 99% of them"),
        (5.0, "shorter than 55% of them"),
        (None, ""),
    ],
)
def test_place_in_words(seconds: float | None, words: str) -> None:
    """A duration has its place among those of its name."""
    assert words == standing(sketch(*map(float, range(1, 11))), seconds).words


def test_single_run_is_not_compared() -> None:
    """One run alone is neither long nor short."""
    assert "" == standing(sketch(1.0), 1.0).words


def test_failure_share() -> None:
    """The share of failures is that among those that ended."""
    stats = Stats(Cell({"SUCCESS": 3, "FAILURE": 1, "RECEIVED": 9}, sketch(1.0), {}), since=0)
    found = others_of(stats, Task.of({"uuid": "u", "runtime": 1.0}), 100.0)
    assert (4, 0.25, None) == (found.ended, found.failure_share, found.since)


def test_counting_since() -> None:
    """When counting began later than the span, that is told."""
    assert 200 == others_of(Stats(since=200), Task.of({"uuid": "u"}), 100.0).since


ANSWER: dict[str, Any] = {"task-id": "u", "state": "SUCCESS", "result": {"a": 1}, "traceback": None, "known": True}


def told(expires: Any = timedelta(days=1), **more: Any) -> str:
    answer = {**ANSWER, "stored": True, "expired": False, "date_done": None, **more}
    return record_of(answer, expires).words


@pytest.mark.parametrize(
    "more, words",
    [
        ({}, "The backend keeps this result"),
        ({"state": "FAILURE", "result": "E()"}, "The backend keeps this error"),
        ({"state": "STARTED"}, "has no result yet"),
        ({"stored": False, "state": "STARTED"}, "the task has not ended"),
        ({"stored": False}, "ignores its result"),
        ({"stored": False, "expired": True}, "it has expired. It keeps results for 24 hours"),
        ({"stored": False, "known": False, "state": "PENDING"}, "no record of this id"),
        ({"stored": False, "expired": True, "expires": 90}, "for 1m 30s"),
    ],
)
def test_answers_in_words(more: dict[str, Any], words: str) -> None:
    """Every answer of the backend is told in words."""
    assert words in told(**more)
