"""The families of `prometheus_client`: of the process, and those that the user's own code adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from math import inf
from typing import Literal

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric as Collected
from prometheus_client.samples import Sample

from flower.utils.exposition import Metric
from flower.utils.families import Distribution, Family, Key, Point

DISTRIBUTED = ("histogram", "summary")


def families_of(registry: CollectorRegistry) -> Iterator[Family]:
    """Everything in the registry. A summary becomes a histogram of one bucket: how many there were, and their sum."""
    for collected in registry.collect():
        grouped: dict[tuple[str, Key], list[Sample]] = {}
        for sample in collected.samples:
            names = tuple(sorted(sample.labels.keys() - {"le", "quantile"}))
            name = collected.name if collected.type in DISTRIBUTED else sample.name
            grouped.setdefault((name, names), []).append(sample)
        for (name, names), samples in grouped.items():
            if not name.endswith("_created"):
                kind = _kind(collected)
                metric = Metric(
                    name.removesuffix("_total") if kind == "counter" else name, kind, collected.documentation, names
                )
                points = _distributions(samples, names) if kind == "histogram" else _numbers(samples, names)
                yield Family(metric, list(points))


def _kind(collected: Collected) -> Literal["counter", "gauge", "histogram"]:
    if collected.type in DISTRIBUTED:
        return "histogram"
    return "counter" if collected.type == "counter" else "gauge"


def _numbers(samples: Iterable[Sample], names: Key) -> Iterator[Point]:
    return (Point(_key(sample, names), float(sample.value)) for sample in samples)


def _distributions(samples: Iterable[Sample], names: Key) -> Iterator[Point]:
    found: dict[Key, dict[str, float]] = {}
    for sample in samples:
        # `_bucket` by its end, `_sum` and `_count` by their name.
        what = sample.labels.get("le") or sample.name.rpartition("_")[2]
        found.setdefault(_key(sample, names), {})[what] = sample.value
    for key, values in found.items():
        created, total, number = (values.pop(name, 0.0) for name in ("created", "sum", "count"))
        ends = {inf: number} | {float(end): sofar for end, sofar in values.items() if end != "bucket"}
        bounds = sorted(ends)
        sofar = [0.0, *(ends[end] for end in bounds)]
        counts = [int(after - before) for before, after in pairwise(sofar)]
        yield Point(key, Distribution(bounds, counts, total), created)


def _key(sample: Sample, names: Key) -> Key:
    return tuple(sample.labels[name] for name in names)
