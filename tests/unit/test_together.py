"""The metrics of several clusters in one text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from flower.metrics.together import families, labelled, text
from flower.utils.exposition import Metric
from flower.utils.families import Family, Point

ONE = """# HELP up Whether it is
# TYPE up gauge
up 1.0
# HELP seen_total Number of {things}
# TYPE seen_total counter
seen_total{task="a b{c} 1",worker="# HELP \\\\n"} 2.0
"""
OTHER = """# HELP up Whether it is
# TYPE up gauge
up 0.0
# HELP seen_total Number of {things}
# TYPE seen_total counter
"""
WHOLE = """# HELP up Whether it is
# TYPE up gauge
up{cluster="shop"} 1.0
up{cluster="mail"} 0.0
# HELP seen_total Number of {things}
# TYPE seen_total counter
seen_total{cluster="shop",task="a b{c} 1",worker="# HELP \\\\n"} 2.0
"""


def test_text() -> None:
    """Each metric has its head once, the series of all clusters below it, and the label before its own."""
    assert WHOLE == b"".join(text({"shop": ONE, "mail": OTHER}, False, CollectorRegistry())).decode()


def test_openmetrics() -> None:
    """The end of OpenMetrics is told once."""
    texts = {"shop": f"{ONE}# EOF\n", "mail": f"{OTHER}# EOF\n"}
    assert f"{WHOLE}# EOF\n" == b"".join(text(texts, True, CollectorRegistry())).decode()


def test_families() -> None:
    """As values, too, each metric is there once, with the points of all clusters under the label."""
    seen = Metric("seen", "counter", "Number of things", ("task",))
    found = families(
        {"shop": [Family(seen, [Point(("a",), 1.0)])], "mail": [Family(seen, [Point(("b",), 2.0, 5.0)])]},
        CollectorRegistry(),
    )
    whole = Metric("seen", "counter", "Number of things", ("cluster", "task"))
    assert [Family(whole, [Point(("shop", "a"), 1.0), Point(("mail", "b"), 2.0, 5.0)])] == found


def test_labelled_nothing() -> None:
    """A metric without series stays without."""
    assert ["", ""] == [labelled("", "shop"), labelled("\n", "shop")]
