"""Which other web sites may use the API from a browser."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Serve, Server

FRIEND = "https://status.example"
STRANGER = "https://evil.example"
KEYED: dict[str, Any] = {"api_keys": ["ci:key:admin"], "cors_origins": [FRIEND]}
KEY = {"Authorization": "Bearer key"}
COMMAND = "/api/task/revoke/no-such-task"


def allowed(server: Server, origin: str | None, method: str = "GET", path: str = "/api/tasks", **headers: str) -> Any:
    sent = {**headers, **({"Origin": origin} if origin else {})}
    return server.request(method, path, headers=sent).headers.get("Access-Control-Allow-Origin")


@pytest.mark.parametrize(
    "options", [{}, {"open_api": False}, {"basic_auth": ["u:p"]}, {"api_keys": ["ci:key"]}], ids=str
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
def test_nobody_by_default(serve: Serve, options: dict[str, Any], method: str) -> None:
    """Without --cors_origins no answer lets another site read it, in any mode."""
    headers = serve(**options).request(method, "/api/tasks", headers={"Origin": FRIEND}).headers
    assert [] == [name for name in headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    "origin, expected",
    [
        (FRIEND, FRIEND),
        ("HTTPS://STATUS.EXAMPLE", "HTTPS://STATUS.EXAMPLE"),
        (STRANGER, None),
        (f"{FRIEND}.evil.example", None),
        (f"{FRIEND}:8443", None),
        ("http://status.example", None),
        ("null", None),
        ("*", None),
        (None, None),
    ],
)
def test_exact_origins(serve: Serve, origin: str | None, expected: str | None) -> None:
    """Only the named origin itself is let in, not one that begins like it."""
    assert expected == allowed(serve(**KEYED), origin)


@pytest.mark.parametrize("origin", [FRIEND, STRANGER, None])
@pytest.mark.parametrize("headers", [KEY, {**KEY, "Accept-Encoding": "gzip"}, {}], ids=["key", "gzip", "nobody"])
def test_caches_are_told(serve: Serve, origin: str | None, headers: dict[str, str]) -> None:
    """An answer that depends on the origin says so, whoever asks, errors included."""
    sent = {**headers, **({"Origin": origin} if origin else {})}
    assert "Origin" in serve(**KEYED).request("GET", "/api/tasks", headers=sent).headers["Vary"]


def test_preflight(serve: Serve) -> None:
    """A browser that asks whether it may send a key with a POST is told yes, without a key."""
    answer = serve(**KEYED).request(
        "OPTIONS",
        COMMAND,
        headers={
            "Origin": FRIEND,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    asked = [answer.headers[f"Access-Control-Allow-{name}"] for name in ("Origin", "Methods", "Headers")]
    assert (204, FRIEND) == (answer.status_code, asked[0])
    assert "POST" in asked[1].split(", ")
    assert {"authorization", "content-type"} <= set(asked[2].split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_preflight_of_a_stranger(serve: Serve) -> None:
    """Another site is told nothing."""
    assert None is allowed(serve(**KEYED), STRANGER, "OPTIONS", COMMAND)


@pytest.mark.parametrize("path", ["/", "/tasks", "/metrics", "/static/css/flower.css"])
def test_pages_are_not_shared(serve: Serve, path: str) -> None:
    """Origins are let into the API only."""
    assert None is allowed(serve(**KEYED), FRIEND, path=path)


@pytest.mark.parametrize(
    "options, origin, method, expected",
    [
        ({}, STRANGER, "GET", "*"),
        ({}, None, "GET", "*"),
        ({}, STRANGER, "OPTIONS", "*"),
        ({"cors_origins": ["*", FRIEND]}, FRIEND, "GET", FRIEND),
    ],
)
def test_all_sites_may_read(
    serve: Serve, options: dict[str, Any], origin: str | None, method: str, expected: str
) -> None:
    """With `*` every site may read where nothing is protected."""
    assert expected == allowed(serve(**{"cors_origins": ["*"], **options}), origin, method)


def test_all_sites_may_not_command(serve: Serve) -> None:
    """With `*` a site is neither let through nor told that it would be."""
    server = serve(cors_origins=["*"])
    answer = server.request("POST", COMMAND, headers={"Origin": STRANGER, **KEY})
    preflight = server.request("OPTIONS", COMMAND, headers={"Origin": STRANGER})
    assert (403, "GET, HEAD, OPTIONS") == (answer.status_code, preflight.headers["Access-Control-Allow-Methods"])


@pytest.mark.parametrize(
    "headers, status",
    [
        ({"Origin": FRIEND, **KEY}, 404),
        ({"Origin": FRIEND, "Sec-Fetch-Site": "cross-site", **KEY}, 404),
        ({"Origin": FRIEND, "Authorization": "Bearer wrong"}, 401),
        ({"Origin": FRIEND}, 403),
        ({"Origin": FRIEND, "Authorization": "Basic dTpw"}, 403),
        ({"Origin": STRANGER, **KEY}, 403),
        ({"Origin": "null", **KEY}, 403),
        ({"Sec-Fetch-Site": "cross-site", **KEY}, 403),
        ({**KEY}, 404),
    ],
)
def test_commands_of_other_sites(serve: Serve, headers: dict[str, str], status: int) -> None:
    """A script of a named site may command with an API key; nothing else from another site is let through."""
    server = serve(basic_auth=["u:p"], **KEYED)
    assert status == server.request("POST", "/api/worker/shutdown/nobody", headers=headers).status_code


@pytest.mark.parametrize("origins", [[FRIEND], ["*", FRIEND]])
def test_named_site_needs_a_key(serve: Serve, origins: list[str]) -> None:
    """Where nobody has to log in a made-up key lets no other site command."""
    answer = serve(cors_origins=origins).request("POST", COMMAND, headers={"Origin": FRIEND, **KEY})
    assert 403 == answer.status_code
