"""Percentiles of durations from counts in buckets that grow by a constant factor.

A sketch is a plain dict: number of the bucket -> how many durations fell into it. Sketches are merged by
adding, in any order, and a percentile read from one is within `ACCURACY` of the true one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from math import ceil, log

import orjson

Sketch = dict[int, int]

ACCURACY = 0.015
"""The relative error of any value between the two bounds; 2% are promised."""
LEAST_SECONDS = 1e-6
"""What is shorter counts as nothing."""
MOST_SECONDS = 1e7
"""What is longer, some 115 days, counts as this long."""

_GROWTH = (1 + ACCURACY) / (1 - ACCURACY)
_SCALE = 1 / log(_GROWTH)
_OFFSET = 1 - log(LEAST_SECONDS) * _SCALE
_LAST = int(log(MOST_SECONDS) * _SCALE + _OFFSET)


def bucket_of(seconds: float) -> int:
    """The bucket of a duration."""
    if seconds <= LEAST_SECONDS:
        return 0
    return int(log(seconds) * _SCALE + _OFFSET) if seconds < MOST_SECONDS else _LAST


def observe(sketch: Sketch, seconds: float) -> int:
    """Count a duration; returns its bucket."""
    bucket = bucket_of(seconds)
    sketch[bucket] = sketch.get(bucket, 0) + 1
    return bucket


def value_of(bucket: int) -> float:
    """The duration, in seconds, that stands for all in the bucket."""
    return 0.0 if bucket == 0 else float(2 * LEAST_SECONDS * _GROWTH**bucket / (_GROWTH + 1))


def size(sketch: Mapping[int, int]) -> int:
    """How many durations were counted."""
    return sum(sketch.values())


def percentile(sketch: Mapping[int, int], share: float) -> float | None:
    """The least duration that is not exceeded by `share` of all, by nearest rank; None without any."""
    rank = max(1, ceil(size(sketch) * share))
    for bucket in sorted(sketch):
        rank -= sketch[bucket]
        if rank <= 0:
            return value_of(bucket)
    return None


def mean(sketch: Mapping[int, int]) -> float | None:
    """The average duration; None without any."""
    number = size(sketch)
    return sum(value_of(bucket) * count for bucket, count in sketch.items()) / number if number else None


def add(sketch: Sketch, other: Mapping[int, int]) -> None:
    """Merge `other` into `sketch`, in place."""
    for bucket, count in other.items():
        sketch[bucket] = sketch.get(bucket, 0) + count


def add_packed(sketches: Sequence[Sketch], text: str | None) -> None:
    """Merge what is behind a stored text into all of these, in place."""
    if not text:
        return
    numbers = orjson.loads(text)
    for sketch in sketches:
        for bucket, count in zip(numbers[::2], numbers[1::2], strict=True):
            sketch[bucket] = sketch.get(bucket, 0) + count


def pack(sketch: Mapping[int, int]) -> str | None:
    """The text that is stored: bucket, count, bucket, count... in any order of the buckets."""
    return orjson.dumps([*chain.from_iterable(sketch.items())]).decode() if sketch else None


def unpack(text: str | None) -> Sketch:
    """The sketch behind a stored text."""
    if not text:
        return {}
    numbers = orjson.loads(text)
    return dict(zip(numbers[::2], numbers[1::2], strict=True))
