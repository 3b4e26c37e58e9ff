"""Every route, asked by everybody, with every method: what comes back is what docs/security.md says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.routing import URLSpec

from flower import urls
from flower.access import METRICS, PUBLIC
from flower.apikeys import ROLES
from flower.gate import SAFE_METHODS
from flower.rights import LOGIN, NO, WHO, YES, Right, methods_of, readable, rights, table
from tests.api.conftest import Server

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
FOREIGN = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
TOO_LONG = "x" * 5000
"""A target that is refused after the gate and before anything is done."""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server with a key of each role."""
    server = Server(api_keys=[f"{role}:key-of-{role}:{role}" for role in ROLES], basic_auth=["ann:word"])
    yield server
    server.end()


@pytest.fixture(scope="module")
def metrics_too() -> Iterator[Server]:
    """The same, with metrics_auth."""
    server = Server(api_keys=[f"{role}:key-of-{role}:{role}" for role in ROLES], metrics_auth=True)
    yield server
    server.end()


def headers_of(who: str) -> dict[str, str]:
    """What somebody sends; another site uses the browser of an admin."""
    if who == WHO[0]:
        return {}
    role = who if who in ROLES else ROLES[-1]
    return {"Authorization": f"Bearer key-of-{role}", **(FOREIGN if who not in ROLES else {})}


def path_of(spec: URLSpec) -> str:
    """An address of the route."""
    if spec.regex.pattern.startswith("(/"):
        return "/workers/"
    long = spec.regex.pattern.startswith("/api/") and "POST" in methods_of(spec)
    return readable(spec).replace("*", TOO_LONG if long else "nope")


def expected(spec: URLSpec, method: str, who: str) -> int | None:
    """The status, None for one of who is let in."""
    permission = spec.handler_class.permission
    right = Right("", method, permission)
    known = {*methods_of(spec), "HEAD", "OPTIONS"}
    if "GET" not in known:
        known.discard("HEAD")
    if method not in METHODS[:7]:
        return 405
    if who == WHO[-1] and method not in SAFE_METHODS:
        return 403
    if method != "OPTIONS" and who not in (*ROLES, WHO[-1]) and not right.open:
        return 401
    if method != "OPTIONS" and who in ROLES and ROLES.index(who) < ROLES.index(right.role) and not right.open:
        return 403
    if spec.handler_class.__name__ == "UnknownApiHandler":
        return 404
    return None if method in known else 405


def status(server: Server, method: str, path: str, who: str) -> tuple[int, dict[str, str]]:
    with server.request(method, path, headers=headers_of(who), stream=True) as answer:
        return answer.status_code, {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.parametrize("spec", urls.handlers, ids=lambda spec: spec.regex.pattern)
@pytest.mark.parametrize("who", WHO)
def test_every_route(guarded: Server, spec: URLSpec, who: str) -> None:
    """Who may is let in, who may not is refused for the reason that holds, whatever the method; no other site reads."""
    path = path_of(spec)
    for method in METHODS:
        found, headers = status(guarded, method, path, who)
        wanted = expected(spec, method, who)
        assert (method, found) == (method, wanted) if wanted else found not in (401, 403, 405, 500)
        assert [] == [name for name in headers if name.startswith("access-control")]
        assert ("nosniff", "DENY") == (headers["x-content-type-options"], headers["x-frame-options"])


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("path", ["/static/css/flower.css", "/static/nope", "/nope"])
def test_what_is_no_route(guarded: Server, path: str, who: str) -> None:
    """Static files are for everybody, and so is the answer to an unknown address."""
    assert (200 if "css" in path else 404) == status(guarded, "GET", path, who)[0]


@pytest.mark.parametrize("who, wanted", [("nobody", 401), *((role, 200) for role in ROLES)])
def test_metrics_auth(metrics_too: Server, who: str, wanted: int) -> None:
    """With metrics_auth every role reads the metrics, and nobody else."""
    assert wanted == status(metrics_too, "GET", "/metrics", who)[0]


@pytest.mark.parametrize("role, wanted", [("viewer", 403), ("operator", 403), ("admin", 404)])
def test_argument_with_a_right_of_its_own(guarded: Server, role: str, wanted: int) -> None:
    """Restarting pools is for admins also where it is an argument."""
    path = "/api/task/timeout/nope?workername=nope&soft=1&restart=true"
    assert wanted == status(guarded, "POST", path, role)[0]


def test_page_is_true() -> None:
    """docs/security.md has the table that `python -m flower.rights` makes."""
    found = re.search(r"<!-- rights -->\n(.*?)<!-- end -->", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    assert table() == found[1]


def test_little_is_open() -> None:
    """These need no login, and nothing else does."""
    opened = {right.path for right in rights() if right.permission in (PUBLIC, METRICS)}
    assert {"/login", "/logout", "/metrics", "/healthcheck", "*/", "/api/*"} == opened


def test_cells() -> None:
    """What the table says of a page, of a command, and of a command for admins."""
    cells = [Right("/x", "POST", name).cells() for name in ("view", "task.revoke", "worker.shutdown")]
    assert [
        (LOGIN, YES, YES, YES, NO),
        (LOGIN, NO, YES, YES, NO),
        (LOGIN, NO, NO, YES, NO),
    ] == cells
