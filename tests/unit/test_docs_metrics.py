"""The page about metrics is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flower import metrics, sampler

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(flower_\w+)` \| (\w+) \|(?: ((?:`\w+`(?:, )?)*) \|)?", re.MULTILINE)


def test_every_metric_is_documented() -> None:
    """Its table has exactly the metrics that are told, with their types and labels."""
    documented = {(name, kind, *re.findall(r"\w+", labels)) for name, kind, labels in ROW.findall(PAGE.read_text())}
    told = {
        (f"{metric.name}_total" if metric.kind == "counter" else metric.name, metric.kind, *metric.labels)
        for metric in (*metrics.METRICS, *sampler.METRICS)
    }
    assert told == documented


@pytest.mark.parametrize("name", ["metrics", "performance", "scaling", "troubleshooting", "install"])
def test_named_metrics(name: str) -> None:
    """A metric that a page names is told."""
    endings = {"counter": ("_total", "_created"), "gauge": ("",), "histogram": ("", "_bucket", "_created")}
    told = {metric.name + ending for metric in (*metrics.METRICS, *sampler.METRICS) for ending in endings[metric.kind]}
    named = set(re.findall(r"\bflower_[a-z]\w+(?!\*)\b(?!\*)", (PAGE.parent / f"{name}.md").read_text()))
    assert set() == named - told
