"""Native histograms: each bucket ends 9% above the one before, and only those exist into which something fell.

Their numbers are those of Prometheus: bucket i ends at 2 ** (i / 8), and holds its own end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from itertools import pairwise
from math import frexp, inf

SCHEMA = 3
"""The buckets of one doubling are 2 ** SCHEMA."""
STEPS = 1 << SCHEMA
ZERO_WIDTH = 2.0**-20
"""About a microsecond. What takes no longer is in one bucket, as a clock tells no more."""
ZERO = -20 * STEPS
"""That bucket's number."""
MOST = 25 * STEPS
"""The last bucket, which ends after a year; whatever takes longer is in it. With it there are at most 361."""

_ENDS = [0.5 * 2 ** (step / STEPS) for step in range(STEPS)]


def bucket_of(seconds: float) -> int:
    """The number of the bucket into which a duration falls."""
    if seconds <= ZERO_WIDTH:
        return ZERO
    if seconds == inf:
        return MOST
    fraction, exponent = frexp(seconds)
    return min(bisect_left(_ENDS, fraction) + (exponent - 1) * STEPS, MOST)


def spans(counts: Mapping[int, int]) -> tuple[list[tuple[int, int]], list[int]]:
    """Buckets as Prometheus takes them: runs of neighbours, and by how much each differs from the one before.

    A run is its distance from the end of the run before, from bucket 0 at first, and its length.
    """
    numbers = sorted(counts.keys() - {ZERO})
    runs: list[tuple[int, int]] = []
    for before, number in pairwise([None, *numbers]):
        if before is not None and number == before + 1:
            distance, length = runs[-1]
            runs[-1] = distance, length + 1
        elif number is not None:
            runs.append((number if before is None else number - before - 1, 1))
    values = [0, *(counts[number] for number in numbers)]
    return runs, [after - before for before, after in pairwise(values)]
