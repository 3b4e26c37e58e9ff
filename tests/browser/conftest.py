"""Chromium from the system, and a server with a cluster worth looking at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests import factories
from tests.api.conftest import Server
from tests.browser.cluster import HOSTILE_WORKER, facts, history
from tests.services import program

SCREENSHOTS = Path(__file__).parent / "screenshots"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1400, "height": 900}},
    "dark": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = program("chromium", "chromium-browser", "google-chrome")
        chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Server]:
    """A server that watches two workers and knows some forty tasks, hostile names among them."""
    server = Server()
    now = time.time()
    server.feed(history(now))
    server.app.events.connected_since, server.app.events.failure = now, None
    for name in ("celery@w1", HOSTILE_WORKER):
        server.app.inspector.workers[name] = facts(now)
    yield server
    server.end()


class Visit:
    """A page and everything that went wrong on it."""

    def __init__(self, context: BrowserContext, site: Server) -> None:
        self.page: Page = context.new_page()
        self.context = context
        self.site = site
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def _said(self, message: Any) -> None:
        # What Chromium says of a 4xx answer is not the page's fault; CSP violations and script errors are.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.problems.append(message.text)

    def open(self, path: str) -> Page:
        self.page.goto(self.site.url + path, wait_until="load")
        return self.page

    @property
    def overflow(self) -> int:
        """Pixels by which the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, site: Server) -> Iterator[Open]:
    """Opens windows; `look` is one of LOOKS, other arguments are Playwright's."""
    contexts: list[BrowserContext] = []

    def start(look: str = "light", to: Server | None = None, **options: Any) -> Visit:
        contexts.append(browser.new_context(**{**LOOKS[look], **options}))
        contexts[-1].set_default_timeout(10_000)
        return Visit(contexts[-1], to or site)

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def beat(site: Server) -> Callable[[], None]:
    """Lets both workers send a heartbeat now."""

    def send() -> None:
        for host in ("celery@w1", HOSTILE_WORKER):
            site.feed(factories.heartbeat(host) | {"timestamp": time.time()})

    return send
