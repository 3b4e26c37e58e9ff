"""Who did what, as it is kept and told."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Serve, Server

ADMIN = {"Authorization": "Bearer key-of-ci"}
KEYED: dict[str, Any] = {"api_keys": ["ci:key-of-ci:admin", "eye:key-of-eye:viewer"]}


def audit(server: Server, headers: dict[str, str] | None = None, **filters: Any) -> Any:
    return server.request("GET", "/api/audit", params=filters, headers=headers).json()


def command(server: Server, path: str, headers: dict[str, str] | None = None, **more: Any) -> int:
    return server.request("POST", path, headers=headers, **more).status_code


def test_empty(server: Server) -> None:
    """Nothing was done yet."""
    assert {"audit": [], "total": 0, "offset": 0, "limit": 100} == audit(server)


def test_failed_command(serve: Serve) -> None:
    """A command that failed is kept with who sent it, what was asked, and why it failed."""
    server = serve(**KEYED)
    assert 404 == command(server, "/api/worker/pool/grow/w%2F1?n=2", ADMIN)
    (entry,) = audit(server, ADMIN)["audit"]
    assert ("key:ci", "127.0.0.1", "worker.pool.grow", "w/1", {"n": "2"}, "failed", 404, True) == (
        *(entry[name] for name in ("who", "address", "operation", "target", "arguments", "outcome", "status")),
        "w/1" in entry["message"],
    )


def test_done_command(server: Server) -> None:
    """A command that was done is kept without a message; where nobody logs in it was anybody."""
    assert 200 == command(server, "/api/task/send-task/a.task", json={"args": [1]})
    (entry,) = audit(server)["audit"]
    assert ("anybody", "task.send-task", "a.task", "done", 200, "") == tuple(
        entry[name] for name in ("who", "operation", "target", "outcome", "status", "message")
    )


@pytest.mark.parametrize(
    "options, headers, who, status",
    [
        (KEYED, {"Authorization": "Bearer key-of-eye"}, "key:eye", 403),
        (KEYED, {"Authorization": "Bearer wrong"}, "nobody", 401),
        (KEYED, {}, "nobody", 401),
        (KEYED, {**ADMIN, "Origin": "https://evil.example"}, "key:ci", 403),
        ({**KEYED, "read_only": True}, ADMIN, "key:ci", 403),
    ],
)
def test_refused_command(serve: Serve, options: dict[str, Any], headers: dict[str, str], who: str, status: int) -> None:
    """What the gate refuses is kept too, in read-only mode as well."""
    server = serve(**options)
    assert status == command(server, "/api/worker/shutdown/w1", headers)
    (entry,) = audit(server, ADMIN)["audit"]
    assert (who, "worker.shutdown", "w1", "refused", status) == tuple(
        entry[name] for name in ("who", "operation", "target", "outcome", "status")
    )


def test_refusals_are_throttled(serve: Serve) -> None:
    """Who is refused often fills neither the log nor the store."""
    server = serve(read_only=True)
    for _ in range(30):
        command(server, "/api/worker/shutdown/w1")
    found = audit(server)
    assert (10, True) == (found["total"], "not recorded" in found["audit"][0]["message"])


@pytest.mark.parametrize(
    "method, path", [("GET", "/api/tasks"), ("OPTIONS", "/api/worker/shutdown/w"), ("GET", "/nope")]
)
def test_reading_is_not_kept(serve: Serve, method: str, path: str) -> None:
    """Looking is no command."""
    server = serve(**KEYED)
    server.request(method, path)
    assert 0 == audit(server, ADMIN)["total"]


@pytest.mark.parametrize(
    "filters, targets",
    [
        ({}, ["w3", "w2", "w1"]),
        ({"limit": 1}, ["w3"]),
        ({"limit": 1, "offset": 1}, ["w2"]),
        ({"limit": 0}, []),
        ({"target": "w2"}, ["w2"]),
        ({"target": "w"}, []),
        ({"operation": "worker.shutdown"}, ["w3", "w2", "w1"]),
        ({"operation": "task.revoke"}, []),
        ({"who": "anybody"}, ["w3", "w2", "w1"]),
        ({"who": "user:ann"}, []),
        ({"outcome": "failed"}, ["w3", "w2", "w1"]),
        ({"outcome": "done"}, []),
        ({"since": 0}, ["w3", "w2", "w1"]),
        ({"until": "2001-01-01"}, []),
    ],
    ids=str,
)
def test_filters(server: Server, filters: dict[str, Any], targets: list[str]) -> None:
    """Every filter, and the newest first."""
    for number in (1, 2, 3):
        command(server, f"/api/worker/shutdown/w{number}")
    assert targets == [entry["target"] for entry in audit(server, **filters)["audit"]]


@pytest.mark.parametrize(
    "filters, argument",
    [
        ({"limit": "x"}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"offset": -1}, "offset"),
        ({"since": "soon"}, "since"),
        ({"since": 2, "until": 1}, "since"),
        ({"outcome": "maybe"}, "outcome"),
    ],
)
def test_wrong_filters(server: Server, filters: dict[str, Any], argument: str) -> None:
    """A wrong argument is named."""
    answer = server.get("/api/audit", **filters)
    assert (400, argument) == (answer.status_code, answer.json()["argument"])


def test_secrets_are_masked(server: Server) -> None:
    """Passwords do not come into the audit, and long values are cut."""
    body = {"args": ["redis://u:hush@h/0"], "kwargs": {"password": "hush", "text": "x" * 9000}}
    command(server, "/api/task/send-task/a.task", json=body)
    text = json.dumps(audit(server))
    assert ("hush" in text, "********" in text, len(text) < 2000) == (False, True, True)


def test_what_format_task_hides(serve: Serve) -> None:
    """Where arguments of tasks are hidden on the pages they are hidden here."""
    server = serve(format_task=lambda task: task)
    command(server, "/api/task/send-task/a.task", json={"args": ["hush"], "kwargs": {"a": "hush"}})
    (entry,) = audit(server)["audit"]
    assert {"args": "[hidden: format_task]", "kwargs": "[hidden: format_task]"} == entry["arguments"]


@pytest.mark.parametrize("target", ["%F0%9F%8D%B0", "a%00b", "%22%0Ax", "%ED%A0%80"])
def test_strange_targets(server: Server, target: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever the target, the row is kept and the log line is one line of JSON."""
    with caplog.at_level(logging.INFO, "flower.audit"):
        status = command(server, f"/api/worker/shutdown/{target}")
    found = audit(server)
    lines = [record.getMessage() for record in caplog.records if record.name == "flower.audit"]
    assert status in (400, 404)
    assert [found["total"]] * 2 == [len(lines), len([json.loads(line) for line in lines])]
    assert [] == [line for line in lines if "\n" in line]


def test_log_line(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """The log has the same facts as the answer."""
    with caplog.at_level(logging.INFO, "flower.audit"):
        command(server, "/api/worker/shutdown/w1")
    (line,) = [json.loads(record.getMessage()) for record in caplog.records if record.name == "flower.audit"]
    assert [line] == audit(server)["audit"]


def test_survives_a_restart(serve: Serve, tmp_path: Path) -> None:
    """With --persistent the audit outlives the process."""
    options = {"persistent": True, "db": str(tmp_path / "flower.sqlite3")}
    first = serve(**options)
    command(first, "/api/worker/shutdown/w1")
    first.app.events.state.stop()
    assert ["w1"] == [entry["target"] for entry in audit(serve(**options))["audit"]]
