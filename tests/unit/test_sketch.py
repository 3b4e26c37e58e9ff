"""Sketches: percentiles of durations within two percent."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.store import sketch

durations = st.lists(st.floats(2e-6, 9e6), min_size=1, max_size=200)
shares = st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0])


def sketched(seconds: list[float]) -> sketch.Sketch:
    return dict(Counter(map(sketch.bucket_of, seconds)))


@given(durations, shares)
def test_percentiles_are_within_two_percent(seconds: list[float], share: float) -> None:
    """Any percentile is within 2% of the true one."""
    true = sorted(seconds)[max(1, math.ceil(len(seconds) * share)) - 1]
    assert sketch.percentile(sketched(seconds), share) == pytest.approx(true, rel=0.02)


@given(durations)
def test_mean_is_within_two_percent(seconds: list[float]) -> None:
    """The average is within 2% of the true one."""
    assert sketch.mean(sketched(seconds)) == pytest.approx(sum(seconds) / len(seconds), rel=0.02)


@given(durations, durations)
def test_merging_is_counting_together(some: list[float], others: list[float]) -> None:
    """Two sketches added are the sketch of all."""
    both = sketched(some)
    sketch.add(both, sketched(others))
    assert sketched(some + others) == both


@given(durations)
def test_stored_text_comes_back(seconds: list[float]) -> None:
    """A sketch survives being stored."""
    assert sketched(seconds) == sketch.unpack(sketch.pack(sketched(seconds)))


@pytest.mark.parametrize("seconds, shown", [(0.0, 0.0), (-1.0, 0.0), (1e-9, 0.0)])
def test_next_to_nothing(seconds: float, shown: float) -> None:
    """Durations below a microsecond are shown as none."""
    assert shown == sketch.value_of(sketch.bucket_of(seconds))


def test_endless() -> None:
    """Infinity counts as the longest duration that is told apart."""
    assert sketch.bucket_of(sketch.MOST_SECONDS) == sketch.bucket_of(math.inf)


def test_nothing() -> None:
    """Without durations there is no percentile and no average."""
    assert (None, None, None) == (sketch.percentile({}, 0.5), sketch.mean({}), sketch.pack({}))
