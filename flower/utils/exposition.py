"""Writes metrics as text, for Prometheus (0.0.4) and OpenMetrics (1.0.0), several times faster than prometheus_client.

Labels are in alphabetical order, as in Flower 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Literal, TypeVar

from prometheus_client.utils import floatToGoString

from flower.utils.coercion import number

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"
PLAIN_TYPE, OPENMETRICS_TYPE = "text/plain", "application/openmetrics-text"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF_TYPE, PROTOBUF_MESSAGE = "application/vnd.google.protobuf", "io.prometheus.client.MetricFamily"
PROTOBUF = f"{PROTOBUF_TYPE}; proto={PROTOBUF_MESSAGE}; encoding=delimited"


PIECE_LINES = 800
"""Less than 100 kB, with names of usual length: what is smaller than 128 kB the C library keeps for the next text."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the table of metrics. The name of a counter is without `_total`."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()

    def head(self, openmetrics: bool) -> bytes:
        """The lines before the samples."""
        return _head(self.name if openmetrics or self.kind != "counter" else f"{self.name}_total", self.kind, self.help)

    def created_head(self) -> bytes:
        """Prometheus' format has times of creation as a gauge of their own."""
        return _head(f"{self.name}_created", "gauge", self.help)


def _head(name: str, kind: str, help: str) -> bytes:
    return f"# HELP {name} {help}\n# TYPE {name} {kind}\n".encode()


def escape(value: str) -> str:
    """`value` as it may stand between the quotes of a label."""
    # UTF-8 cannot carry lone surrogates, which Celery's JSON can.
    clean = value.encode("utf-8", "replace").decode()
    return clean.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


@lru_cache(maxsize=20_000)
def label(name: str, value: str) -> str:
    """`worker="w1"`; the same text for all series that share it."""
    return f'{name}="{escape(value)}"'


def labels(names: Sequence[str], values: Sequence[str]) -> str:
    """`task="tasks.add",worker="w1"`"""
    return ",".join(map(label, names, values))


def created_line(metric: Metric, text: str, at: float) -> str:
    """The line that tells since when there is a series with these labels."""
    return f"{metric.name}_created{{{text}}} {at!r}\n"


def line(metric: Metric, key: Sequence[str], value: float) -> str:
    """One sample of a gauge or a counter, from the labels' values and the number."""
    name = f"{metric.name}_total" if metric.kind == "counter" else metric.name
    return f"{name}{{{labels(metric.labels, key)}}} {value!r}\n" if key else f"{name} {value!r}\n"


def in_pieces(series: Iterable[T], size: int, write: Callable[[Sequence[T]], str]) -> Iterator[bytes]:
    """The text of the series, of which each takes `size` lines, in pieces of some hundred lines.

    None is great: great ones would be taken from the system and given back for each scrape, which takes longer than
    to write them. `write` is called once a piece, as calling it for each series would take a third of the time.
    """
    rest = iter(series)
    while some := list(islice(rest, max(1, PIECE_LINES // size))):
        yield write(some).encode()


def with_created(
    metric: Metric, series: Sequence[Any], write: Callable[[Sequence[Any]], str], openmetrics: bool, size: int = 1
) -> Iterator[bytes]:
    """A counter or histogram with its times of creation, which `created()` of each series tells.

    OpenMetrics has them beside each label set, Prometheus' format in a family of their own.
    """

    def with_times(some: Sequence[Any]) -> str:
        return "".join([text for each in some for text in (write((each,)), each.created())])

    def times(some: Sequence[Any]) -> str:
        return "".join([each.created() for each in some])

    yield metric.head(openmetrics)
    yield from in_pieces(series, size, with_times if openmetrics else write)
    if not openmetrics:
        yield metric.created_head()
        yield from in_pieces(series, 1, times)


def histogram_shape(metric: Metric, buckets: Sequence[float], text: str) -> str:
    """The samples of one label set, into which % puts the numbers."""
    text = text.replace("%", "%%")
    bounds = [floatToGoString(bucket) for bucket in buckets]  # type: ignore[no-untyped-call]
    lines = [f'{metric.name}_bucket{{le="{bound}",{text}}} %d.0\n' for bound in bounds]
    return "".join([*lines, f"{metric.name}_count{{{text}}} %d.0\n", f"{metric.name}_sum{{{text}}} %r\n"])


def wants_openmetrics(accept: str) -> bool:
    """Whether an Accept header prefers OpenMetrics 1.0 to Prometheus' own format."""
    weights = {PLAIN_TYPE: -1.0, OPENMETRICS_TYPE: 0.0}
    for kind, parameters, weight in _choices(accept):
        # A version before 1.0 differs; later ones of Prometheus' format may be read as 0.0.4.
        if kind in weights and (kind == PLAIN_TYPE or parameters.get("version", "1.0.0") == "1.0.0"):
            weights[kind] = max(weights[kind], weight)
    return 0.0 < weights[OPENMETRICS_TYPE] >= weights[PLAIN_TYPE]


def wants_protobuf(accept: str) -> bool:
    """Whether an Accept header prefers Prometheus' delimited protobuf to every text."""
    weights = {True: 0.0, False: 0.0}
    for kind, parameters, weight in _choices(accept):
        message = kind == PROTOBUF_TYPE
        if not message or (parameters.get("proto"), parameters.get("encoding")) == (
            PROTOBUF_MESSAGE.lower(),
            "delimited",
        ):
            weights[message] = max(weights[message], weight)
    return 0.0 < weights[True] >= weights[False]


def _choices(accept: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """The kinds of an Accept header in small letters, with their parameters and how much each is liked."""
    for choice in accept.split(","):
        kind, *rest = (part.strip().lower() for part in choice.split(";"))
        parameters = dict(part.partition("=")[::2] for part in rest)
        yield kind, parameters, number(parameters.get("q", "1")) or 0.0
