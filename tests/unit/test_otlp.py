"""What is sent to a collector of OpenTelemetry, where, and what is said when it cannot be."""

from __future__ import annotations

import threading

import pytest

from flower.otlp import ExportError, open_sender
from flower.otlp.sdk import HttpSender, endpoint_of, pieces
from flower.utils.exposition import Metric
from flower.utils.families import Family, Point
from tests.services import free_port, wait_for

SECONDS = 30


def test_nobody_there() -> None:
    """Where nobody listens it is tried again for a while, and the reason is told; closing ends the attempts."""
    sender = HttpSender(f"http://127.0.0.1:{free_port()}", "here", {})
    failures: list[str] = []

    def send() -> None:
        with pytest.raises(ExportError) as caught:
            sender.send([Family(Metric("a", "gauge", "A"), [Point((), 1.0)])])
        failures.append(str(caught.value))

    thread = threading.Thread(target=send)
    thread.start()
    wait_for(lambda: sender.reasons.first, SECONDS, "the first attempt failed")
    sender.close()
    thread.join(SECONDS)
    assert ["refused" in failures[0].lower(), "retrying" in failures[0]] == [True, False]


@pytest.mark.parametrize(
    ("name", "text"), [("OTEL_METRIC_EXPORT_INTERVAL", "soon"), ("OTEL_METRIC_EXPORT_INTERVAL", "0")]
)
def test_bad_variables(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that cannot be used is named."""
    monkeypatch.setenv(name, text)
    with pytest.raises(ExportError, match=name):
        open_sender("http://localhost:4318", "here", {})


def test_disabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """OTEL_SDK_DISABLED turns it off."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "TRUE")
    assert open_sender("http://localhost:4318", "here", {}) is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://localhost:4318", "http://localhost:4318/v1/metrics"),
        ("http://localhost:4318/", "http://localhost:4318/v1/metrics"),
        ("https://otel.example/base/?a=b", "https://otel.example/base/v1/metrics?a=b"),
        ("http://localhost:4318/v1/metrics", "http://localhost:4318/v1/metrics"),
    ],
)
def test_endpoint(url: str, expected: str) -> None:
    """The path of the metrics is added where it is missing."""
    assert expected == endpoint_of(url)


def test_pieces() -> None:
    """No request has more label sets than it may, none is lost, and those that are empty are not sent."""
    families = [
        Family(Metric(name, "gauge", ""), [Point((), float(number)) for number in range(size)])
        for name, size in (("a", 2), ("b", 0), ("c", 5))
    ]
    found = [[(each.metric.name, len(each.points)) for each in piece] for piece in pieces(families, 3)]
    assert [[("a", 2), ("c", 1)], [("c", 3)], [("c", 1)]] == found
