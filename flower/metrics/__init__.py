"""What `/metrics` tells: counters that count as events come, gauges read from the state when they are asked for.

A gauge cannot drift: nothing is added up that a crash, a revoke or a lost event could leave behind. Every metric
has at most so many series (`Limits`); what is beyond is counted as other, and how much that is is told.
"""

from flower.metrics.core import Limits, Metrics
from flower.metrics.table import METRICS

__all__ = ["METRICS", "Limits", "Metrics"]
