"""Logging in through a provider, with a real one that can be told to misbehave."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from flower.login.google import Google
from flower.views import BaseHandler
from tests import factories as make
from tests.api.conftest import Serve
from tests.api.provider import (
    CLIENT,
    OTHER_KEY,
    REDIRECT,
    SECRET,
    Person,
    Provider,
    public_key,
    signed,
    signed_with_public_key,
    unsigned,
)

Enter = Callable[..., Person]


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.end()


@pytest.fixture
def enter(serve: Serve, provider: Provider) -> Enter:
    """Starts a server with a provider; somebody in front of it."""

    def start(kind: str = "Oidc", **options: Any) -> Person:
        values = {
            "auth_provider": f"flower.views.auth.{kind}LoginHandler",
            "auth": ".*@example.com",
            "oauth2_key": CLIENT,
            "oauth2_secret": SECRET,
            "oauth2_redirect_uri": REDIRECT,
            "oidc_issuer": provider.url if kind == "Oidc" else None,
            "github_oauth_domain": provider.url,
            "gitlab_oauth_domain": provider.url,
            "gitlab_min_access_level": 30,
            "oauth2_okta_base_url": provider.url,
        }
        return Person(serve(open_api=False, **{**values, **options}))

    return start


def status(answer: Any) -> tuple[int, str | None]:
    return answer.status_code, answer.headers.get("Location")


# -- the way there and back


@pytest.mark.parametrize("kind", ["GoogleAuth2", "Github", "GitLab", "Okta", "Oidc"])
def test_every_provider(enter: Enter, provider: Provider, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes back with a verified address that matches is in, whatever its case."""
    monkeypatch.setattr(Google, "token_url", f"{provider.url}/token")
    monkeypatch.setattr(Google, "user_url", f"{provider.url}/google")
    if kind == "Github":
        provider.email = [
            {"email": "ann@elsewhere.example", "primary": True, "verified": True},
            {"email": "ANN@example.com", "primary": False, "verified": True},
        ]
    ann = enter(kind)
    assert (302, "/") == status(ann.log_in(provider))
    assert [200, 200] == [ann.get(path).status_code for path in ("/", "/api/tasks")]
    assert "ann@example.com" in ann.get("/").text


@pytest.mark.parametrize("kind", ["GoogleAuth2", "Github", "GitLab", "Okta", "Oidc"])
def test_unverified_address(enter: Enter, provider: Provider, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that the provider has not verified lets nobody in."""
    monkeypatch.setattr(Google, "token_url", f"{provider.url}/token")
    monkeypatch.setattr(Google, "user_url", f"{provider.url}/google")
    provider.verified = False
    if kind == "Github":
        provider.email = [{"email": "ann@example.com", "primary": True, "verified": False}]
    ann = enter(kind)
    answer = ann.log_in(provider)
    assert (403, True) == (answer.status_code, "told no verified e-mail address of yours" in answer.text)
    assert 302 == ann.get("/").status_code


@pytest.mark.parametrize("verified", [None, "false", 0, "no", [], {"a": 1}])
def test_not_quite_verified(enter: Enter, provider: Provider, verified: Any) -> None:
    """Only a yes is a yes."""
    provider.verified = verified
    assert 403 == enter().log_in(provider).status_code


@pytest.mark.parametrize(
    "email",
    [
        "ann@example.com.evil.example",
        "ann@evil.example",
        "ann@example.com@evil.example",
        "ann@examplexcom",
        "evil.example/ann@example.com\n",
        "an\u212a@example.com",
        "ann@EXAMPLE.\u0421OM",
        "<script>@example.com",
        ["ann@example.com"],
        {"email": "ann@example.com"},
        "",
        None,
    ],
)
def test_other_addresses(enter: Enter, provider: Provider, email: Any) -> None:
    """Only the whole address counts: CVE-2022-30034 let in what merely began like one."""
    provider.email = email
    person = enter(auth=".*@example.com" if email != "evil.example/ann@example.com\n" else "ann@example.com")
    answer = person.log_in(provider)
    assert (403, False) == (answer.status_code, "<script>@" in answer.text)
    assert 302 == person.get("/").status_code


@pytest.mark.parametrize(
    "path", ["/tasks?state=FAILURE&search=a%26b", "/worker/celery@w1", "/task/x?a=1&b=%22%3Cscript%3E"]
)
def test_deep_link(enter: Enter, provider: Provider, path: str) -> None:
    """Who had to log in first ends where they wanted to go, to the letter."""
    ann = enter()
    there = ann.get(path)
    assert (302, "/login") == (there.status_code, urlsplit(there.headers["Location"]).path)
    assert (302, path) == status(ann.log_in(provider, there.headers["Location"]))


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/%0d%0ax: y",
        "\\\\evil",
        "x",
    ],
)
def test_no_open_redirect(enter: Enter, provider: Provider, target: str) -> None:
    """The way back never leaves this server."""
    assert (302, "/") == status(enter().log_in(provider, f"/login?next={target}"))


def test_prefix(enter: Enter, provider: Provider) -> None:
    """Under a prefix everything stays below it."""
    ann = enter(url_prefix="monitor")
    there = ann.get("/monitor/tasks").headers["Location"]
    assert there.startswith("/monitor/login?")
    back = provider.authorize(ann.leave(there))
    assert (302, "/monitor/tasks") == status(ann.get(f"/monitor{back}"))
    assert 200 == ann.get("/monitor/tasks").status_code


def test_two_tabs(enter: Enter, provider: Provider) -> None:
    """Two windows that log in at the same time both arrive."""
    ann = enter()
    first, second = (provider.authorize(ann.leave(f"/login?next=/{page}")) for page in ("tasks", "workers"))
    assert [(302, "/tasks"), (302, "/workers")] == [status(ann.get(back)) for back in (first, second)]


def test_who_is_in_needs_no_provider(enter: Enter, provider: Provider) -> None:
    """Whoever is logged in already goes straight on."""
    ann = enter()
    ann.log_in(provider)
    assert (302, "/tasks") == status(ann.get("/login?next=/tasks"))


# -- state, code and nonce


def test_state_is_used_once(enter: Enter, provider: Provider) -> None:
    """The same way back does not work twice, not even with the cookie of the first time."""
    ann = enter()
    there = ann.leave()
    held = ann.session.cookies.copy()
    back = provider.authorize(there)
    assert 302 == ann.get(back).status_code
    ann.session.cookies = held
    assert (403, True) == (ann.get(back).status_code, "used already" in ann.get(back).text)


def test_state_belongs_to_the_browser(enter: Enter, provider: Provider) -> None:
    """A way back that was made for another browser logs nobody in."""
    ann = enter()
    back, eve = provider.authorize(ann.leave()), Person(ann.server)
    eve.leave()
    assert 403 == eve.get(back).status_code
    assert 302 == eve.get("/").status_code


@pytest.mark.parametrize("query", ["code=x", "state=x", "code=x&state=", "error=access_denied", "code=x&state=%C3%BC"])
def test_no_state(enter: Enter, query: str) -> None:
    """Without the state nothing is believed, and nothing that is said is repeated."""
    answer = enter().get(f"/login?{query}&error_description=Call+0900-EVIL")
    assert (403, False, True) == (answer.status_code, "EVIL" in answer.text, "Try again" in answer.text)


def test_old_attempt(enter: Enter, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten minutes are enough."""
    ann = enter()
    back = provider.authorize(ann.leave())
    now = time.time() + 601
    monkeypatch.setattr(time, "time", lambda: now)
    assert 403 == ann.get(back).status_code


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another-program"},
        {"aud": [CLIENT, "another-program"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"iat": 4_000_000_000},
        {"nbf": 4_000_000_000},
        {"sub": None},
        {"aud": None},
    ],
    ids=str,
)
def test_wrong_token(enter: Enter, provider: Provider, change: dict[str, Any]) -> None:
    """A token that is for another attempt, program, provider or time is refused."""
    provider.more = change
    if None in change.values():
        provider.make = lambda claims: signed({name: value for name, value in claims.items() if value is not None})
    answer = enter().log_in(provider)
    assert (403, True) == (answer.status_code, "cannot be trusted" in answer.text)


@pytest.mark.parametrize(
    "make",
    [
        unsigned,
        signed_with_public_key,
        lambda claims: signed(claims, OTHER_KEY),
        lambda claims: signed(claims, kid="unknown"),
        lambda claims: signed(claims)[:-6] + "AAAAAA",
        lambda claims: "a.b.c",
        lambda claims: "",
        lambda claims: "x" * 200_000,
    ],
    ids=["none", "public key as secret", "other key", "unknown key", "bent", "no token", "empty", "huge"],
)
def test_wrong_signature(enter: Enter, provider: Provider, make: Callable[[dict[str, Any]], str]) -> None:
    """A token that the provider did not sign is refused."""
    provider.make = make
    person = enter()
    assert 403 == person.log_in(provider).status_code
    assert 302 == person.get("/").status_code


def test_new_key(enter: Enter, provider: Provider) -> None:
    """A provider may change its keys."""
    ann = enter()
    ann.log_in(provider)
    provider.keys, provider.make = [public_key("two")], lambda claims: signed(claims, kid="two")
    person = Person(ann.server)
    person.log_in(provider)
    assert provider.asked.count("/jwks") in (1, 2)


def test_several_audiences(enter: Enter, provider: Provider) -> None:
    """A token for several programs must say that it was given to this one."""
    provider.more = {"aud": [CLIENT, "api"], "azp": CLIENT}
    assert 302 == enter().log_in(provider).status_code


def test_userinfo(enter: Enter, provider: Provider) -> None:
    """What the token leaves out is asked for, and must be of the same person."""
    provider.claims_in_token = False
    ann = enter()
    assert 302 == ann.log_in(provider).status_code
    provider.userinfo = {"sub": "bob"}
    assert 403 == Person(ann.server).log_in(provider).status_code


def test_secret_in_a_header(enter: Enter, provider: Provider) -> None:
    """The secret goes where the provider wants it, in the spelling of RFC 6749."""
    provider.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_basic"]}
    assert 302 == enter().log_in(provider).status_code


def test_trusted_addresses(enter: Enter, provider: Provider) -> None:
    """Where users cannot choose their addresses, the operator may say so."""
    provider.verified = None
    provider.more = {"preferred_username": "ann@example.com"}
    assert 302 == enter(oidc_trust_email=True, oidc_email_claim="preferred_username").log_in(provider).status_code


@pytest.mark.parametrize("path, expected", [("", 302), ("/", 302), ("x", 403)])
def test_issuer_of_the_way_back(enter: Enter, provider: Provider, path: str, expected: int) -> None:
    """Where the way back says whose it is, it must be the provider's."""
    ann = enter()
    assert expected == ann.get(f"{provider.authorize(ann.leave())}&iss={provider.url}{path}").status_code


@pytest.mark.parametrize("kind, prompt", [("GoogleAuth2", "select_account"), ("Oidc", "login"), ("Github", None)])
def test_other_account(enter: Enter, provider: Provider, kind: str, prompt: str | None) -> None:
    """Who was refused can log in with another account: the provider is asked not to send the same one back."""
    asked = [dict(parse_qsl(urlsplit(enter(kind).leave(path)).query)) for path in ("/login", "/login?other=1")]
    assert [None, prompt] == [each.get("prompt") for each in asked]


# -- groups and roles


@pytest.mark.parametrize("groups, expected", [(["a", "b", "shop/ops"], 302), (["a", "b", "shop"], 403), ([], 403)])
def test_gitlab_groups(enter: Enter, provider: Provider, groups: list[str], expected: int) -> None:
    """One of the groups is needed too, on whichever page GitLab lists it."""
    provider.groups = groups
    assert expected == enter("GitLab", gitlab_auth_allowed_groups=["shop/ops"]).log_in(provider).status_code


@pytest.mark.parametrize("groups, expected", [(["ops"], 302), (["opsx"], 403), ([], 403)])
def test_oidc_groups(enter: Enter, provider: Provider, groups: list[str], expected: int) -> None:
    """With groups nobody need be named."""
    provider.groups, provider.email = groups, "anybody@anywhere.example"
    ann = enter(oidc_allowed_groups=["ops"], auth="")
    assert expected == ann.log_in(provider).status_code
    assert (200 if expected == 302 else 302) == ann.get("/").status_code


def test_claim_within_a_claim(enter: Enter, provider: Provider) -> None:
    """Keycloak tells its roles one floor down."""
    provider.more = {"realm_access": {"roles": ["ops"]}}
    ann = enter(oidc_allowed_groups=["ops"], oidc_groups_claim="realm_access.roles")
    assert 302 == ann.log_in(provider).status_code


@pytest.mark.parametrize(
    "roles, groups, expected",
    [
        (None, [], [200, 404]),
        (["admin:bob@example.com"], [], [403, 403]),
        (["operator:ANN@example.com"], [], [200, 403]),
        (["operator:.*@example.com"], [], [200, 403]),
        (["viewer:.*@example.com", "admin:group:ops"], ["ops"], [200, 404]),
        (["admin:group:ops"], ["opsx"], [403, 403]),
    ],
)
def test_roles(enter: Enter, provider: Provider, roles: Any, groups: list[str], expected: list[int]) -> None:
    """Addresses and groups decide what somebody may do."""
    provider.groups = groups
    ann = enter(roles=roles)
    ann.log_in(provider)
    found = [ann.get("/api/audit").status_code, ann.get("/api/worker/shutdown/nobody", "POST").status_code]
    assert expected == found


# -- when it goes wrong


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
def test_broken_provider(enter: Enter, provider: Provider, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that fails is a page that says so and lets one try again; then it works."""
    monkeypatch.setattr("flower.login.oidc.AGAIN_SECONDS", 0)
    provider.broken = {path}
    ann = enter()
    first = ann.get("/login?next=/tasks")
    answer = ann.get(provider.authorize(first.headers["Location"])) if first.status_code == 302 else first
    assert (502, True, True) == (answer.status_code, "Try again" in answer.text, "next=%2Ftasks" in answer.text)
    provider.broken = set()
    assert (302, "/tasks") == status(ann.log_in(provider, "/login?next=/tasks"))


def test_provider_is_down(enter: Enter, provider: Provider) -> None:
    """So is one that cannot be reached."""
    ann = enter()
    provider.end()
    answer = ann.get("/login")
    assert (502, True) == (answer.status_code, "cannot be reached" in answer.text)


def test_slow_provider(enter: Enter, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that does not answer is given up, and holds up nobody else."""
    monkeypatch.setattr("flower.login.provider.SECONDS", 0.2)
    ann = enter()
    provider.held.clear()
    assert 502 == ann.get("/login").status_code
    assert 200 == ann.get("/healthcheck").status_code


def test_codes_that_fail_are_slowed_down(enter: Enter, provider: Provider) -> None:
    """Guessing codes costs the provider nothing after ten of them."""
    ann = enter()
    provider.token_answer = {"error": "invalid_grant"}
    found = [ann.log_in(provider).status_code for _ in range(12)]
    assert [502] * 10 + [429] * 2 == found
    assert 10 == provider.asked.count("/token")


def test_provider_is_not_asked_by_all_at_once(enter: Enter, provider: Provider) -> None:
    """While it fails it is asked every two seconds, not by each who wants to log in."""
    provider.broken = {"/.well-known/openid-configuration"}
    ann = enter()
    began = time.monotonic()
    answers = [ann.get("/login").status_code for _ in range(20)]
    most = 1 + (time.monotonic() - began) // 2
    assert ([502] * 20, True) == (answers, provider.failed <= most)


def test_refusal_of_the_provider(enter: Enter, provider: Provider) -> None:
    """What the provider says is told, as text, to who was sent there."""
    ann = enter()
    state = dict(parse_qsl(urlsplit(ann.leave()).query))["state"]
    answer = ann.get(f"/login?error=access_denied&error_description=%3Cb%3Eno%3C/b%3E&state={state}")
    assert (403, True, False) == (answer.status_code, "&lt;b&gt;no" in answer.text, "<b>no" in answer.text)


@pytest.mark.parametrize("answer", [[], {}, {"access_token": 1}, {"error": "bad_verification_code"}, "text"], ids=str)
def test_no_token(enter: Enter, provider: Provider, answer: Any) -> None:
    """A code that the provider does not know logs nobody in."""
    provider.token_answer = answer
    assert 502 == enter().log_in(provider).status_code


@pytest.mark.parametrize(
    "discovery",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None}],
    ids=str,
)
def test_wrong_discovery(enter: Enter, provider: Provider, discovery: dict[str, Any]) -> None:
    """A description of another provider, or of unprotected addresses, is refused."""
    provider.discovery = discovery
    assert 502 == enter().get("/login").status_code


def test_secrets_are_not_told(enter: Enter, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Neither page nor log has the client secret or the code."""
    provider.broken = {"/token"}
    ann = enter()
    back = provider.authorize(ann.leave())
    code = dict(parse_qsl(urlsplit(back).query))["code"]
    told = ann.get(back).text + caplog.text
    assert [] == [word for word in (SECRET, code, "s3cret") if word in told.replace(back, "")]


# -- what is asked for without a login


@pytest.mark.parametrize(
    "path, headers, expected",
    [
        ("/api/tasks", {}, (401, None)),
        ("/tasks", {"HX_Request": "true"}, (401, None)),
        ("/tasks", {"Accept": "application/json"}, (401, None)),
        ("/tasks", {"Sec_Fetch_Mode": "cors"}, (401, None)),
        ("/stream", {"Accept": "text/event-stream"}, (401, None)),
        ("/tasks", {"Sec_Fetch_Mode": "navigate"}, (302, "/login?next=%2Ftasks")),
        ("/metrics", {}, (200, None)),
    ],
)
def test_without_login(enter: Enter, path: str, headers: dict[str, str], expected: Any) -> None:
    """Pages lead to the login; what scripts and programs ask for is a 401, which they understand."""
    assert expected == status(enter().get(path, **headers))


def test_open_window_is_sent_to_log_in(enter: Enter) -> None:
    """A page whose session has ended is loaded again, and then logs in."""
    assert "true" == enter().get("/tasks", HX_Request="true").headers["HX-Refresh"]


@pytest.mark.parametrize("word", ["Bearer x", "Basic eDp5", "Digest x"])
def test_other_logins_do_not_count(enter: Enter, word: str) -> None:
    """An Authorization header is no session, and skips no check."""
    ann = enter()
    assert [401, 401] == [ann.get("/api/tasks", method, Authorization=word).status_code for method in ("GET", "HEAD")]


def test_keys_beside_the_provider(enter: Enter) -> None:
    """Programs log in with keys."""
    ann = enter(api_keys=["ci:a-long-and-random-key"])
    assert 200 == ann.get("/api/tasks", Authorization="Bearer a-long-and-random-key").status_code


def test_passwords_beside_the_provider(enter: Enter, provider: Provider) -> None:
    """With both both are needed, as in Flower 2.x."""
    ann = enter(basic_auth=["ann:word"])
    assert 401 == ann.get("/").status_code
    ann.session.auth = ("ann", "word")
    assert (302, "/login?next=%2F") == status(ann.get("/"))
    ann.log_in(provider)
    assert 200 == ann.get("/").status_code
    ann.session.auth = None
    assert 401 == ann.get("/").status_code


# -- sessions


@pytest.mark.parametrize("redirect", [REDIRECT, "https://flower.example/login"])
def test_cookie(enter: Enter, provider: Provider, redirect: str) -> None:
    """No script reads it, no other site sends it, and with TLS nothing but TLS carries it."""
    secure = redirect.startswith("https")
    cookie = enter(oauth2_redirect_uri=redirect).get("/login").headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    found = {part.strip() for part in rest.split(";")[1:]}
    assert ("__Host-flower_login" if secure else "flower_login") == name
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= found
    assert secure == ("Secure" in found)


def test_logout(enter: Enter, provider: Provider) -> None:
    """Logging out takes a POST, and ends the session also for who has copied its cookie."""
    ann = enter()
    ann.log_in(provider)
    held = ann.session.cookies.copy()
    assert (200, 200) == (ann.get("/logout").status_code, ann.get("/").status_code)
    assert (200, True) == (ann.get("/logout", "POST").status_code, "flower_session" not in ann.session.cookies)
    ann.session.cookies = held
    assert 302 == ann.get("/").status_code


def test_foreign_logout(enter: Enter, provider: Provider) -> None:
    """Another site logs nobody out."""
    ann = enter()
    ann.log_in(provider)
    assert 403 == ann.get("/logout", "POST", Origin="https://evil.example").status_code
    assert 200 == ann.get("/").status_code


def test_forged_session(enter: Enter) -> None:
    """A cookie that was not signed here is nothing."""
    ann = enter()
    for value in ("x", "2|1:0|10:1|14:flower_session|4:eHg=|abc", '["a","ann@example.com",[],1]'):
        ann.session.cookies.set("flower_session", value)
        assert 302 == ann.get("/").status_code


@pytest.mark.parametrize("secret, expected", [("a secret of the operator's own", 200), (None, 302)])
def test_restart(enter: Enter, provider: Provider, secret: str | None, expected: int) -> None:
    """With a cookie_secret sessions outlive a restart."""
    ann = enter(cookie_secret=secret)
    ann.log_in(provider)
    again = enter(cookie_secret=secret)
    again.session.cookies = ann.session.cookies.copy()
    assert expected == again.get("/").status_code


def test_logout_outlives_a_restart(enter: Enter, provider: Provider, tmp_path: Path) -> None:
    """A session that was ended is not taken over by the next process, where the store is kept."""
    kept = {"cookie_secret": "a secret of the operator's own", "persistent": True, "db": str(tmp_path / "x.sqlite3")}
    first = enter(**kept)
    first.log_in(provider)
    stays = Person(first.server)
    stays.log_in(provider)
    held = first.session.cookies.copy()
    first.get("/logout", "POST")
    first.server.end()
    again = enter(**kept)
    again.session.cookies = held
    assert 302 == again.get("/").status_code
    again.session.cookies = stays.session.cookies.copy()
    assert 200 == again.get("/").status_code


def test_audit_of_logins(enter: Enter, provider: Provider) -> None:
    """Logging in, failing and logging out are kept; the target tells which session it was."""
    ann = enter()
    ann.log_in(provider)
    ann.get("/logout", "POST")
    ann.get("/login?code=x&state=y")
    ann.log_in(provider)
    kept = ann.get("/api/audit").json()["audit"]
    found = [(entry["operation"], entry["outcome"], entry["who"]) for entry in kept]
    ann_did = "user:ann@example.com"
    assert [
        ("login", "done", ann_did),
        ("login", "refused", "nobody"),
        ("logout", "done", ann_did),
        ("login", "done", ann_did),
    ] == found
    assert (True, True) == (kept[2]["target"] == kept[3]["target"], kept[0]["target"] != kept[3]["target"])


def test_withdrawn_right(enter: Enter, provider: Provider) -> None:
    """Who is no longer among those who may log in is out at once."""
    secret = "a secret of the operator's own"
    ann = enter(cookie_secret=secret)
    ann.log_in(provider)
    again = enter(cookie_secret=secret, auth="bob@example.com")
    again.session.cookies = ann.session.cookies.copy()
    assert 302 == again.get("/").status_code


def test_stream_ends_with_the_session(enter: Enter, provider: Provider) -> None:
    """An open window is told nothing more after logging out."""
    ann = enter()
    ann.log_in(provider)
    with ann.session.get(f"{ann.url}/api/events", stream=True, timeout=15) as stream:
        lines = stream.iter_lines()
        next(lines)
        ann.get("/logout", "POST")
        ann.server.feed(make.success("a"))
        assert [] == [line for line in lines if line.startswith(b"data")]


# -- classes of the operator's own


class Badge(BaseHandler):
    """Written for Flower 2.x: whoever says a name is in."""

    async def get(self) -> None:
        self.set_secure_cookie("user", str(self.get_argument("name")))
        self.redirect(self.get_argument("next", "/"))


@pytest.mark.parametrize("name, expected", [("ann@example.com", 302), ("ann@evil.example", 403)])
def test_class_of_ones_own(enter: Enter, name: str, expected: int) -> None:
    """A class that sets the cookie `user` works as in Flower 2.x, and the address must match."""
    ann = enter(auth_provider="tests.api.test_login.Badge")
    assert 302 == ann.get("/").status_code
    assert expected == ann.get(f"/login?name={name}").status_code
    assert (200 if expected == 302 else 302) == ann.get("/").status_code
