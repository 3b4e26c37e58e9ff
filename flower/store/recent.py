"""What happened in the last minutes, in steps of seconds: for charts of a span too short for rollups.

In memory only, and only what this process heard. Who tells of events counts, the web threads read.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

STEP_SECONDS = 5
KEPT_SECONDS = 1200
"""240 steps of at most some 10 KB each."""


@dataclass(slots=True)
class Step:
    """Events of each type, and how many durations fell into each bucket of a sketch."""

    events: Counter[str] = field(default_factory=Counter)
    runtime: Counter[int] = field(default_factory=Counter)
    waiting: Counter[int] = field(default_factory=Counter)


class Recent:
    """Counters of each step, the oldest given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: dict[int, Step] = {}

    def count(self, types: Mapping[str, int], runtimes: Iterable[int], waits: Iterable[int], now: float) -> None:
        """Count a batch of events: how many of each type, and the buckets of their durations."""
        start = int(now // STEP_SECONDS) * STEP_SECONDS
        with self._lock:
            step = self._steps.get(start)
            if step is None:
                step = self._steps[start] = Step()
                for old in [at for at in self._steps if at <= start - KEPT_SECONDS]:
                    del self._steps[old]
            step.events.update(types)
            step.runtime.update(runtimes)
            step.waiting.update(waits)

    def between(self, start: float, end: float) -> dict[int, Step]:
        """A copy of the steps that begin in the span, by their beginnings; those without events are missing."""
        with self._lock:
            return {
                at: Step(Counter(step.events), Counter(step.runtime), Counter(step.waiting))
                for at, step in self._steps.items()
                if start <= at < end
            }
