"""Counters that count as events come, each with a bounded number of series.

Guarded by the lock of `flower.metrics.core`, but for what `part` returns: numbers only grow, so one that changes
while it is written is told as it was or as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from sys import intern

from flower.utils.exposition import Metric, label, labels, with_created
from flower.utils.families import Key, Part, Point

OTHER = "other"
MOST_FOLDED = 50_000
"""Label sets of which it is remembered that they are counted as other."""
MOST_FOUND = 50_000
"""Keys of which it is remembered where they are counted: finding that anew costs a microsecond."""
MOST_CREATED = 5_000
"""Series whose time of creation is told: with it each takes two lines."""


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
    """What one label set counted since `began`; `at` is when it counted last.

    Its text is not kept whole, which would be most of its size: `head` is shared by all series that differ only in
    the last label, `tail` by all with the same last label. `dated` is the head of the line that tells `began`; empty
    where that is not told.
    """

    __slots__ = ("at", "began", "count", "dated", "head", "key", "tail")

    def __init__(self, key: Key, head: str, tail: str, dated: str, now: float) -> None:
        self.key = key
        self.head = head
        self.tail = tail
        self.dated = dated
        self.count = 0
        self.at = self.began = now

    def created(self) -> str:
        """The line that tells since when it counts, if that is told."""
        return f"{self.dated}{self.tail}{self.began!r}\n" if self.dated else ""


def _lines(some: Sequence[Series]) -> str:
    return "".join([f"{each.head}{each.tail}{each.count}.0\n" for each in some])


class Counted:
    """The series of one counter, which has two labels or more."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric
        self.series: dict[Key, Series] = {}

    def count(self, key: Key, number: int, now: float) -> Series:
        """Count under a key that was admitted."""
        series = self.series.get(key) or self._begin(key, now)
        series.count += number
        series.at = now
        return series

    def _begin(self, key: Key, now: float) -> Series:
        names = self.metric.labels
        shared = labels(names[:-1], key[:-1])
        head = intern(f"{self.metric.name}_total{{{shared},")
        tail = intern(f"{label(names[-1], key[-1])}}} ")
        told = len(self.series) < MOST_CREATED
        dated = intern(f"{self.metric.name}_created{{{shared},") if told else ""
        series = self.series[key] = Series(key, head, tail, dated, now)
        return series

    def drop(self, keys: Sequence[Key]) -> None:
        for key in keys:
            del self.series[key]

    def heard(self) -> Iterator[tuple[Key, float]]:
        """When each series counted last."""
        return ((key, each.at) for key, each in self.series.items())

    def part(self) -> Part:
        """The series that there are now."""
        listed = list(self.series.values())

        def text(openmetrics: bool) -> Iterator[bytes]:
            return with_created(self.metric, listed, _lines, openmetrics)

        return Part(self.metric, text, lambda: [Point(each.key, float(each.count), each.began) for each in listed])
