"""Several clusters, of which one keeps its tasks in a database that nobody can reach when the server starts."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests import factories as make
from tests.api.conftest import Serve, Server

REASON = "PostgreSQL database x at 127.0.0.1:1 cannot be used: connection failed"
NEEDING = ("/api/tasks", "/api/task/types", "/api/task/info/x", "/api/stats", "/api/audit")
"""What cannot be answered without the store."""


@pytest.fixture
def fleet(serve: Serve, tmp_path: Path) -> Server:
    """A server with a cluster that stores, and the cluster mail that cannot."""
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps({"mail": {"broker": "memory://", "db": "postgresql://ann:secret@127.0.0.1:1/x"}}))
    server = serve(clusters=str(path))
    server.feed(make.success("of-first"))
    for each in server.app.watched:
        each.cluster.events.connected_since = 1.0
    return server


def test_the_others_are_served(fleet: Server) -> None:
    """The cluster whose store is there answers as ever."""
    assert ["of-first"] == [task["uuid"] for task in fleet.json("/c/tests/api/tasks")["tasks"]]
    assert [200] * 3 == [fleet.get(f"/c/tests/{page}").status_code for page in ("", "tasks", "workers")]


@pytest.mark.parametrize("path", NEEDING)
def test_the_api_tells_why(fleet: Server, path: str) -> None:
    """503 and the reason, without the password."""
    answer = fleet.get(f"/c/mail{path}")
    told = answer.json()
    assert (503, 503) == (answer.status_code, told["status"])
    assert told["error"].startswith(f"The store cannot be read: {REASON}")
    assert "secret" not in told["error"]


@pytest.mark.parametrize(
    "page, status", [("", 503), ("tasks", 503), ("task/x", 503), ("workers", 200), ("broker", 200)]
)
def test_its_pages_tell_since_when(fleet: Server, page: str, status: int) -> None:
    """Every page says that nothing is stored, since when and why; what needs no store is shown."""
    answer = fleet.get(f"/c/mail/{page}")
    notice = re.search(r'<div id="notices".*?</div>\s*</div>', answer.text, re.DOTALL)
    assert notice is not None
    assert (status, True) == (answer.status_code, "Tasks are not being stored since <time" in notice[0])
    assert REASON in notice[0]


def test_readiness(fleet: Server) -> None:
    """The cluster is not ready, the server is; both say why."""
    one, whole = fleet.get("/c/mail/healthcheck", ready=1), fleet.get("/healthcheck", ready=1)
    assert (503, 200) == (one.status_code, whole.status_code)
    assert one.text.startswith(f"mail: store: {REASON}")
    assert whole.text.startswith(f"OK\nmail: store: {REASON}")


def test_the_overview_and_the_switch(fleet: Server) -> None:
    """Who looks at all of them, or at another one, sees that it is in trouble."""
    row = re.search(r'<tr id="cluster-mail">.*?</tr>', fleet.get("/").text, re.DOTALL)
    assert row is not None
    assert ("Tasks are not being stored" in row[0], REASON in row[0]) == (True, True)
    assert "1 other cluster is in trouble" in fleet.get("/c/tests/workers").text
    states = {each["name"]: (each["state"], each["since"] is None) for each in fleet.json("/api/clusters")["clusters"]}
    assert ("unstored", False) == states["mail"]


def test_metrics(fleet: Server) -> None:
    """One scrape tells of both, and which of them cannot store."""
    found = re.findall(r'^flower_store_failing\{cluster="(\w+)"\} (\S+)$', fleet.get("/metrics").text, re.MULTILINE)
    assert [("tests", "0.0"), ("mail", "1.0")] == found


def test_what_is_heard_is_kept(fleet: Server) -> None:
    """Its workers are shown, and its tasks wait in memory."""
    mail = fleet.app.watched[1].cluster
    mail.state.apply([make.heartbeat(kind="worker-online", at=time.time() - make.T0), *make.success("waits")])
    assert {make.WORKER: True} == fleet.json("/c/mail/api/workers", status=1)
    assert (0, 3) == (mail.state.totals["dropped"], mail.state.totals["task"])
