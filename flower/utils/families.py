"""Metrics as values, for the formats that are not text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from flower.utils.exposition import Metric, in_pieces, line

Key = tuple[str, ...]
"""The values of the labels, in the order of the metric's labels."""


class Distribution(NamedTuple):
    """What one label set of a histogram counted.

    `bounds` are the upper ends of the buckets and end with infinity, `counts` how many fell into each of them alone.
    `native` are the buckets of `flower.metrics.native`, where these are counted, too.
    """

    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float
    native: Mapping[int, int] | None = None


class Point(NamedTuple):
    """One label set. `created` is since when it counts, in seconds since the epoch; 0 where that is not known."""

    key: Key
    value: float | Distribution
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Family:
    """A metric and all its label sets."""

    metric: Metric
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Part:
    """A metric as it was found at one moment; its text (for OpenMetrics or not) and values are made when asked for."""

    metric: Metric
    text: Callable[[bool], Iterator[bytes]]
    points: Callable[[], list[Point]]


Told = tuple[Metric, Iterable[tuple[Key, float]]]
"""A metric that is one number for each label set."""


def told(metric: Metric, samples: Iterable[tuple[Key, float]]) -> Part:
    """A gauge, or a counter without times of creation."""
    values = list(samples)

    def text(openmetrics: bool) -> Iterator[bytes]:
        yield metric.head(openmetrics)
        yield from in_pieces(values, 1, lambda some: "".join([line(metric, *each) for each in some]))

    return Part(metric, text, lambda: [Point(*each) for each in values])
