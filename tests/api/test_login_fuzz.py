"""Whatever comes back from a provider, or claims to, is a page or a way on, and never a fault of ours."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.utils.authentication import authenticate, validate_auth_option
from flower.views.auth import is_safe_redirect
from tests.api.conftest import Server
from tests.api.provider import CLIENT, REDIRECT, SECRET, Person, Provider

QUICK = settings(max_examples=60)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)
FACTS = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("email", "email_verified", "groups", "nonce", "aud", "azp", "sub", "xms_edov"), ANYTHING),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.end()


@pytest.fixture(scope="module")
def guarded(provider: Provider) -> Iterator[Server]:
    server = Server(
        auth=".*@example.com",
        oauth2_key=CLIENT,
        oauth2_secret=SECRET,
        oauth2_redirect_uri=REDIRECT,
        oidc_issuer=provider.url,
    )
    # Every failed code counts, and here nearly all fail.
    server.app.settings["site"].logins.throttle._limit = 10**9
    yield server
    server.end()


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(["code", "state", "error", "error_description", "next", "iss", "other"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    )
)
def test_any_way_back(guarded: Server, query: dict[str, str]) -> None:
    """No arguments make it fail, or lead elsewhere than to the provider."""
    answer = Person(guarded).get(f"/login?{urlencode(query)}")
    assert answer.status_code in (302, 400, 403)
    if answer.status_code == 302:
        assert "/authorize" == urlsplit(answer.headers["Location"]).path


@QUICK
@given(FACTS)
def test_any_facts(guarded: Server, provider: Provider, facts: dict[str, object]) -> None:
    """Whatever a signed token says, only a verified address of ours gets in."""
    provider.more, provider.claims_in_token = facts, False
    provider.email, provider.verified = None, None
    answer = Person(guarded).log_in(provider)
    assert answer.status_code in (302, 403)
    if answer.status_code == 302:
        assert str(facts["email"]).strip().lower().endswith("@example.com")
        assert facts.get("email_verified") or facts.get("xms_edov")


@QUICK
@given(ANYTHING)
def test_any_token_answer(guarded: Server, provider: Provider, answer: object) -> None:
    """Whatever the token endpoint says is a page."""
    provider.token_answer = answer
    try:
        assert Person(guarded).log_in(provider).status_code in (403, 502)
    finally:
        provider.token_answer = None


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_pattern(pattern: str, email: str) -> None:
    """A pattern admits only addresses that end in what stands behind its @."""
    if validate_auth_option(pattern) and authenticate(pattern, email):
        ends = [part.strip().rpartition("@")[2].lower() for part in pattern.replace(",", "|").split("|")]
        assert email.lower().rpartition("@")[2] in ends


@given(st.text(st.sampled_from("/\\:.@?#%a \t\n\x00ü"), max_size=12))
def test_any_way_on(target: str) -> None:
    """A way on begins with one slash, and no browser reads a host into it."""
    if is_safe_redirect(target):
        assert ("/", False, False) == (target[0], target.startswith("//"), "\\" in target)
        assert not any(letter < " " for letter in target)
