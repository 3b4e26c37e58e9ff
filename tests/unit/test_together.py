"""The metrics of several clusters in one text."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from flower.metrics.together import labelled, merged

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


def test_merged() -> None:
    """Each metric has its head once, the series of all clusters below it, and the label before its own."""
    assert WHOLE == merged({"shop": ONE, "mail": OTHER}, False, CollectorRegistry()).decode()


def test_merged_openmetrics() -> None:
    """The end of OpenMetrics is told once."""
    texts = {"shop": f"{ONE}# EOF\n", "mail": f"{OTHER}# EOF\n"}
    assert f"{WHOLE}# EOF\n" == merged(texts, True, CollectorRegistry()).decode()


def test_labelled_nothing() -> None:
    """A metric without series stays without."""
    assert ["", ""] == [labelled("", "shop"), labelled("\n", "shop")]
