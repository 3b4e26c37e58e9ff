"""Histograms of seconds, each with a bounded number of series; guarded as those in `flower.metrics.counted`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from itertools import accumulate
from math import inf

from flower.metrics.counted import MOST_FOUND, Admission
from flower.metrics.native import bucket_of
from flower.utils.exposition import Metric, created_line, histogram_shape, labels, with_created
from flower.utils.families import Distribution, Key, Part, Point


class Histogram:
    """One label set of a histogram: how many in each bucket, and the sum. `native` is None where none are kept."""

    __slots__ = ("_shape", "_text", "_told", "at", "began", "counts", "created", "native", "number", "sum")

    def __init__(self, buckets: int, shape: str, created: str, now: float, native: dict[int, int] | None) -> None:
        self.counts = [0] * buckets
        self.sum = 0.0
        self.number = 0
        self.at = self.began = now
        self.created = created
        self.native = native
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
        histogram = self.series[key] = Histogram(len(self.buckets), shape, created, now, native)
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
        listed = dict(self.series)
        return Part(self.metric, partial(self._text, listed.values()), partial(self._points, listed))

    def _text(self, listed: Collection[Histogram], openmetrics: bool) -> str:
        if openmetrics:
            return with_created(self.metric, [each.text() + each.created for each in listed], None)
        return with_created(self.metric, [each.text() for each in listed], "".join([each.created for each in listed]))

    def _points(self, listed: Mapping[Key, Histogram]) -> list[Point]:
        return [
            Point(
                key,
                # dict() and list() copy in one step, whatever is counted meanwhile.
                Distribution(
                    self.buckets, list(each.counts), each.sum, None if each.native is None else dict(each.native)
                ),
                each.began,
            )
            for key, each in listed.items()
        ]
