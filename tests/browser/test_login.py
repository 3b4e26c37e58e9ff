"""Logging in and out in a browser, and what it looks like when that fails."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import factories as make
from tests.api.conftest import Server
from tests.api.provider import CLIENT, SECRET, Provider
from tests.browser.conftest import LOOKS, SCREENSHOTS, Open, Visit
from tests.services import free_port

AXE = Path(__file__).parent / "vendor" / "axe.min.js"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.end()


def serve(provider: Provider, scheme: str = "http", **options: Any) -> Server:
    """A server whose visitors log in through the provider."""
    port = free_port()
    provider.flower = f"{scheme}://127.0.0.1:{port}"
    provider.redirect = f"{provider.flower}/login"
    server = Server(
        port=port,
        auth="ann@example.com",
        oauth2_key=CLIENT,
        oauth2_secret=SECRET,
        oauth2_redirect_uri=provider.redirect,
        oidc_issuer=provider.url,
        roles=["operator:ann@example.com"],
        **options,
    )
    server.url = provider.flower
    server.feed(make.heartbeat(), make.success("a"))
    return server


@pytest.fixture
def guarded(provider: Provider) -> Iterator[Server]:
    server = serve(provider)
    yield server
    server.end()


@pytest.fixture
def by_tls(provider: Provider, tmp_path: Path) -> Iterator[Server]:
    """The same over TLS."""
    files = {"certfile": str(tmp_path / "cert.pem"), "keyfile": str(tmp_path / "key.pem")}
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1"]
    out = ["-keyout", files["keyfile"], "-out", files["certfile"]]
    subprocess.run(["openssl", "req", *kind, *out], check=True, capture_output=True)
    server = serve(provider, "https", **files)
    yield server
    server.end()


def wait_for_script(page: Page) -> None:
    page.wait_for_selector("html.scripted")


def check(window: Visit, name: str, look: str) -> None:
    """Keep a picture; nothing goes wrong, nothing sticks out, everybody can use it."""
    page = window.page
    wait_for_script(page)
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
    assert ([], 0) == (window.problems, window.overflow)
    page.evaluate(AXE.read_text() + "; undefined")
    found: list[dict[str, Any]] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [] == [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


def test_login_leads_to_the_page(visit: Open, guarded: Server) -> None:
    """Who opens a page is asked to log in, and then sees that page."""
    page = visit(to=guarded).open("/tasks?state=SUCCESS")
    assert f"{guarded.url}/tasks?state=SUCCESS" == page.url
    expect(page.locator(".menu-user")).to_contain_text("ann@example.com")


@pytest.mark.parametrize("look", LOOKS)
def test_menu(visit: Open, guarded: Server, look: str) -> None:
    """The menu says who one is and what one may do."""
    window = visit(look, to=guarded)
    page = window.open("/")
    wait_for_script(page)
    page.locator(".menu-user").click()
    expect(page.locator(".menu[open]")).to_contain_text("Operator: may run and stop tasks")
    check(window, "login-menu", look)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("case", ["refused", "broken"])
def test_failed_login(visit: Open, guarded: Server, provider: Provider, look: str, case: str) -> None:
    """A login that fails says why, and can be tried again."""
    if case == "refused":
        provider.email = "somebody-with-a-very-long-address@a-very-long-name-of-a-department.example.com"
    else:
        provider.broken = {"/token"}
    window = visit(look, to=guarded)
    page = window.open("/tasks")
    expect(page.locator("h1")).to_have_text("You are not logged in")
    check(window, f"login-{case}", look)
    provider.email, provider.broken = "ann@example.com", set()
    page.get_by_role("link", name="Try again").click()
    page.wait_for_url(f"{guarded.url}/tasks")


@pytest.mark.parametrize("look", LOOKS)
def test_logout(visit: Open, guarded: Server, look: str) -> None:
    """Logging out takes a click in the menu, or on the page that asks."""
    window = visit(look, to=guarded)
    page = window.open("/")
    page = window.open("/logout")
    check(window, "logout-question", look)
    page.get_by_role("button", name="Log out", exact=True).last.click()
    expect(page.locator("h1")).to_have_text("You have been logged out")
    check(window, "logout-done", look)
    page.get_by_role("link", name="Log in again").click()
    expect(page.locator(".menu-user")).to_contain_text("ann@example.com")


def test_logout_from_the_menu(visit: Open, guarded: Server) -> None:
    """The menu has the same button."""
    page = visit(to=guarded).open("/")
    wait_for_script(page)
    page.locator(".menu-user").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("h1")).to_have_text("You have been logged out")


def test_open_page_notices(visit: Open, guarded: Server, provider: Provider) -> None:
    """A page whose session was ended elsewhere leads to the login by itself, and comes back."""
    page = visit(to=guarded).open("/workers")
    page.wait_for_selector("html.scripted #connection[data-kind]")
    before = provider.asked.count("/token")
    logins = guarded.app.settings["site"].logins
    guarded.loop.add_callback(logins.sessions.end_all, "ann@example.com")
    guarded.feed(make.success("b"))
    with page.expect_navigation(timeout=30_000):
        pass
    page.wait_for_url(f"{guarded.url}/workers", timeout=30_000)
    assert provider.asked.count("/token") > before or page.locator(".menu-user").is_visible()


def test_without_script(visit: Open, guarded: Server) -> None:
    """All of it works without script."""
    page = visit(to=guarded, java_script_enabled=False).open("/tasks")
    page.locator(".menu-user").click()
    page.get_by_role("button", name="Log out").click()
    assert "You have been logged out" in page.inner_text("main")


def test_cookies_by_tls(visit: Open, by_tls: Server) -> None:
    """By TLS the browser takes the session in a cookie that nothing but TLS, this host and no script can touch."""
    window = visit(to=by_tls, ignore_https_errors=True)
    page = window.open("/tasks?state=SUCCESS")
    assert f"{by_tls.url}/tasks?state=SUCCESS" == page.url
    held = {cookie["name"]: cookie for cookie in window.context.cookies()}
    session = held["__Host-flower_session"]
    assert (True, True, "Lax", "/") == (session["secure"], session["httpOnly"], session["sameSite"], session["path"])
    assert "flower_login" not in "".join(held)
    page.locator(".menu-user").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.locator("h1")).to_have_text("You have been logged out")
    assert [] == [cookie for cookie in window.context.cookies() if "session" in cookie["name"]]
