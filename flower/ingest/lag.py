"""How far behind the workers we are."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median_low
from typing import Any

SAMPLES = 9


def lag_of(events: Sequence[Any], now: float) -> float:
    """How old the events of a batch are, in seconds: the median of some, so that no single clock that is wrong counts.

    Clocks that are ahead of ours make no lag.
    """
    step = max(1, len(events) // SAMPLES)
    times = [event.get("timestamp") for event in events[::step] if event.__class__ is dict]
    ages = [now - time for time in times if time.__class__ is float]
    return max(0.0, median_low(ages)) if ages else 0.0
