"""Every route, and what all of them have in common."""

from __future__ import annotations

import gzip
import http.client
import re

import pytest

from flower import urls
from flower.control import OPERATIONS
from tests import factories as make
from tests.api.conftest import Serve, Server

SAMPLES = {
    r"/worker/(.+)$": "/worker/celery@w1",
    r"/task/(.+)$": "/task/a",
    r"/api/task/info/(.*)$": "/api/task/info/a",
    r"/tasks/datatable$": "/tasks/datatable?draw=1&start=0&length=5&order[0][column]=0",
    r"/queue/(.+)$": "/queue/celery",
    r"/login/?$": None,
    r"/clusters$": None,
    r"/api/clusters$": None,
    r"/stream$": None,
    r"/api/events$": None,
    r"(/.+)/$": None,
    r"/api/.*$": None,
}
"""Paths for the patterns that are no paths; None for those that other tests call."""

SAMPLES |= {f"{operation.pattern}$": None for operation in OPERATIONS}


def plain(pattern: str) -> str:
    """The path of a pattern that matches only one."""
    return pattern.removesuffix("$").replace("\\.", ".")


PATHS = [
    path for spec in urls.handlers if (path := SAMPLES.get(spec.regex.pattern, plain(spec.regex.pattern))) is not None
]


def living(server: Server) -> Server:
    server.feed(make.heartbeat(), make.success("a"))
    return server


@pytest.mark.parametrize("path", PATHS)
def test_get(server: Server, path: str) -> None:
    """Every route answers."""
    assert 200 == living(server).get(path).status_code


@pytest.mark.parametrize("path", PATHS)
def test_head(server: Server, path: str) -> None:
    """HEAD answers as GET, without the body."""
    answer = living(server).request("HEAD", path)
    assert (200, b"") == (answer.status_code, answer.content)


@pytest.mark.parametrize("path", PATHS)
def test_options(server: Server, path: str) -> None:
    """OPTIONS says which methods there are."""
    answer = server.request("OPTIONS", path)
    assert (204, "") == (answer.status_code, answer.text)
    assert "GET, HEAD" in answer.headers["Allow"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["DELETE", "FOO"])
def test_other_methods(server: Server, path: str, method: str) -> None:
    """Any other method is a 405 that says what is allowed."""
    answer = server.request(method, path)
    assert (405, True) == (answer.status_code, "GET, HEAD" in answer.headers["Allow"])
    assert f"Method {method} is not allowed here" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_under_a_prefix(serve: Serve, path: str) -> None:
    """With url_prefix every route is under it."""
    server = living(serve(url_prefix="/deep/monitor/"))
    assert 200 == server.get(f"/deep/monitor{path}").status_code


def test_prefix_without_slash(serve: Serve) -> None:
    """The bare prefix leads to the first page."""
    answer = serve(url_prefix="monitor").get("/monitor")
    assert (302, "/monitor/") == (answer.status_code, answer.headers["Location"])


@pytest.mark.parametrize("path", PATHS)
def test_stripped_prefix(serve: Serve, path: str) -> None:
    """A proxy may strip the prefix, and probes need not know it."""
    server = living(serve(url_prefix="/deep/monitor/"))
    assert 200 == server.get(path).status_code


def test_links_of_a_stripped_prefix(serve: Serve) -> None:
    """The links have it nevertheless."""
    page = serve(url_prefix="monitor").get("/workers").text
    assert [] == re.findall(r'(?:href|src)="/(?!monitor/)[^"]*"', page)


def test_redirect_of_a_stripped_prefix(serve: Serve) -> None:
    """And so do redirections."""
    answer = serve(url_prefix="monitor").get("/workers/")
    assert (302, "/monitor/workers") == (answer.status_code, answer.headers["Location"])


def test_prefix_that_begins_like_a_page(serve: Serve) -> None:
    """A prefix is whole words: /tasks-old is not below /tasks."""
    assert [200, 404] == [
        serve(url_prefix="tasks").get(path).status_code for path in ("/tasks/workers", "/tasks-old/workers")
    ]


@pytest.mark.parametrize("path", ["/static/", "/monitor/static/"])
def test_static_under_a_prefix(serve: Serve, path: str) -> None:
    """Pages refer to files under the prefix."""
    page = serve(url_prefix="monitor").get("/monitor/").text
    assert (path == "/monitor/static/") == (f'"{path}' in page)


@pytest.mark.parametrize(
    "path, target",
    [
        ("/workers/", "/workers"),
        ("/tasks/?state=FAILURE", "/tasks?state=FAILURE"),
        ("/api/workers/", "/api/workers"),
        ("//evil.example/", "/evil.example"),
        ("/\\evil.example/", "/%5Cevil.example"),
        ("///evil.example//", "/evil.example"),
    ],
)
def test_trailing_slash(server: Server, path: str, target: str) -> None:
    """A slash too many leads to the page, never to another host."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    connection.close()
    assert (302, target) == (answer.status, answer.headers["Location"])


def test_unknown_page(server: Server) -> None:
    """An unknown address is a page that says so."""
    answer = server.get("/nope")
    assert (404, "text/html; charset=UTF-8") == (answer.status_code, answer.headers["Content-Type"])


@pytest.mark.parametrize("path", ["/api/nope", "/api/task/nope/x"])
def test_unknown_api(server: Server, path: str) -> None:
    """An unknown address in the API is told in JSON."""
    answer = server.get(path)
    assert (404, {"error": f"There is no {path} in the API", "status": 404}) == (answer.status_code, answer.json())


@pytest.mark.parametrize("path", ["/login", "/login/"])
def test_login_without_provider(server: Server, path: str) -> None:
    """There is nothing to log in to."""
    assert 404 == server.get(path).status_code


def test_stream(server: Server) -> None:
    """The stream of the pages begins with what is now."""
    with server.request("GET", "/stream", stream=True) as answer:
        first = next(answer.iter_lines(decode_unicode=True))
    assert ("text/event-stream; charset=UTF-8", "id: 1") == (answer.headers["Content-Type"], first)


def test_trailing_slash_under_a_prefix(serve: Serve) -> None:
    """The prefix is kept."""
    answer = serve(url_prefix="monitor").get("/monitor/workers/")
    assert (302, "/monitor/workers") == (answer.status_code, answer.headers["Location"])


def test_unexpected_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours is a 500 that shows nothing of its inside."""

    def fail() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(server.app.cluster.store, "names", fail)
    answer = server.get("/api/task/types")
    assert (500, {"error": "Internal Server Error", "status": 500}) == (answer.status_code, answer.json())


def test_etag(server: Server) -> None:
    """An unchanged answer need not be sent twice."""
    first = living(server).get("/api/tasks")
    again = server.request("GET", "/api/tasks", headers={"If-None-Match": first.headers["Etag"]})
    assert (304, "") == (again.status_code, again.text)


def test_bad_unicode(server: Server) -> None:
    """Bytes that are no text are a 400."""
    assert 400 == server.get("/api/tasks?search=%ff").status_code


def test_pages_are_compressed(server: Server) -> None:
    """Pages are sent compressed."""
    assert "gzip" == server.get("/").headers["Content-Encoding"]


@pytest.mark.parametrize("accept", ["gzip", "identity"])
def test_compression_is_asked_for(server: Server, accept: str) -> None:
    """Nobody gets gzip who did not ask for it."""
    answer = server.request("GET", "/metrics", headers={"Accept-Encoding": accept}, stream=True)
    raw = answer.raw.read()
    assert (accept == "gzip") == raw.startswith(b"\x1f\x8b")
    assert b"flower" in (gzip.decompress(raw) if accept == "gzip" else raw)


def test_patterns_are_anchored() -> None:
    """No route matches a longer path by accident."""
    assert [] == [spec.regex.pattern for spec in urls.handlers if not spec.regex.pattern.endswith("$")]


def test_names_lead_to_their_routes(server: Server) -> None:
    """Named routes can be written as addresses."""
    named = [spec for spec in urls.handlers if spec.name and not re.search(r"[()?]", spec.regex.pattern)]
    assert [plain(spec.regex.pattern) for spec in named] == [server.app.reverse_url(spec.name) for spec in named]
