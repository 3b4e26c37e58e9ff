"""Below which path a proxy shows Flower, as `X-Forwarded-Prefix` tells it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest

from tests import factories as make
from tests.api.conftest import Serve, Server

PREFIX = {"X-Forwarded-Prefix": "/ops/flower"}
ADDRESS = re.compile(r"""\b(?:href|src|action|hx-get|hx-post|data-prefix|data-root)=["']([^"'#]*)["']""")
CLUSTERS = '{"mail": {"broker": "memory://"}, "shop": {"broker": "memory://"}}'


@pytest.fixture
def server(serve: Serve) -> Server:
    """A server that believes its proxy."""
    server = serve(xheaders=True)
    server.feed(make.heartbeat(), make.success("a"))
    return server


def addresses(server: Server, path: str, **headers: str) -> list[str]:
    """What a page leads to, on this site."""
    answer = server.request("GET", path, headers=headers)
    assert 200 == answer.status_code
    found = {urljoin("/", unescape(address)) for address in ADDRESS.findall(answer.text)}
    return sorted(address for address in found if address.startswith("/"))


@pytest.mark.parametrize("path", ["/", "/tasks", "/workers", "/broker", "/task/a", "/worker/celery@w1"])
def test_every_address_is_below_it(server: Server, path: str) -> None:
    """No address of a page leaves the path, those of files included; without the header none has it."""
    below = addresses(server, path, **PREFIX)
    assert ([], True) == ([each for each in below if not each.startswith("/ops/flower")], len(below) > 10)
    assert [] == [each for each in addresses(server, path) if each.startswith("/ops")]


def test_addresses_lead_back(server: Server) -> None:
    """What they lead to is found, whether the proxy strips the path or keeps it."""
    below = [
        address for address in addresses(server, "/tasks", **PREFIX) if "/static/" in address or "/task/" in address
    ]
    stripped = [server.request("GET", each.removeprefix("/ops/flower"), headers=PREFIX).status_code for each in below]
    kept = [server.request("GET", each, headers=PREFIX).status_code for each in below]
    assert {200} == {*stripped, *kept}


def test_redirects(server: Server) -> None:
    """So do redirects."""
    answer = server.request("GET", "/dashboard/", headers=PREFIX)
    assert (True, True) == (answer.status_code in (301, 302), answer.headers["Location"].startswith("/ops/flower/"))


@pytest.mark.parametrize(
    "prefix",
    [
        "//evil.example",
        "https://evil.example",
        "/a/../b",
        "/..",
        "/a//b",
        "ops",
        "/a b",
        '/a"><script>',
        "/a,/b",
        "/%2e%2e",
        "/" + "a" * 500,
        "/",
        "",
    ],
)
def test_refused(server: Server, prefix: str) -> None:
    """What is no plain path is left out of account."""
    assert addresses(server, "/tasks") == addresses(server, "/tasks", **{"X-Forwarded-Prefix": prefix})


def test_not_believed(serve: Serve) -> None:
    """Without --xheaders it says nothing."""
    server = serve()
    assert addresses(server, "/tasks") == addresses(server, "/tasks", **PREFIX)


def test_url_prefix_wins(serve: Serve) -> None:
    """With --url_prefix, that alone holds."""
    server = serve(xheaders=True, url_prefix="watch")
    assert addresses(server, "/watch/tasks") == addresses(server, "/watch/tasks", **PREFIX)


def test_clusters(serve: Serve, tmp_path: Path) -> None:
    """Each of several clusters is below it."""
    (tmp_path / "clusters.json").write_text(CLUSTERS)
    server = serve(xheaders=True, clusters=str(tmp_path / "clusters.json"))
    below = addresses(server, "/c/shop/tasks", **PREFIX)
    assert ([], True) == (
        [each for each in below if not each.startswith("/ops/flower")],
        "/ops/flower/c/shop/workers" in below,
    )
    answer = server.request("GET", "/tasks", headers=PREFIX)
    assert "/ops/flower/c/" in answer.headers["Location"]


def test_many_paths(server: Server) -> None:
    """However many paths are told, few are remembered."""
    for number in range(20):
        server.request("GET", "/workers", headers={"X-Forwarded-Prefix": f"/p{number}"})
    assert len(server.app.settings["site"].moved) <= 8
