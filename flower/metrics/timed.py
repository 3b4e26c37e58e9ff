"""Histograms of seconds, each with a bounded number of series; guarded as those in `flower.metrics.counted`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf

from flower.metrics.counted import MOST_FOUND, Admission
from flower.metrics.native import bucket_of
from flower.utils.exposition import Metric, created_line, histogram_shape, labels, with_created
from flower.utils.families import Distribution, Key, Part, Point


class Histogram:
    """One label set of a histogram: how many in each bucket, and the sum. `native` is None where none are kept."""

    __slots__ = ("_created", "_shape", "_text", "_told", "at", "began", "counts", "key", "native", "number", "sum")

    def __init__(
        self, key: Key, buckets: int, shape: str, created: str, now: float, native: dict[int, int] | None
    ) -> None:
        self.key = key
        self.counts = [0] * buckets
        self.sum = 0.0
        self.number = 0
        self.at = self.began = now
        self.native = native
        self._created = created
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

    def created(self) -> str:
        """The line that tells since when it counts."""
        return self._created

    def point(self, bounds: Sequence[float]) -> Point:
        # list() and dict() copy in one step, whatever is counted meanwhile.
        native = None if self.native is None else dict(self.native)
        return Point(self.key, Distribution(bounds, list(self.counts), self.sum, native), self.began)


def _texts(some: Iterable[Histogram]) -> str:
    return "".join([each.text() for each in some])


class Timed:
    """The series of one histogram of seconds, `native` with the buckets of `flower.metrics.native` beside its own."""

    def __init__(self, metric: Metric, buckets: Sequence[float], admission: Admission, *, native: bool = False) -> None:
        self.metric = metric
        self._native = native
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
        if histogram.native is not None:
            number = bucket_of(seconds)
            histogram.native[number] = histogram.native.get(number, 0) + 1
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
        created = created_line(self.metric, text, now)
        native: dict[int, int] | None = {} if self._native else None
        histogram = self.series[key] = Histogram(key, len(self.buckets), shape, created, now, native)
        return histogram

    def drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            del self.series[key]
        self._found.clear()

    def heard(self) -> Iterator[tuple[Key, float]]:
        """When each series counted last."""
        return ((key, each.at) for key, each in self.series.items())

    def part(self) -> Part:
        """The series that there are now."""
        listed = list(self.series.values())
        size = len(self.buckets) + 3

        def text(openmetrics: bool) -> Iterator[bytes]:
            return with_created(self.metric, listed, _texts, openmetrics, size)

        return Part(self.metric, text, lambda: [each.point(self.buckets) for each in listed])
