"""Logins that cannot work, or would keep nobody out, end the start."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from flower.access import PUBLIC, VIEW
from flower.login.sessions import Sessions
from flower.options import OptionError
from flower.signin import entrance
from flower.store import StoreError
from flower.store.audit import AuditQuery
from flower.utils.hosts import Hosts, OwnHosts
from flower.views import BaseHandler
from tests.api.conftest import options_of

GITHUB = "flower.views.auth.GithubLoginHandler"
CLIENT = {"oauth2_key": "id", "oauth2_secret": "secret", "oauth2_redirect_uri": "https://flower.example/login"}
WHO = {"auth": ".*@example.com"}


class Badge(BaseHandler):
    """A login of one's own."""


class Nothing:
    """No handler."""


class Unreadable:
    """An audit whose store is away."""

    def search(self, _: AuditQuery) -> Any:
        raise StoreError("nobody is there")


@pytest.mark.parametrize(
    "options, message",
    [
        (WHO, "auth: needs auth_provider"),
        ({"auth_provider": GITHUB, **CLIENT}, "auth_provider: needs auth, the addresses that may log in"),
        ({"oidc_issuer": "https://x.example", **CLIENT}, "auth_provider: needs auth"),
        ({"oidc_allowed_groups": ["a"]}, "oidc_allowed_groups: needs oidc_issuer too"),
        ({**WHO, "auth_provider": GITHUB}, "auth_provider: GitHub needs oauth2_key and oauth2_secret"),
        ({**WHO, "auth_provider": GITHUB, "oauth2_key": "id"}, "auth_provider: GitHub needs oauth2_secret"),
        (
            {**WHO, **CLIENT, "oauth2_redirect_uri": None, "auth_provider": "flower.views.auth.GitLabLoginHandler"},
            "auth_provider: GitLab needs oauth2_redirect_uri",
        ),
        (
            {**WHO, **CLIENT, "auth_provider": "flower.views.auth.OktaLoginHandler"},
            "auth_provider: Okta needs oauth2_okta_base_url",
        ),
        (
            {**WHO, **CLIENT, "auth_provider": "flower.views.auth.OidcLoginHandler"},
            "auth_provider: OpenID Connect needs oidc_issuer",
        ),
        (
            {**WHO, **CLIENT, "auth_provider": GITHUB, "github_oauth_domain": "http://github.example"},
            "github_oauth_domain: must be a host name or an https URL, not 'http://github.example'",
        ),
        (
            {**WHO, **CLIENT, "oidc_issuer": "http://login.example"},
            "oidc_issuer: must be a host name or an https URL",
        ),
        (
            {**WHO, "auth_provider": "flower.views.auth.GihubLoginHandler"},
            "auth_provider: flower.views.auth.GihubLoginHandler cannot be imported: ",
        ),
        ({**WHO, "auth_provider": "no_such.Thing"}, "auth_provider: no_such.Thing cannot be imported: No module named"),
        (
            {**WHO, "auth_provider": "tests.unit.test_signin.Nothing"},
            "auth_provider: tests.unit.test_signin.Nothing must be a class made from flower.views.BaseHandler",
        ),
        (
            {**WHO, "auth_provider": "tests.unit.test_signin.GITHUB"},
            "auth_provider: tests.unit.test_signin.GITHUB must be a class",
        ),
        ({"roles": ["root:ann"]}, "roles: entry 1 must be role:address"),
        ({"basic_auth": ["ann:$2b$12$x"]}, "basic_auth: the hash of the password of 'ann' cannot be read"),
        ({"trusted_header": "X-User"}, "trusted_header: needs trusted_proxies too"),
        ({"trusted_proxies": ["10.0.0.1"]}, "trusted_proxies: needs trusted_header too"),
        ({"trusted_groups_header": "X-Groups"}, "trusted_groups_header: needs trusted_header too"),
        ({"metrics_auth": True}, "metrics_auth: needs a login to be set up"),
        ({"cors_origins": ["*"], "basic_auth": ["a:b"]}, "cors_origins: * cannot be combined with a login"),
        ({"cors_origins": ["*"], **WHO, **CLIENT, "auth_provider": GITHUB}, "cors_origins: * cannot be combined"),
    ],
)
def test_refused(options: dict[str, Any], message: str) -> None:
    """One line says which option is to blame."""
    with pytest.raises(OptionError) as told:
        entrance(options_of(**options), {})
    assert str(told.value).startswith(message)


def test_module_with_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the operator's that cannot be imported is told in one line too."""
    (tmp_path / "faulty_badge.py").write_text("1 / 0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match=r"^auth_provider: faulty_badge\.X cannot be imported: ZeroDivisionError: "):
        entrance(options_of(**WHO, auth_provider="faulty_badge.X"), {})


def test_class_in_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside flowerconfig.py is found."""
    (tmp_path / "own_badge.py").write_text(
        "from flower.views import BaseHandler\nclass Badge(BaseHandler): pass\n", encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    handler = entrance(options_of(**WHO, auth_provider="own_badge.Badge"), {}).handler
    assert handler is not None
    assert ("Badge", PUBLIC) == (handler.__name__, handler.permission)


def test_login_needs_no_login() -> None:
    """A class of one's own answers those who are nobody yet; made otherwise it stays as it is."""
    handler = entrance(options_of(**WHO, auth_provider="tests.unit.test_signin.Badge"), {}).handler
    assert handler is not None
    assert (PUBLIC, VIEW) == (handler.permission, Badge.permission)


@pytest.mark.parametrize(
    "options, kind",
    [
        ({}, OwnHosts),
        ({"address": "::1"}, OwnHosts),
        ({"address": "localhost"}, OwnHosts),
        ({"address": ""}, Hosts),
        ({"address": "10.0.0.1"}, Hosts),
        ({"xheaders": True}, Hosts),
        ({"unix_socket": "/tmp/f.sock"}, Hosts),
        ({"basic_auth": ["a:b"]}, Hosts),
        ({"allowed_hosts": ["a.example"]}, Hosts),
    ],
)
def test_host_names(options: dict[str, Any], kind: type[Hosts]) -> None:
    """Where being out of reach is the only protection, other names are not answered."""
    assert kind is type(entrance(options_of(**options), {}).hosts)


@pytest.mark.parametrize("name", ["GoogleAuth2", "Github", "GitLab", "Okta", "Oidc"])
def test_class_paths(name: str) -> None:
    """The class paths of Flower 2.x, and the new one, are known."""
    urls = {"oauth2_okta_base_url": "https://x.okta.example", "oidc_issuer": "https://x.example"}
    options = options_of(**WHO, **CLIENT, **urls, auth_provider=f"flower.views.auth.{name}LoginHandler")
    made = entrance(options, {})
    assert made.logins is not None
    assert (True, True) == (made.logins.provider is not None, made.logins.secure)


def test_sessions_of_before_are_not_trusted_blindly() -> None:
    """Where it cannot be read which were ended, everybody logs in anew."""
    made = entrance(options_of(**WHO, **CLIENT, auth_provider=GITHUB, cookie_secret="of the operator's own"), {})
    assert made.logins is not None
    before = Sessions().begin("ann@example.com").packed()
    made.gate(cast(Any, Unreadable()), cast(Any, None))
    assert (True, None) == (made.logins.sessions.takes_over, made.logins.sessions.find(before))
