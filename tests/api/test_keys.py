"""API keys without users, hashed keys, and failed logins."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from flower.apikeys import hashed
from tests.api.conftest import Serve, Server

KEY = {"Authorization": "Bearer a-long-and-random-key"}


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/task/x", "/broker", "/stream", "/tasks/datatable"])
@pytest.mark.parametrize("open_api", [True, False])
def test_keys_alone_close_the_pages(serve: Serve, path: str, open_api: bool) -> None:
    """With keys alone a browser sees no page, is not asked for a password that there is not, and is told why."""
    answer = serve(open_api=open_api, api_keys=["ci:key"]).get(path)
    assert (401, None, True) == (
        answer.status_code,
        answer.headers.get("WWW-Authenticate"),
        "basic_auth" in answer.text,
    )


@pytest.mark.parametrize("path", ["/metrics", "/healthcheck", "/static/js/time.js"])
def test_always_open(serve: Serve, path: str) -> None:
    """What is open to everybody stays so, even with a wrong key."""
    server = serve(api_keys=["ci:key"])
    assert [200, 200] == [
        server.request("GET", path, headers=headers).status_code for headers in ({}, {"Authorization": "Bearer x"})
    ]


def test_keys_alone_ask_for_a_key(serve: Serve) -> None:
    """The API asks for a key, and for no password."""
    assert 'Bearer realm="flower"' == serve(api_keys=["ci:key"]).get("/api/tasks").headers["WWW-Authenticate"]


def test_hashed_keys_of_a_file(serve: Serve, tmp_path: Path) -> None:
    """A key that is stored hashed lets in who has the key."""
    file = tmp_path / "keys"
    file.write_text(f"# keys\nci:{hashed('a-long-and-random-key')}:viewer\n", encoding="utf-8")
    server = serve(api_keys_file=str(file))
    assert [200, 401] == [
        server.request("GET", "/api/tasks", headers=headers).status_code for headers in (KEY, {**KEY, **wrong(1)})
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_key_outside_ascii(serve: Serve, encoding: str) -> None:
    """Any bytes in the header are compared as bytes and never a 500."""
    server = serve(api_keys=["ci:schlüssel"])
    statuses = [
        requests.get(server.url + "/api/tasks", headers={"Authorization": b"Bearer " + key}, timeout=10).status_code
        for key in ("schlüssel".encode(encoding), "schlüsse1".encode(encoding), b"\xff\xfe")
    ]
    assert [200, 401, 401] == statuses


def wrong(number: int) -> dict[str, str]:
    return {"Authorization": f"Bearer wrong-{number}"}


def exhausted(serve: Serve) -> Server:
    """A server that has seen ten wrong keys."""
    server = serve(api_keys=["ci:a-long-and-random-key"], basic_auth=["ann:word"])
    for number in range(10):
        assert 401 == server.request("GET", "/api/tasks", headers=wrong(number)).status_code
    return server


@pytest.mark.parametrize("headers", [wrong(11), wrong(1), KEY], ids=["new", "old", "right"])
@pytest.mark.parametrize("path", ["/api/tasks", "/tasks"])
def test_guessing_is_stopped(serve: Serve, headers: dict[str, str], path: str) -> None:
    """The eleventh login is not looked at, right or wrong."""
    answer = exhausted(serve).request("GET", path, headers=headers)
    assert (429, True) == (answer.status_code, 0 < int(answer.headers["Retry-After"]) <= 60)


def test_stopped_guessing_leaves_the_rest_open(serve: Serve) -> None:
    """What needs no login answers as before, and so does a request without one."""
    server = exhausted(serve)
    paths = ("/healthcheck", "/metrics", "/nope", "/api/nope")
    assert [200, 200, 404, 404] == [server.request("GET", path, headers=wrong(1)).status_code for path in paths]
    assert 401 == server.get("/api/tasks").status_code


def test_error_is_json(serve: Serve) -> None:
    """It is told like every error of the API."""
    body = exhausted(serve).request("GET", "/api/tasks", headers=KEY).json()
    assert ({"error", "status"}, 429) == (body.keys(), body["status"])
