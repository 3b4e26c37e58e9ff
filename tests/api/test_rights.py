"""Every route of the API against everybody who may ask: nobody, each role, and another site."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from flower.access import LOWEST_ROLE, ROLES
from flower.control import OPERATIONS, Operation
from tests.api.conftest import Server

COMMANDS = [operation for operation in OPERATIONS if operation.method != "GET"]
READING = ["/api/workers", "/api/tasks", "/api/task/types", "/api/queues/length", "/api/stats", "/workers", "/tasks"]
FRIEND = "https://status.example"
TOO_LONG = "x" * 5000
"""A target that is refused after the gate and before anything is done."""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server with a key of each role and one user."""
    server = Server(api_keys=[f"{role}:key-of-{role}:{role}" for role in ROLES], basic_auth=["ann:word"])
    yield server
    server.end()


def as_role(role: str) -> dict[str, str]:
    return {"Authorization": f"Bearer key-of-{role}"}


ANN = {"Authorization": f"Basic {base64.b64encode(b'ann:word').decode()}"}


def status(server: Server, method: str, path: str, headers: dict[str, str]) -> int:
    return server.request(method, path, headers=headers).status_code


@pytest.mark.parametrize("operation", COMMANDS, ids=lambda operation: operation.name)
def test_commands(guarded: Server, operation: Operation) -> None:
    """Each command is for its role and those above, for users, and for nobody else."""
    path = operation.path.replace("{target}", TOO_LONG)
    name = operation.name
    least = ROLES.index(LOWEST_ROLE[name])
    expected = [403 if ROLES.index(role) < least else 400 for role in ROLES]
    assert expected == [status(guarded, "POST", path, as_role(role)) for role in ROLES]
    assert 400 == status(guarded, "POST", path, ANN)
    assert 401 == status(guarded, "POST", path, {})
    assert 403 == status(guarded, "POST", path, {**ANN, "Origin": FRIEND})
    assert 403 == status(guarded, "POST", path, {**as_role("admin"), "Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize("path", READING)
def test_reading(guarded: Server, path: str) -> None:
    """Every role reads, pages too; nobody else does."""
    assert [200, 200, 200] == [status(guarded, "GET", path, as_role(role)) for role in ROLES]
    assert [200, 401] == [status(guarded, "GET", path, headers) for headers in (ANN, {})]


def test_audit(guarded: Server) -> None:
    """The audit is for operators and admins."""
    assert [403, 200, 200] == [status(guarded, "GET", "/api/audit", as_role(role)) for role in ROLES]
    assert 401 == status(guarded, "GET", "/api/audit", {})


def test_result_is_reading(guarded: Server) -> None:
    """A viewer may ask for a result."""
    assert status(guarded, "GET", "/api/task/result/x", as_role("viewer")) not in (401, 403)


@pytest.mark.parametrize("header", ["Bearer key-of-admin2", "Bearer", "Bearer ", "bearer\tx", "Token key-of-admin"])
def test_wrong_key(guarded: Server, header: str) -> None:
    """Anything but a key is a 401 that says what would help."""
    answer = guarded.request("GET", "/api/tasks", headers={"Authorization": header})
    assert (401, {"error": "Access denied", "status": 401}) == (answer.status_code, answer.json())
    challenge = answer.headers["WWW-Authenticate"]
    assert ("Basic" in challenge, "Bearer" in challenge) == (True, True)
    assert ("invalid_token" in challenge) == (header == "Bearer key-of-admin2")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_scheme_has_no_case(guarded: Server, scheme: str) -> None:
    """The word before the key is read as HTTP says."""
    assert 200 == status(guarded, "GET", "/api/tasks", {"Authorization": f"{scheme} key-of-viewer"})


def test_role_is_told(guarded: Server) -> None:
    """Who lacks a role is told which."""
    answer = guarded.request("POST", "/api/worker/shutdown/w", headers=as_role("operator"))
    message = "The key operator is operator, worker.shutdown needs admin"
    assert {"error": message, "status": 403} == answer.json()


def test_unknown_routes_need_no_login(guarded: Server) -> None:
    """A path that leads nowhere is a 404 for everybody."""
    assert [404, 404] == [status(guarded, "GET", path, {}) for path in ("/api/nope", "/nope")]
