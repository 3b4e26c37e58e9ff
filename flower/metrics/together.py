"""The metrics of several clusters in one answer: each series has the label `cluster`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format

from flower.metrics.registry import families_of
from flower.utils.exposition import Metric
from flower.utils.families import Family, Point

END = "# EOF\n"
WITH_LABELS = re.compile(r"^(\w+)\{", re.MULTILINE)
WITHOUT_LABELS = re.compile(r"^(\w+) ", re.MULTILINE)
HEAD = "\n# HELP "


def text(texts: Mapping[str, str], openmetrics: bool, registry: CollectorRegistry = REGISTRY) -> Iterator[bytes]:
    """One text from those of the clusters by name, each metric once, and the metrics of the process behind it."""
    found: dict[str, list[str]] = {}
    for cluster, told in texts.items():
        for family in f"\n{told.removesuffix(END)}".split(HEAD)[1:]:
            help_line, type_line, samples = f"{family}\n".split("\n", 2)
            found.setdefault(f"{help_line}\n{type_line}", []).append(labelled(samples, cluster))
    for head, listed in found.items():
        yield f"# HELP {head}\n{''.join(listed)}".encode()
    yield (openmetrics_format.generate_latest if openmetrics else generate_latest)(registry)


def families(told: Mapping[str, Iterable[Family]], registry: CollectorRegistry = REGISTRY) -> list[Family]:
    """The same as values."""
    found: dict[str, tuple[Metric, list[Point]]] = {}
    for cluster, listed in told.items():
        for metric, points in ((family.metric, family.points) for family in listed):
            labels = replace(metric, labels=("cluster", *metric.labels))
            _, all_points = found.setdefault(metric.name, (labels, []))
            all_points.extend(point._replace(key=(cluster, *point.key)) for point in points)
    return [*(Family(metric, points) for metric, points in found.values()), *families_of(registry)]


def labelled(samples: str, cluster: str) -> str:
    """The samples with the label before their own; the name of a cluster needs no escaping."""
    lines = WITH_LABELS.sub(rf'\1{{cluster="{cluster}",', samples.strip("\n"))
    lines = WITHOUT_LABELS.sub(rf'\1{{cluster="{cluster}"}} ', lines)
    return f"{lines}\n" if lines else ""
