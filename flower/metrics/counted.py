"""Counters and histograms that count as events come, each with a bounded number of series.

Guarded by the lock of `flower.metrics.core`, but for what `writer` returns: numbers only grow, so one that changes
while it is written is told as it was or as it is.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from math import inf

from flower.utils.exposition import Metric, created_line, histogram_shape, labels, with_created

OTHER = "other"
MOST_FOLDED = 50_000
"""Label sets of which it is remembered that they are counted as other."""
MOST_FOUND = 50_000
"""Keys of which it is remembered where they are counted: finding that anew costs a microsecond."""
MOST_CREATED = 5_000
"""Series whose time of creation is told: with it each takes two lines."""

Key = tuple[str, ...]
"""The values of the labels, in the order of the metric's labels."""


class Admission:
    """Which keys have series of their own: the first `most`. The others keep only the label at `kept`, or none.

    Of what keeps a label there is room for a tenth of `most`; everything else is one series.
    """

    def __init__(self, most: int, kept: int) -> None:
        self.most = most
        self._kept = kept
        self._own: set[Key] = set()
        self._partly: set[Key] = set()
        self._folded: set[int] = set()

    @property
    def folded(self) -> int:
        """How many keys were counted as other, up to MOST_FOLDED."""
        return len(self._folded)

    def admit(self, key: Key) -> Key:
        """The key itself, or the one under which it is counted."""
        if key in self._own:
            return key
        if len(self._own) < self.most:
            self._own.add(key)
            return key
        if len(self._folded) < MOST_FOLDED:
            self._folded.add(hash(key))
        nothing = (OTHER,) * len(key)
        partly = (*nothing[: self._kept], key[self._kept], *nothing[self._kept + 1 :])
        if partly in self._partly:
            return partly
        if len(self._partly) < self.most // 10:
            self._partly.add(partly)
            return partly
        return nothing

    def leave(self, gone: Callable[[Key], bool]) -> None:
        """Make room of the keys that are gone. Who found no room is admitted when it is seen again."""
        before = len(self._own)
        self._own = {key for key in self._own if not gone(key)}
        if len(self._own) < before:
            self._folded.clear()


class Series:
    """What one label set counted since `created`; `at` is when it counted last."""

    __slots__ = ("at", "count", "created", "head")

    def __init__(self, head: str, created: str, now: float) -> None:
        self.head = head
        self.created = created
        self.count = 0
        self.at = now


class Counted:
    """The series of one counter."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.series: dict[Key, Series] = {}
        self._created: str | None = None
        """The lines of all times of creation, until that changes."""

    def count(self, key: Key, number: int, now: float) -> Series:
        """Count under a key that was admitted."""
        series = self.series.get(key) or self._begin(key, now)
        series.count += number
        series.at = now
        return series

    def _begin(self, key: Key, now: float) -> Series:
        text = labels(self.metric.labels, key)
        line = created_line(self.metric, text, now) if len(self.series) < MOST_CREATED else ""
        series = self.series[key] = Series(f"{self.metric.name}_total{{{text}}} ", line, now)
        self._created = None
        return series

    def drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            del self.series[key]
        self._created = None

    def heard(self) -> Iterator[tuple[Key, float]]:
        """When each series counted last."""
        return ((key, each.at) for key, each in self.series.items())

    def writer(self, openmetrics: bool) -> Callable[[], str]:
        """What makes the text of the whole metric, of the series that there are now."""
        return partial(self._text, list(self.series.values()), openmetrics)

    def _text(self, listed: list[Series], openmetrics: bool) -> str:
        if openmetrics:
            return with_created(self.metric, [f"{each.head}{each.count}.0\n{each.created}" for each in listed], None)
        if self._created is None:
            self._created = "".join([each.created for each in listed])
        return with_created(self.metric, [f"{each.head}{each.count}.0\n" for each in listed], self._created)


class Histogram:
    """One label set of a histogram: how many in each bucket, and the sum of all."""

    __slots__ = ("_shape", "_text", "_told", "at", "counts", "created", "number", "sum")

    def __init__(self, buckets: int, shape: str, created: str, now: float) -> None:
        self.counts = [0] * buckets
        self.sum = 0.0
        self.number = 0
        self.at = now
        self.created = created
        self._shape = shape
        self._text = ""
        self._told = -1

    def text(self) -> str:
        """Its samples; written anew only when something was counted since."""
        number = self.number
        if number != self._told:
            sums = tuple(accumulate(self.counts))
            self._text = self._shape % (*sums, sums[-1], self.sum)
            self._told = number
        return self._text


class Timed:
    """The series of one histogram of seconds."""

    def __init__(self, metric: Metric, buckets: Sequence[float], admission: Admission) -> None:
        self.metric = metric
        self.buckets = sorted({*map(float, buckets), inf})
        self.admission = admission
        self.series: dict[Key, Histogram] = {}
        self._found: dict[Key, Histogram] = {}
        """Where a key is counted, for those that were seen lately."""

    def observe(self, key: Key, seconds: float, now: float) -> None:
        """Count a duration; NaN, which would spoil the sum for ever, is left out."""
        if seconds != seconds:
            return
        histogram = self._found.get(key) or self._find(key, now)
        histogram.counts[bisect_left(self.buckets, seconds)] += 1
        histogram.sum += seconds
        histogram.number += 1
        histogram.at = now

    def _find(self, key: Key, now: float) -> Histogram:
        if len(self._found) >= MOST_FOUND:
            self._found.clear()
        admitted = self.admission.admit(key)
        histogram = self._found[key] = self.series.get(admitted) or self._begin(admitted, now)
        return histogram

    def _begin(self, key: Key, now: float) -> Histogram:
        text = labels(self.metric.labels, key)
        shape = histogram_shape(self.metric, self.buckets, text)
        histogram = self.series[key] = Histogram(len(self.buckets), shape, created_line(self.metric, text, now), now)
        return histogram

    def drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            del self.series[key]
        self._found.clear()

    def heard(self) -> Iterator[tuple[Key, float]]:
        """When each series counted last."""
        return ((key, each.at) for key, each in self.series.items())

    def writer(self, openmetrics: bool) -> Callable[[], str]:
        """What makes the text of the whole metric, of the series that there are now."""
        return partial(self._text, list(self.series.values()), openmetrics)

    def _text(self, listed: list[Histogram], openmetrics: bool) -> str:
        if openmetrics:
            return with_created(self.metric, [each.text() + each.created for each in listed], None)
        return with_created(self.metric, [each.text() for each in listed], "".join([each.created for each in listed]))
