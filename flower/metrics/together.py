"""The metrics of several clusters in one answer: each series has the label `cluster`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics_format

from flower.utils.exposition import OPENMETRICS, PROMETHEUS

END = "# EOF\n"
WITH_LABELS = re.compile(r"^(\w+)\{", re.MULTILINE)
WITHOUT_LABELS = re.compile(r"^(\w+) ", re.MULTILINE)
HEAD = "\n# HELP "


def format_of(openmetrics: bool) -> str:
    """The content type, by which each cluster is asked for its text, too."""
    return OPENMETRICS if openmetrics else PROMETHEUS


def merged(texts: Mapping[str, str], openmetrics: bool, registry: CollectorRegistry = REGISTRY) -> bytes:
    """One text from those of the clusters by name, each metric once, and the metrics of the process behind it."""
    families: dict[str, list[str]] = {}
    for cluster, text in texts.items():
        for family in f"\n{text.removesuffix(END)}".split(HEAD)[1:]:
            help_line, type_line, samples = f"{family}\n".split("\n", 2)
            families.setdefault(f"{help_line}\n{type_line}", []).append(labelled(samples, cluster))
    body = "".join(f"# HELP {head}\n{''.join(samples)}" for head, samples in families.items())
    encode = openmetrics_format.generate_latest if openmetrics else generate_latest
    return body.encode() + encode(registry)


def labelled(samples: str, cluster: str) -> str:
    """The samples with the label before their own; the name of a cluster needs no escaping."""
    lines = WITH_LABELS.sub(rf'\1{{cluster="{cluster}",', samples.strip("\n"))
    lines = WITHOUT_LABELS.sub(rf'\1{{cluster="{cluster}"}} ', lines)
    return f"{lines}\n" if lines else ""
