"""The pages of the queues in a browser: in every look, live, by keyboard, with hostile names."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests import factories as make
from tests.api.conftest import Server
from tests.api.test_page_queues import HOSTILE, Broker, grow, sample, watch
from tests.browser.conftest import LOOKS, SCREENSHOTS, Open
from tests.browser.test_pages import AXE

TICKS = 15_000
"""Milliseconds: the page asks every five seconds, and the server keeps what it read for two."""

PAGES = {
    "queues": "/broker",
    "queues-none": "/broker?q=nobodyknowsthis",
    "queue": "/queue/mail?window=15m",
    "queue-alone": "/queue/lost",
    "queue-hostile": f"/queue/{quote(HOSTILE, safe='')}",
}


@pytest.fixture(scope="module")
def scene() -> Iterator[tuple[Server, Broker]]:
    """Queues of every sort: deep, growing, lost, empty, with priorities, with a hostile name."""
    before = os.environ.get("FLOWER_UNAUTHENTICATED_API")
    os.environ["FLOWER_UNAUTHENTICATED_API"] = "true"
    server = Server()
    if before is None:
        del os.environ["FLOWER_UNAUTHENTICATED_API"]
    broker = watch(
        server,
        mail={"messages": 4711, "priorities": {0: 4700, 9: 11}},
        lost={"messages": 5, "consumers": 0, "messages_unacknowledged": 2},
        calm={"messages": 0, "consumers": 3},
        **{HOSTILE: {"messages": 1}},
    )
    grow(server, "mail", 300)
    sample(server, *((ago, ("mail", 4711 - ago, 8, 1)) for ago in range(10, 600, 10)))
    server.app.events.connected_since, server.app.events.failure = time.time(), None
    yield server, broker
    server.end()


@pytest.fixture(autouse=True)
def beat(scene: tuple[Server, Broker]) -> None:
    """The worker lives."""
    scene[0].feed(make.heartbeat("w1@host") | {"timestamp": time.time()}, now=time.time())


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_page(visit: Open, scene: tuple[Server, Broker], name: str, look: str) -> None:
    """A page has no script error, no refused content, no sideways scroll, nothing from elsewhere, no barrier."""
    window = visit(look, to=scene[0])
    page = window.open(PAGES[name])
    page.wait_for_selector("html.scripted #connection")
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
    assert [] == window.problems
    assert 0 == window.overflow
    assert [] == [url for url in window.requests if not url.startswith(window.site.url)]
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [] == [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


@pytest.mark.parametrize(
    "name, text",
    [
        ("queues", "no consumer"),
        ("queue", "4,711"),
        ("queue-alone", "celery worker -Q lost"),
        ("queue-hostile", HOSTILE),
    ],
)
def test_page_without_script(visit: Open, scene: tuple[Server, Broker], name: str, text: str) -> None:
    """A page says its main thing without script, and offers no button that would not work."""
    page = visit(java_script_enabled=False, to=scene[0]).open(PAGES[name])
    assert text in page.inner_text("main")
    assert 0 == page.locator("[data-operation]:visible").count()


def test_search_while_typing(visit: Open, scene: tuple[Server, Broker]) -> None:
    """The table follows the search, which stays in the address and keeps the focus."""
    page = visit(to=scene[0]).open("/broker")
    page.locator("#q").press_sequentially("lost")
    expect(page.locator("#queues tbody tr")).to_have_count(1)
    expect(page.locator("#queues tbody a.strong")).to_have_text("lost")
    assert ("q=lost" in page.url, "q") == (True, page.evaluate("document.activeElement.id"))


def test_sorting(visit: Open, scene: tuple[Server, Broker]) -> None:
    """A click on a head sorts, a second one turns it round."""
    page = visit(to=scene[0]).open("/broker")
    page.get_by_role("link", name="Ready", exact=True).click()
    expect(page.locator("#queues tbody a.strong").first).to_have_text("mail")
    page.get_by_role("link", name="Ready", exact=True).click()
    expect(page.locator("#queues tbody a.strong").first).to_have_text("calm")


def test_live(visit: Open, scene: tuple[Server, Broker]) -> None:
    """A number that changes in the broker changes in the page, by itself; so does the broker's silence."""
    server, broker = scene
    page = visit(to=server).open("/broker")
    calm = page.locator("tr", has=page.get_by_role("link", name="calm", exact=True)).locator('[data-label="Ready"]')
    expect(calm).to_have_text("0")
    broker.infos["calm"]["messages"] = 77
    expect(calm).to_have_text("77", timeout=TICKS)
    broker.failure = "Redis at x does not answer"
    expect(page.locator("#queues [role=alert]")).to_contain_text("numbers as of", timeout=TICKS)
    expect(calm).to_have_text("77", timeout=TICKS)
    broker.failure = ""
    expect(page.locator("#queues [role=alert]")).to_have_count(0, timeout=TICKS)
    broker.infos["calm"]["messages"] = 0


def test_what_is_open_stays_open(visit: Open, scene: tuple[Server, Broker]) -> None:
    """A region that is drawn anew leaves open what the reader opened."""
    page = visit(to=scene[0]).open("/queue/calm")
    others = page.locator(".queue-others")
    was_open = others.evaluate("element => element.open")
    others.locator("summary").click()
    with page.expect_response("**/queue/calm"):
        page.evaluate("document.body.dispatchEvent(new CustomEvent('flower:facts'))")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    assert was_open != others.evaluate("element => element.open")


def test_purge_shows_the_count(visit: Open, scene: tuple[Server, Broker]) -> None:
    """Purging tells how many messages will be gone before anything is done."""
    page = visit(to=scene[0]).open("/queue/lost")
    answers = [
        (409, '{"error": "5 messages wait", "status": 409, "count": 5, "confirm": "token"}'),
        (200, '{"message": "Deleted 5 messages of \'lost\'", "queue": "lost", "purged": 5}'),
    ]
    page.route(
        "**/api/queue/purge/lost*",
        lambda route: route.fulfill(status=answers[0][0], content_type="application/json", body=answers.pop(0)[1]),
    )
    page.get_by_role("button", name="Purge").click()
    expect(page.locator("#ask")).to_contain_text("5 messages")
    page.locator("#ask").get_by_role("button", name="Purge").click()
    expect(page.locator(".toast-good")).to_contain_text("Deleted 5 messages")


def test_chart(visit: Open, scene: tuple[Server, Broker]) -> None:
    """The depth over time is drawn, and told as a table."""
    page = visit(to=scene[0]).open("/queue/mail?window=15m")
    expect(page.locator("#chart-depth canvas")).to_have_count(1)
    page.locator("#chart-depth summary").click()
    expect(page.locator("#chart-depth tbody tr", has_text="4,6").first).to_be_visible()
