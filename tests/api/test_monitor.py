"""`/healthcheck` and `/metrics`, over HTTP."""

from __future__ import annotations

import time

from tests import factories as make
from tests.api.conftest import Server


def test_alive(server: Server) -> None:
    """OK while the server lives, whatever the broker does."""
    answer = server.get("/healthcheck")
    assert (200, "OK") == (answer.status_code, answer.text)


def test_not_ready(server: Server) -> None:
    """Not ready while events cannot be received or kept, with the reasons."""
    server.app.cluster.store.failing_since, server.app.cluster.store.failure = time.time(), "disk full"
    answer = server.get("/healthcheck", ready=1)
    assert (503, ["broker: not connected yet", "store: disk full"]) == (answer.status_code, answer.text.splitlines())
    server.app.cluster.store.failing_since = None


def test_ready(server: Server) -> None:
    """Ready when connected and storing."""
    server.app.events.connected_since = time.time()
    answer = server.get("/healthcheck", ready=1)
    assert (200, "OK") == (answer.status_code, answer.text)


def test_metrics(server: Server) -> None:
    """Events are counted by worker, type and task."""
    server.feed(make.heartbeat(), make.success("a"))
    answer = server.get("/metrics")
    line = 'flower_events_total{task="tasks.add",type="task-succeeded",worker="celery@w1"} 1.0'
    assert line in answer.text.splitlines()
    assert answer.headers["Content-Type"].startswith("text/plain; version=")


def test_metrics_compressed(server: Server) -> None:
    """They are compressed for those who accept that."""
    answer = server.request("GET", "/metrics", headers={"Accept-Encoding": "gzip"})
    assert ("gzip", True) == (answer.headers["Content-Encoding"], "flower_build_info{" in answer.text)


def test_metrics_uncompressed(server: Server) -> None:
    """And plain for the others."""
    answer = server.request("GET", "/metrics", headers={"Accept-Encoding": "identity"})
    assert (None, True) == (answer.headers.get("Content-Encoding"), "flower_build_info{" in answer.text)
