"""What moves on the pages, and what must not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests import factories
from tests.api.conftest import Server
from tests.browser.cluster import HOSTILE, HOSTILE_TASK, RUNNING
from tests.browser.conftest import Open


def now(event: dict[str, Any]) -> dict[str, Any]:
    """The event, happening now."""
    return event | {"timestamp": time.time()}


def test_worker_row_updates_in_place(visit: Open, site: Server) -> None:
    """A count on the workers' page follows the events; the row stays the same element."""
    page = visit().open("/workers")
    row = page.locator("tr", has=page.get_by_role("link", name="celery@w1", exact=True))
    row.evaluate("row => { row.mark = 'kept' }")
    before = int(row.locator('[data-label="Succeeded"]').inner_text())
    site.feed([now(event) for event in factories.success("live-1")])
    expect(row.locator('[data-label="Succeeded"]')).to_have_text(str(before + 1))
    assert "kept" == row.evaluate("row => row.mark")


def test_new_tasks_are_announced_not_inserted(visit: Open, site: Server) -> None:
    """A new task is offered above the list, which stays as it is until the reader asks."""
    page = visit().open("/tasks")
    first = page.locator("#tasks tbody tr").first.get_attribute("id")
    site.feed([now(event) for event in factories.success("live-2")])
    expect(page.locator(".news-button")).to_have_text("1 new – show")
    assert first == page.locator("#tasks tbody tr").first.get_attribute("id")
    page.click(".news-button")
    expect(page.locator("#tasks tbody tr").first).to_have_attribute("id", "task-live-2")


def test_rows_of_open_tasks_change_in_place(visit: Open, site: Server) -> None:
    """A row that is shown turns from STARTED to SUCCESS where it stands."""
    site.feed([now(factories.received("live-3")), now(factories.started("live-3"))])
    page = visit().open("/tasks")
    state = page.locator("#task-live-3 .badge-state")
    expect(state).to_have_text("STARTED")
    site.feed(now(factories.succeeded("live-3")))
    expect(state).to_have_text("SUCCESS")


def test_task_page_follows_the_task_to_its_end(visit: Open, site: Server) -> None:
    """The page of a running task shows its result when it ends, without a reload."""
    site.feed([now(factories.received("live-4")), now(factories.started("live-4"))])
    page = visit().open("/task/live-4")
    site.feed(now(factories.succeeded("live-4", result="'the end'")))
    expect(page.locator("#task")).to_contain_text("the end")


def test_hidden_tab_closes_its_stream(visit: Open, site: Server) -> None:
    """A tab that nobody sees costs nothing; it is up to date again when it is seen."""
    page = visit().open("/workers")
    page.wait_for_function("() => document.querySelector('#connection').dataset.kind === 'live'")
    hide = "value => { Object.defineProperty(document, 'hidden', {value, configurable: true});"
    hide += " document.dispatchEvent(new Event('visibilitychange')) }"
    page.evaluate(hide, True)
    site.feed(now(factories.heartbeat("celery@late")))
    assert 0 == page.get_by_role("link", name="celery@late").count()
    page.evaluate(hide, False)
    expect(page.get_by_role("link", name="celery@late")).to_be_visible()


def test_broker_failure_is_told(visit: Open, site: Server, beat: Callable[[], None]) -> None:
    """The sign turns, and a notice gives the reason, when the broker is gone; both go when it is back."""
    page = visit().open("/workers")
    events = site.app.events
    since, events.connected_since = events.connected_since, None
    events.disconnected_since, events.failure = time.time(), "Connection refused by test"
    expect(page.locator("#connection")).to_contain_text("Broker unreachable since")
    expect(page.locator("#notices")).to_contain_text("Connection refused by test")
    events.connected_since, events.failure = since, None
    beat()
    expect(page.locator("#connection")).to_contain_text("Live")
    expect(page.locator("#notices")).not_to_contain_text("Connection refused by test")


def test_search_keeps_the_view_in_the_address(visit: Open) -> None:
    """A search is in the address, without empty fields, and survives a reload."""
    page = visit().open("/tasks?sort=name")
    page.fill("#search", "state:FAILURE")
    page.press("#search", "Enter")
    expect(page.locator("#tasks .pages-range")).to_contain_text("of 2")
    assert page.url.endswith("/tasks?search=state%3AFAILURE&sort=name")
    page.reload()
    assert "state:FAILURE" == page.input_value("#search")


def test_filter_by_hostile_name(visit: Open) -> None:
    """A name with blanks, slashes and markup filters, links and shows as it is."""
    page = visit().open("/tasks")
    page.locator("#facets").get_by_role("link", name=HOSTILE).click()
    expect(page.locator("#tasks tbody tr")).to_have_count(1)
    page.click("#tasks tbody a.strong")
    expect(page.locator("h1")).to_contain_text(HOSTILE)
    page.get_by_role("link", name="w2@").first.click()
    expect(page.locator("h1")).to_contain_text("w2@<b>host</b>/ #%&?+ü")


def test_back_returns_to_the_whole_page(visit: Open) -> None:
    """Going back after a filter shows a complete page of the former view."""
    page = visit().open("/tasks")
    page.get_by_role("link", name="Failure").first.click()
    expect(page.locator("#tasks .pages-range")).to_contain_text("of 2")
    page.go_back()
    expect(page.locator("header .brand")).to_be_visible()
    expect(page.locator("#tasks .pages-range")).not_to_contain_text("of 2")


def test_theme_is_chosen_and_kept(visit: Open) -> None:
    """The theme that was chosen is there on the next page; System forgets it."""
    page = visit().open("/")
    page.click("summary[aria-label=Display]")
    page.click("text=Dark")
    page.click("nav >> text=Tasks")
    assert "dark" == page.get_attribute("html", "data-bs-theme")
    page.click("summary[aria-label=Display]")
    page.click("text=System")
    assert ("light", None) == (
        page.get_attribute("html", "data-bs-theme"),
        page.evaluate("localStorage.getItem('flower-theme')"),
    )


def test_times_are_in_the_zone_of_the_browser(visit: Open) -> None:
    """The first page is rewritten to the browser's zone and the next one comes in it; both say so."""
    window = visit(timezone_id="Asia/Tokyo")
    page = window.open(f"/task/{HOSTILE_TASK}")
    expect(page.locator("[data-zone-name]")).to_have_text("Asia/Tokyo")
    rewritten = page.locator("dd time").first.inner_text()
    page.reload()
    assert (rewritten, "Asia/Tokyo") == (
        page.locator("dd time").first.inner_text(),
        page.get_attribute("html", "data-zone"),
    )


def test_tabs_by_keyboard(visit: Open) -> None:
    """Arrow keys move between the parts of a worker's page, and the address follows."""
    page = visit().open("/worker/celery@w1")
    page.focus("#for-pool")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-broker")).to_be_visible()
    expect(page.locator("#tab-pool")).to_be_hidden()
    assert page.url.endswith("#tab-broker")


def test_copy_button(visit: Open) -> None:
    """The button beside a UUID copies it and says so."""
    window = visit(permissions=["clipboard-read", "clipboard-write"])
    page = window.open(f"/task/{RUNNING}")
    page.click('[aria-label="Copy the UUID"]')
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert RUNNING == page.evaluate("navigator.clipboard.readText()")
