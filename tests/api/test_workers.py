"""`/api/workers` and `/api/queues/length`, over HTTP."""

from __future__ import annotations

import time
from typing import Any

from tests import factories as make
from tests.api.conftest import Server

NAME = "celery@w1"
STATS = {"total": {"tasks.add": 4, "tasks.mul": 1}, "pid": 101}


def inspected(server: Server, name: str = NAME, **facts: Any) -> None:
    """As if the worker had answered."""
    known = {"stats": STATS, "active_queues": [{"name": "celery"}], "registered": ["tasks.add"], "conf": {}}
    server.app.inspector.workers[name] = {**known, "timestamp": time.time(), **facts}


def test_no_workers(server: Server) -> None:
    """Without workers there is nothing to tell."""
    assert ({}, {}) == (server.json("/api/workers"), server.json("/api/workers", status=1))


def test_worker_seen_and_inspected(server: Server) -> None:
    """A worker has what its heartbeats and its answers tell."""
    server.feed(make.heartbeat(NAME), now=time.time())
    inspected(server)
    worker = server.json("/api/workers")[NAME]
    wanted = {
        "status": "online",
        "active": 1,
        "processed": 7,
        "load": [0.5, 0.4, 0.3],
        "registered": ["tasks.add"],
        "stats": STATS,
        "active_queues": [{"name": "celery"}],
        "conf": {},
        "active_tasks": None,
        "pid": 101,
    }
    assert wanted == {name: worker[name] for name in wanted}
    assert 1 == len(worker["heartbeats"])
    assert {"age_seconds", "error"} == worker["freshness"].keys()


def test_worker_that_was_only_seen(server: Server) -> None:
    """A worker that did not answer yet is listed, and why is told."""
    server.feed(make.heartbeat(NAME), now=time.time())
    server.app.inspector.failures[NAME] = "no reply within 1.0 s"
    worker = server.json("/api/workers")[NAME]
    assert ("online", None, {"age_seconds": None, "error": "no reply within 1.0 s"}) == (
        worker["status"],
        worker["stats"],
        worker["freshness"],
    )


def test_worker_that_was_only_inspected(server: Server) -> None:
    """A worker that sends no events is counted by what it answered."""
    inspected(server, active=[{"id": "a"}])
    worker = server.json("/api/workers")[NAME]
    assert ("offline", 1, 5, [{"id": "a"}]) == tuple(
        worker[name] for name in ("status", "active", "processed", "active_tasks")
    )


def test_status(server: Server) -> None:
    """Who is alive, by heartbeat."""
    server.feed(make.heartbeat("celery@old"), now=1.0)
    server.feed(make.heartbeat(NAME), now=time.time())
    assert {NAME: True, "celery@old": False} == server.json("/api/workers", status="yes")
    assert {NAME: True} == server.json("/api/workers", status="yes", workername=NAME)


def test_one_worker(server: Server) -> None:
    """Only the named worker."""
    inspected(server)
    inspected(server, "celery@w2")
    assert [NAME] == list(server.json("/api/workers", workername=NAME))


def test_unknown_worker(server: Server) -> None:
    """The 404 names the worker, with and without status."""
    for params in ({}, {"status": "1"}):
        answer = server.get("/api/workers", workername="nope", **params)
        assert (404, {"error": "Unknown worker 'nope'", "status": 404}) == (answer.status_code, answer.json())


def test_bad_word(server: Server) -> None:
    """A bool that is none is told with the words that are."""
    answer = server.get("/api/workers", refresh="perhaps")
    assert 400 == answer.status_code
    assert "Invalid argument 'perhaps' of type 'bool': refresh must be one of 1, y," in answer.json()["error"]


def test_classic_workers(classic: Server) -> None:
    """Flower 2.x: what the workers answered and nothing else."""
    classic.feed(make.heartbeat("celery@seen"), now=time.time())
    inspected(classic)
    workers = classic.json("/api/workers")
    assert ({NAME}, STATS) == (workers.keys(), workers[NAME]["stats"])
    assert {"celery@seen": True} == classic.json("/api/workers", status=1, workername=NAME)
    answer = classic.get("/api/workers", workername="nope")
    assert (404, "Unknown worker 'nope'") == (answer.status_code, answer.text)


def test_queue_lengths(server: Server) -> None:
    """Queue names with the number of their messages; those of the application are always there."""
    assert {"celery"} <= server.json("/api/queues/length").keys()


def test_classic_queue_lengths(classic: Server) -> None:
    """Flower 2.x: a list."""
    queues = classic.json("/api/queues/length")["active_queues"]
    assert {"name", "messages"} == queues[0].keys()
