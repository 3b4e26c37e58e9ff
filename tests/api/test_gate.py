"""Who gets in, for what, and how a refusal is told."""

from __future__ import annotations

import base64
from typing import Any

import pytest
import tornado.web

from flower.api import BaseApiHandler
from flower.views import BaseHandler
from flower.views.monitor import Metrics
from tests import factories as make
from tests.api.conftest import Serve, Server

CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
PAGES = ("/", "/workers", "/tasks", "/broker")
API = ("/api/workers", "/api/tasks", "/api/task/types", "/api/task/info/x", "/api/queues/length")
OPEN = ("/metrics", "/healthcheck", "/logout")
POLICY = "default-src 'self'"


def basic(credentials: str, encoding: str = "utf-8", scheme: str = "Basic") -> dict[str, str]:
    return {"Authorization": f"{scheme} {base64.b64encode(credentials.encode(encoding)).decode()}"}


def answer_of(server: Server, method: str, path: str, **headers: str) -> tuple[int, str]:
    answer = server.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    return answer.status_code, answer.text


@pytest.mark.parametrize("path", API)
def test_closed_api(serve: Serve, path: str) -> None:
    """Without a login and without FLOWER_UNAUTHENTICATED_API the API tells nobody anything."""
    answer = serve(open_api=False).get(path)
    assert (401, {"error": CLOSED, "status": 401}) == (answer.status_code, answer.json())
    assert "WWW-Authenticate" not in answer.headers


def test_closed_classic_api(serve: Serve) -> None:
    """Flower 2.x told it in plain text."""
    answer = serve(open_api=False, classic_api=True).get("/api/workers")
    assert (401, CLOSED, "text/plain; charset=UTF-8") == (
        answer.status_code,
        answer.text,
        answer.headers["Content-Type"],
    )


@pytest.mark.parametrize("path", [*PAGES, *OPEN])
def test_closed_api_leaves_pages_open(serve: Serve, path: str) -> None:
    """Pages, metrics and health need no login when none is set up."""
    assert 200 == serve(open_api=False).get(path).status_code


@pytest.mark.parametrize("path", [*PAGES, *API])
def test_login_needed(serve: Serve, path: str) -> None:
    """With --basic_auth pages and API ask for a login."""
    answer = serve(open_api=False, basic_auth=["u:p"]).get(path)
    assert (401, 'Basic realm="flower", charset="UTF-8"') == (answer.status_code, answer.headers["WWW-Authenticate"])


@pytest.mark.parametrize("path", OPEN)
def test_login_not_needed(serve: Serve, path: str) -> None:
    """Metrics, health and logout never need a login."""
    assert 200 == serve(basic_auth=["u:p"]).get(path).status_code


def test_open_api_variable_does_not_beat_a_login(serve: Serve) -> None:
    """FLOWER_UNAUTHENTICATED_API opens nothing when a login is set up."""
    assert 401 == serve(open_api=True, basic_auth=["u:p"]).get("/api/workers").status_code


@pytest.mark.parametrize(
    "headers, status",
    [
        (basic("ann:secret"), 200),
        (basic("ben:pa:ss"), 200),
        (basic("zoë:pässwörd ☃"), 200),
        (basic("üser:ß", "latin-1"), 200),
        (basic("ann:secret", scheme="bAsIc"), 200),
        (basic("ann:secret", scheme="Basic  "), 200),
        (basic("ann:wrong"), 401),
        (basic("ann:"), 401),
        (basic("ann"), 401),
        (basic("ANN:secret"), 401),
        (basic("zoë:x"), 401),
        (basic("ann:secret", scheme="Bearer"), 401),
        ({"Authorization": "Basic"}, 401),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": "Basic " + "A" * 4001}, 401),
        ({"Authorization": ""}, 401),
        ({}, 401),
    ],
)
def test_basic(serve: Serve, headers: dict[str, str], status: int) -> None:
    """Any UTF-8 login works, anything else is a 401 and never a 500."""
    server = serve(basic_auth=["ann:secret", "ben:pa:ss", "zoë:pässwörd ☃", "üser:ß"])
    assert [status, status] == [
        server.request("GET", path, headers=headers).status_code for path in ("/api/workers", "/")
    ]


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "none"}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 200),
    ],
)
@pytest.mark.parametrize("options", [{}, {"open_api": False}, {"basic_auth": ["u:p"]}], ids=str)
def test_foreign_requests(serve: Serve, options: dict[str, Any], headers: dict[str, str], status: int) -> None:
    """Another site's page can make a browser command nothing, in any mode."""
    path = "/tasks/datatable?draw=1&start=0&length=1&order[0][column]=0"
    login = {"Authorization": basic("u:p")["Authorization"]}
    assert status == answer_of(serve(**options), "POST", path, **login, **headers)[0]


def test_own_origin(server: Server) -> None:
    """Our own pages may."""
    path = "/tasks/datatable?draw=1&start=0&length=1&order[0][column]=0"
    assert 200 == answer_of(server, "POST", path, Origin=server.url)[0]


def test_foreign_reading(server: Server) -> None:
    """A request that only reads is not refused for its origin."""
    assert 200 == answer_of(server, "GET", "/", Sec_Fetch_Site="cross-site")[0]


class NoPermission(BaseHandler):
    """A handler whose author forgot."""

    permission = ""

    def get(self) -> None:
        self.finish("secret")


class Command(BaseApiHandler):
    """A handler that changes something."""

    permission = "task.revoke"

    def post(self) -> None:
        self.finish("done")


def served(server: Server, handler: type[tornado.web.RequestHandler]) -> Server:
    server.app.add_handlers(".*", [("/extra", handler)])
    return server


def test_no_permission_stated(server: Server) -> None:
    """A handler that states no permission is refused, not left open."""
    status, text = answer_of(served(server, NoPermission), "GET", "/extra")
    assert (403, False) == (status, "secret" in text)


def test_read_only(serve: Serve) -> None:
    """Read-only mode refuses every permission but viewing."""
    server = served(serve(read_only=True), Command)
    assert (403, '{"error":"Read only mode is enabled","status":403}') == answer_of(server, "POST", "/extra")
    assert [200, 200] == [server.get(path).status_code for path in ("/", "/api/tasks")]


def test_command(server: Server) -> None:
    """Without read-only mode it is done."""
    assert (200, "done") == answer_of(served(server, Command), "POST", "/extra")


@pytest.mark.parametrize("path", ["/", "/nope", "/api/tasks", "/api/nope", "/healthcheck", "/static/nope.js"])
def test_security_headers(server: Server, path: str) -> None:
    """Every answer, errors and files included, keeps browsers from guessing, framing and running foreign code."""
    headers = server.get(path).headers
    assert ("nosniff", "DENY", "same-origin", POLICY) == (
        headers["X-Content-Type-Options"],
        headers["X-Frame-Options"],
        headers["Referrer-Policy"],
        headers["Content-Security-Policy"].partition(";")[0],
    )
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_protected_metrics(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documented way to protect /metrics still works."""
    monkeypatch.setattr(Metrics, "get", tornado.web.authenticated(Metrics.get))
    server = serve(basic_auth=["u:p"])
    assert 401 == server.get("/metrics").status_code
    assert 200 == server.request("GET", "/metrics", headers=basic("u:p")).status_code


def test_format_task_is_applied(serve: Serve) -> None:
    """What format_task hides is hidden in the API too."""

    def hide(task: Any) -> Any:
        task.args = "hidden"
        return task

    server = serve(format_task=hide)
    server.feed(make.success("a"))
    assert "hidden" == server.json("/api/tasks")["tasks"][0]["args"]
    assert "hidden" == server.json("/api/task/info/a")["args"]


@pytest.mark.parametrize(
    "hook", [lambda task: task.kwargs.pop("x"), lambda task: None], ids=["raises", "returns nothing"]
)
@pytest.mark.parametrize("classic", [False, True])
def test_format_task_fails_closed(serve: Serve, hook: Any, classic: bool) -> None:
    """A format_task that fails hides the payload instead of showing what it should have hidden."""
    server = serve(format_task=hook, classic_api=classic)
    server.feed(make.success("a"), make.failure("b"))
    answers = [server.get(path).text for path in ("/api/tasks", "/api/task/info/a", "/api/task/info/b")]
    assert ["[hidden: format_task failed]" in answer for answer in answers] == [True, True, True]
    assert [secret for secret in ("(1, 2)", "[1,2]", "boom") for answer in answers if secret in answer] == []
