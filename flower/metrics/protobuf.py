"""Prometheus' protobuf, the one format that has native histograms.

The few messages of `io.prometheus.client` are written by hand: a library would need generated code for
them, and makes an object of every number before it writes it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import accumulate

from flower.metrics.native import SCHEMA, ZERO, ZERO_WIDTH, spans
from flower.utils.exposition import Metric
from flower.utils.families import Distribution, Family, Point

TYPES = {"counter": 0, "gauge": 1, "histogram": 4}
VALUES = {"counter": 3, "gauge": 2, "histogram": 7}
"""The field of a metric that has its value."""
CREATED = {"counter": 3, "histogram": 15}
"""The field of a value that says since when it counts."""
VARINT, EIGHT_BYTES, LENGTH = 0, 1, 2
"""How a field is written."""
TAGS = {how: [bytes([field << 3 | how]) for field in range(16)] for how in (VARINT, EIGHT_BYTES, LENGTH)}
"""How -> number of the field -> what stands before it."""

_double = struct.Struct("<d").pack


def encode(families: Iterable[Family]) -> Iterator[bytes]:
    """The families, each behind its length. Those without label sets are left out."""
    for family in families:
        if family.points:
            message = _family(family)
            yield _varint(len(message))
            yield message


def _family(family: Family) -> bytes:
    metric = family.metric
    name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
    points = [_block(4, _point(metric, point)) for point in family.points]
    return b"".join([_text(1, name), _text(2, metric.help), _whole(3, TYPES[metric.kind]), *points])


def _point(metric: Metric, point: Point) -> bytes:
    value = _histogram(point.value) if isinstance(point.value, Distribution) else _number(1, point.value)
    if point.created and metric.kind in CREATED:
        value += _created(CREATED[metric.kind], point.created)
    return b"".join([*map(_label, metric.labels, point.key), _block(VALUES[metric.kind], value)])


def _histogram(value: Distribution) -> bytes:
    sums = list(accumulate(value.counts))
    buckets = [_block(3, _whole(1, number) + _number(2, end)) for end, number in zip(value.bounds, sums, strict=True)]
    # Prometheus refuses a native histogram whose buckets do not add up.
    number = sums[-1] if value.native is None else sum(value.native.values())
    parts = [_whole(1, number), _number(2, value.sum), *buckets]
    if value.native is not None:
        runs, differences = spans(value.native)
        parts += [_whole(5, _zigzag(SCHEMA)), _number(6, ZERO_WIDTH), _whole(7, value.native.get(ZERO, 0))]
        parts += [_block(12, _whole(1, _zigzag(distance)) + _whole(2, length)) for distance, length in runs]
        parts.append(_block(13, b"".join([_varint(_zigzag(each)) for each in differences])))
    return b"".join(parts)


@lru_cache(maxsize=20_000)
def _created(field: int, seconds: float) -> bytes:
    """The same for all series of a batch."""
    whole = int(seconds)
    return _block(field, _whole(1, whole) + _whole(2, int((seconds - whole) * 1e9)))


@lru_cache(maxsize=20_000)
def _label(name: str, value: str) -> bytes:
    return _block(1, _text(1, name) + _text(2, value))


def _text(field: int, value: str) -> bytes:
    # Half surrogates, which Celery's JSON can carry, are no UTF-8.
    return _block(field, value.encode("utf-8", "replace"))


def _block(field: int, content: bytes) -> bytes:
    return TAGS[LENGTH][field] + _varint(len(content)) + content


def _number(field: int, value: float) -> bytes:
    return TAGS[EIGHT_BYTES][field] + _double(value)


def _whole(field: int, value: int) -> bytes:
    return TAGS[VARINT][field] + _varint(value)


def _zigzag(value: int) -> int:
    """Signed numbers, so that small ones stay short."""
    return value << 1 if value >= 0 else (-value << 1) - 1


@lru_cache(maxsize=4096)
def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*groups, value])
