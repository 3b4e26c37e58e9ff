"""Every page with hostile texts in all that it shows: nothing runs, nothing is fetched, nothing is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests import factories as make
from tests.api.conftest import Server
from tests.api.test_hostile import begun, events_of, told
from tests.browser.conftest import Open
from tests.hostile import HOSTILE, MARK, SHORT

RUNNING = (
    "script",
    "closing script",
    "image",
    "attribute",
    "javascript address",
    "template",
    "other site",
    "prototype",
)
"""Texts that would do something in a browser."""
TABS = ("pool", "broker", "queues", "tasks", "limits", "config", "system", "other")
PATHS = [
    *("/", "/?window=7d", "/workers", "/workers?q=h", "/tasks?limit=100", "/broker", "/api/docs", "/logout"),
    *(f"/worker/{make.WORKER}#tab-{tab}" for tab in TABS),
    *(f"/{kind}/{quote(HOSTILE[name], safe='')}" for kind in ("worker", "task", "queue") for name in RUNNING),
    *(
        f"/tasks?{field}={quote(HOSTILE[name], safe='')}"
        for field in ("search", "name", "worker")
        for name in RUNNING[:4]
    ),
    f"/nope/{quote(HOSTILE['script'], safe='')}",
]


@pytest.fixture(scope="module")
def evil() -> Iterator[Server]:
    """A server that heard every hostile text in every place there is, just now."""
    with begun() as server:
        now = time.time()
        for text in HOSTILE.values():
            server.feed([fresh(event, now) for event in events_of(text)])
        server.feed(fresh(make.heartbeat(), now))
        server.app.events.connected_since, server.app.events.failure = now, None
        for name in (*(text for text in SHORT.values() if "\ud800" not in text), make.WORKER):
            server.app.inspector.workers[name] = {**told(), "timestamp": now}
        yield server


def fresh(event: make.Event, now: float) -> make.Event:
    """The event as if it had been sent a minute ago."""
    at: Any = event["timestamp"]
    return event | {"timestamp": at - make.T0 + now - 60} if isinstance(at, float) else event


def test_nothing_runs(visit: Open, evil: Server) -> None:
    """No page opens a dialog, sets a mark, asks anybody else, breaks the content security policy or its own script."""
    window = visit(to=evil)
    dialogs: list[str] = []
    window.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in PATHS:
        page = window.open(path)
        page.wait_for_selector("html.scripted #connection[data-kind]")
        page.evaluate("document.querySelectorAll('[autofocus], a, input').forEach(each => each.focus())")
        marked = page.evaluate(f"[window.{MARK}, ({{}}).{MARK}, document.cookie.includes('{MARK}')]")
        assert (path, [None, None, False]) == (path, marked)
        assert (path, []) == (path, window.problems)
    assert [] == dialogs
    assert [] == [url for url in window.requests if not url.startswith((evil.url, "data:"))]


def test_nothing_runs_of_what_comes(visit: Open, evil: Server) -> None:
    """What the stream brings into an open page is text, and so is what the palette finds."""
    window, name = visit(to=evil), f"newcomer {HOSTILE['image']}"
    page = window.open("/workers?q=newcomer")
    page.wait_for_selector("html.scripted #connection[data-kind]")
    evil.feed(fresh(make.heartbeat(name), time.time()))
    expect(page.locator("main")).to_contain_text(name, timeout=30_000)
    page.keyboard.press("Control+k")
    page.keyboard.type("newcomer")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text(name, timeout=30_000)
    assert (None, []) == (page.evaluate(f"window.{MARK}"), window.problems)
    assert [] == [url for url in window.requests if not url.startswith((evil.url, "data:"))]
