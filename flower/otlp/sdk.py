"""OTLP over HTTP, by OpenTelemetry's own exporter.

Only what the exporter takes is made here: there are no instruments, as the numbers are kept by `flower.metrics`.
"""

from __future__ import annotations

import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.environment_variables import OTEL_METRIC_EXPORT_INTERVAL
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from flower import __version__
from flower.otlp.export import ExportError
from flower.utils.coercion import number
from flower.utils.families import Distribution, Family, Point

PATH = "/v1/metrics"
INTERVAL_MS = "60000"
MOST_POINTS = 2_000
"""In one request: encoding them keeps Python busy for some hundredths of a second."""
MOST_LETTERS = 500
RETRYING = re.compile(r", retrying in .*")
DATA: dict[str, Callable[[list[Any]], Sum | Gauge | Histogram]] = {
    "counter": lambda points: Sum(points, AggregationTemporality.CUMULATIVE, is_monotonic=True),
    "gauge": Gauge,
    "histogram": lambda points: Histogram(points, AggregationTemporality.CUMULATIVE),
}
"""Kind of a metric -> what makes its data of its points."""
UNITS = {"_seconds": "s", "_bytes": "By"}
"""End of a metric's name -> its unit."""


class HttpSender:
    """A connection to a collector; one thread sends."""

    def __init__(self, url: str, instance: str, labels: Mapping[str, str]) -> None:
        self.seconds = _interval()
        self._labels = dict(labels)
        self._began = time.time()
        ours = {"service.name": "flower", "service.version": __version__, "service.instance.id": instance}
        try:
            told = OTELResourceDetector().detect().attributes
            self._resource = Resource.create({name: text for name, text in ours.items() if name not in told})
            self._exporter = OTLPMetricExporter(endpoint=endpoint_of(url))
        except ValueError as error:
            raise ExportError(f"a variable OTEL_... cannot be used: {error}") from None
        self.reasons = Reasons(logging.getLogger(OTLPMetricExporter.__module__))

    def send(self, families: Sequence[Family]) -> None:
        """Send all of them, in several requests if there are many. Raises ExportError."""
        now = time.time()
        for piece in pieces(families, MOST_POINTS):
            metrics = [self._metric(family, now) for family in piece]
            scope = ScopeMetrics(InstrumentationScope("flower", __version__), metrics, "")
            with self.reasons:
                result = self._exporter.export(MetricsData([ResourceMetrics(self._resource, [scope], "")]))
            if result is not MetricExportResult.SUCCESS:
                raise ExportError(self.reasons.first or "the collector did not take them")

    def close(self) -> None:
        self._exporter.shutdown()

    def _metric(self, family: Family, now: float) -> Metric:
        metric = family.metric
        unit = next((unit for ending, unit in UNITS.items() if metric.name.endswith(ending)), "")
        points: list[Any] = [self._point(metric.labels, point, now) for point in family.points]
        return Metric(metric.name, metric.help, unit, DATA[metric.kind](points))

    def _point(self, names: Sequence[str], point: Point, now: float) -> NumberDataPoint | HistogramDataPoint:
        value = point.value
        if not isinstance(value, Distribution):
            return NumberDataPoint(self._attributes(names, point), self._start(point), nanoseconds(now), value)
        return HistogramDataPoint(
            attributes=self._attributes(names, point),
            start_time_unix_nano=self._start(point),
            time_unix_nano=nanoseconds(now),
            count=sum(value.counts),
            sum=value.sum,
            bucket_counts=value.counts,
            explicit_bounds=value.bounds[:-1],
            # Of all times, which nobody keeps; the protocol lets them be missing.
            min=None,  # type: ignore[arg-type]
            max=None,  # type: ignore[arg-type]
        )

    def _attributes(self, names: Sequence[str], point: Point) -> dict[str, str]:
        # Half surrogates, which Celery's JSON can carry, are no UTF-8.
        clean = (value.encode("utf-8", "replace").decode() for value in point.key)
        return {**self._labels, **dict(zip(names, clean, strict=True))}

    def _start(self, point: Point) -> int:
        return nanoseconds(point.created or self._began)


class Reasons(logging.Filter):
    """Keeps what the exporter logs while it sends in this thread: its answer is only yes or no."""

    def __init__(self, logger: logging.Logger) -> None:
        super().__init__()
        self._logger = logger
        self._thread: int | None = None
        self.first = ""

    def __enter__(self) -> None:
        self._thread, self.first = threading.get_ident(), ""
        self._logger.addFilter(self)

    def __exit__(self, *_: object) -> None:
        self._logger.removeFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        if record.thread != self._thread:
            return True
        # The later ones only say that it was tried again.
        self.first = self.first or RETRYING.sub("", " ".join(record.getMessage().split()))[:MOST_LETTERS]
        return False


def endpoint_of(url: str) -> str:
    """The address of the metrics at a collector whose address is given, as OTEL_EXPORTER_OTLP_ENDPOINT means it."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(path=path if path.endswith(PATH) else path + PATH).geturl()


def pieces(families: Iterable[Family], most: int) -> Iterator[list[Family]]:
    """The same families in lists that have at most so many label sets; those without any are left out."""
    piece: list[Family] = []
    room = most
    for family in families:
        rest = family.points
        while rest:
            piece.append(Family(family.metric, rest[:room]))
            rest, room = rest[room:], room - len(rest[:room])
            if not room:
                yield piece
                piece, room = [], most
    if piece:
        yield piece


def nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)


def _interval() -> float:
    text = os.environ.get(OTEL_METRIC_EXPORT_INTERVAL) or INTERVAL_MS
    milliseconds = number(text)
    if milliseconds is None or not 0 < milliseconds < math.inf:
        raise ExportError(f"{OTEL_METRIC_EXPORT_INTERVAL} must be a number of milliseconds, not {text!r}")
    return milliseconds / 1000
