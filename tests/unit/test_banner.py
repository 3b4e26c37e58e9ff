"""What the log says when the server is ready."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import celery
import pytest

from flower.banner import audience, broker, places, print_banner
from flower.options import options


@pytest.mark.parametrize(
    "values, ssl, expected",
    [
        ({}, False, ["at http://127.0.0.1:5601", "at http://0.0.0.0:5601 (all interfaces)"]),
        ({"address": "0.0.0.0"}, False, ["at http://127.0.0.1:5601", "at http://0.0.0.0:5601 (all interfaces)"]),
        ({"address": "::"}, False, ["at http://127.0.0.1:5601", "at http://[::]:5601 (all interfaces)"]),
        ({"address": "::1"}, False, ["at http://[::1]:5601"]),
        ({"address": "10.1.2.3"}, True, ["at https://10.1.2.3:5601"]),
        ({"address": "localhost", "url_prefix": "/a/b"}, False, ["at http://localhost:5601/a/b/"]),
        ({"unix_socket": "/run/f.sock"}, False, ["via unix socket file: /run/f.sock"]),
    ],
)
def test_places(values: dict[str, Any], ssl: bool, expected: list[str]) -> None:
    """The banner says where the server really listens."""
    for name, value in values.items():
        options[name] = value
    assert expected == list(places(ssl, 5601))


@pytest.mark.parametrize(
    "conf, expected",
    [
        ({"broker_url": "redis://:pw@localhost/0"}, "redis://:**@localhost/0"),
        ({"broker_url": "redis://localhost/0"}, "redis://localhost/0"),
        ({"broker_url": ["amqp://a:b@one//", "amqp://c:d@two//"]}, "amqp://a:**@one//;amqp://c:**@two//"),
        ({"broker_url": "redis://a/0", "broker_read_url": "redis://:pw@b/0"}, "redis://:**@b/0"),
    ],
)
def test_broker(conf: dict[str, Any], expected: str) -> None:
    """The broker is shown without passwords, and without a mask where there is none."""
    capp = celery.Celery("shown")
    capp.conf.update(conf)
    assert expected == broker(capp)


@pytest.mark.parametrize(
    "values, api, expected",
    [
        ({"basic_auth": ["a:b"]}, "", "Access: 1 user with a password; everybody: /metrics and /healthcheck"),
        ({"basic_auth": ["a:b", "c:d"]}, "", "Access: 2 users with a password; everybody: /metrics and /healthcheck"),
        (
            {"basic_auth": ["a:b"], "metrics_auth": True},
            "",
            "Access: 1 user with a password; everybody: /healthcheck",
        ),
        (
            {"auth": ".*@example.com", "auth_provider": "flower.views.auth.GithubLoginHandler"},
            "",
            "Access: .*@example.com through flower.views.auth.GithubLoginHandler; everybody: /metrics and /healthcheck",
        ),
        (
            {"oidc_issuer": "https://login.example", "oidc_allowed_groups": ["ops"]},
            "",
            (
                "Access: members of ops through OpenID Connect at https://login.example; "
                "everybody: /metrics and /healthcheck"
            ),
        ),
        (
            {"trusted_header": "X-User", "trusted_proxies": ["10.0.0.1"]},
            "",
            "Access: those whom 10.0.0.1 names in X-User; everybody: /metrics and /healthcheck",
        ),
        (
            {"api_keys": ["ci:a", "cd:b:admin"]},
            "true",
            (
                "Access: 2 API keys (ci: viewer, cd: admin); the pages are closed, as only basic_auth opens them; "
                "everybody: /metrics and /healthcheck"
            ),
        ),
        (
            {"basic_auth": ["a:b"], "api_keys": [f"k{number}:x" for number in range(7)]},
            "",
            (
                "Access: 1 user with a password; 7 API keys (k0: viewer, k1: viewer, k2: viewer, k3: viewer, "
                "k4: viewer, 2 more); everybody: /metrics and /healthcheck"
            ),
        ),
        (
            {},
            "",
            (
                "Access: no login is set up. Everybody who can reach this address can see all tasks with their "
                "arguments and results, the REST API is closed"
            ),
        ),
        (
            {"address": "127.0.0.1"},
            "true",
            (
                "Access: no login is set up. Everybody on this machine can see all tasks with their arguments "
                "and results, and use the REST API"
            ),
        ),
        (
            {"unix_socket": "/run/f.sock"},
            "true",
            (
                "Access: no login is set up. Everybody on this machine can see all tasks with their arguments "
                "and results, and use the REST API"
            ),
        ),
    ],
)
def test_audience(values: dict[str, Any], api: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The banner says who can see and do what."""
    monkeypatch.setenv("FLOWER_UNAUTHENTICATED_API", api)
    for name, value in values.items():
        options[name] = value
    assert expected == audience()


def app() -> SimpleNamespace:
    capp = celery.Celery("shown", broker="redis://:pw@localhost/0", set_as_current=False)

    @capp.task(name="proj.add", shared=False)
    def add() -> None: ...

    cluster = SimpleNamespace(capp=capp, store=SimpleNamespace(description="SQLite file /x"))
    return SimpleNamespace(capp=capp, watched=[SimpleNamespace(name="", cluster=cluster)])


@pytest.mark.parametrize(
    "line",
    [
        "Visit me at http://127.0.0.1:5555",
        "Broker: redis://:**@localhost/0",
        "Tasks are stored in: SQLite file /x",
        "  proj.add",
    ],
)
def test_banner(line: str, caplog: pytest.LogCaptureFixture) -> None:
    """The banner has the places, the broker, the store and the registered tasks."""
    caplog.set_level(logging.INFO)
    print_banner(app(), False)
    assert line in "\n".join(caplog.messages).splitlines()


@pytest.mark.parametrize(
    "values, expected",
    [({}, ["WARNING"]), ({"address": "127.0.0.1"}, []), ({"basic_auth": ["a:b"]}, [])],
)
def test_open_server_is_a_warning(
    values: dict[str, Any], expected: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """A server that anybody on the network can read is worth a warning."""
    for name, value in values.items():
        options[name] = value
    print_banner(app(), False)
    assert expected == [record.levelname for record in caplog.records if record.levelno >= logging.WARNING]
