"""The frame in a browser: actions and what they tell, and ways to get about."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from flower.access import Access
from flower.views.actions import Actions
from tests.browser.cluster import HOSTILE_TASK
from tests.browser.conftest import Open
from tests.browser.test_pages import AXE

ACCESS = Access(open_api=True)
ACTIONS = Actions(ACCESS, ACCESS.user(None))


def with_button(page: Page, html: str, *answers: tuple[int, dict[str, Any]]) -> list[Any]:
    """Put a button into the page and answer its requests one after the other; the bodies that are sent."""
    sent: list[Any] = []

    def answer(route: Route) -> None:
        status, body = answers[len(sent)]
        sent.append(json.loads(route.request.post_data or "null"))
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body))

    page.route("**/api/**", answer)
    page.evaluate("html => document.querySelector('main').insertAdjacentHTML('afterbegin', html)", html)
    page.evaluate("document.body.addEventListener('flower:acted', (event) => { window.acted = event.detail })")
    return sent


def test_harmless_action_is_done_at_once(visit: Open) -> None:
    """A form sends its fields with their types, tells the answer, and lets the page know."""
    page = visit().open("/tasks")
    html = ACTIONS.form("worker.pool.grow", "celery@w1", arguments={"n": 2})
    sent = with_button(page, html, (200, {"message": "Growing by 2"}))
    page.get_by_role("button", name="Grow").click()
    expect(page.locator(".toast-good")).to_contain_text("Growing by 2")
    assert ([{"n": 2}], "worker.pool.grow") == (sent, page.evaluate("window.acted.operation"))


def test_destructive_action_asks_first(visit: Open) -> None:
    """Nothing is sent before the question is answered, and a second Enter is not an answer."""
    page = visit().open("/tasks")
    sent = with_button(page, ACTIONS.button("worker.shutdown", "celery@w1"), (200, {"message": "Shutting down!"}))
    page.get_by_role("button", name="Shut down").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask")).to_contain_text("Shut down celery@w1?")
    page.keyboard.press("Enter")
    expect(page.locator("#ask")).to_be_hidden()
    assert [] == sent
    page.get_by_role("button", name="Shut down").click()
    page.locator("#ask").get_by_role("button", name="Shut down").click()
    expect(page.locator(".toast-good")).to_contain_text("Shutting down!")
    expect(page.locator("#ask")).to_be_hidden()
    assert [{}] == sent


def test_count_is_confirmed(visit: Open) -> None:
    """What would be destroyed is counted before the question, and the token goes with the answer."""
    page = visit().open("/tasks")
    first = (409, {"error": "confirm it", "count": 1240, "confirm": "token"})
    sent = with_button(page, ACTIONS.button("queue.purge", "mail"), first, (200, {"message": "Deleted"}))
    page.get_by_role("button", name="Purge").click()
    page.locator("#ask").get_by_role("button", name="Purge 1,240 messages").click()
    expect(page.locator(".toast-good")).to_contain_text("Deleted")
    assert [{}, {"confirm": "token"}] == sent


def test_refusal_stays_until_closed(visit: Open) -> None:
    """What went wrong is told in the worker's own words, as text, until it is read."""
    page = visit().open("/tasks")
    with_button(page, ACTIONS.form("worker.pool.grow", "w"), (403, {"error": "Failed: <b>no</b>", "status": 403}))
    page.get_by_role("button", name="Grow").click()
    toast = page.locator(".toast-bad")
    expect(toast).to_contain_text("Failed: <b>no</b>")
    toast.get_by_role("button", name="Close").click()
    expect(toast).to_have_count(0)


def test_fields_of_a_dialog(visit: Open) -> None:
    """A button can ask for arguments; a wrong one is told in the dialog, which stays."""
    page = visit().open("/tasks")
    html = ACTIONS.button("task.rate-limit", "tasks.add", fields=("ratelimit",), look="btn-primary")
    wrong = (400, {"error": "Invalid ratelimit 'x'", "argument": "ratelimit", "status": 400})
    sent = with_button(page, html, wrong, (200, {"message": "set"}))
    page.get_by_role("button", name="Set rate limit").click()
    page.get_by_label("Rate limit", exact=False).and_(page.locator("input")).fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("#ask [role=alert]")).to_have_text("Invalid ratelimit 'x'")
    page.get_by_label("Rate limit", exact=False).and_(page.locator("input")).fill("10/m")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-good")).to_contain_text("set")
    assert [{"ratelimit": "x"}, {"ratelimit": "10/m"}] == sent


# -- getting about


def test_palette_finds_and_goes(visit: Open) -> None:
    """Ctrl-K, some letters, Enter: a worker's page."""
    page = visit().open("/tasks")
    page.keyboard.press("Control+k")
    page.keyboard.type("celery@w")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("celery@w1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/worker/celery@w1$"))


def test_palette_searches(visit: Open) -> None:
    """What has the form of a search is one, before anything else."""
    page = visit().open("/workers")
    page.keyboard.press("Control+k")
    page.keyboard.type("state:FAILURE")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/tasks.search=state%3AFAILURE$"))


def test_palette_finds_a_task_by_the_start_of_its_id(visit: Open) -> None:
    """The first letters of an id lead to the task; what hostile names hold stays text."""
    window = visit()
    page = window.open("/workers")
    page.click("[data-palette]")
    page.keyboard.type(HOSTILE_TASK)
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("<script>alert(1)</script>")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/task/{HOSTILE_TASK}$"))
    assert [] == window.problems


@pytest.mark.parametrize("key", ["Control+k", "Shift+?"])
def test_palette_is_accessible(visit: Open, key: str) -> None:
    """The palette and the help are without barriers, too."""
    page = visit().open("/tasks")
    page.evaluate(AXE.read_text() + "; undefined")
    page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_be_visible()
    found = page.evaluate("axe.run(document.querySelector('dialog[open]'))")["violations"]
    assert [] == [each["id"] for each in found]


def test_keys_lead_to_pages(visit: Open) -> None:
    """`g` and a letter go to a page; not while one types, and not with a modifier."""
    page = visit().open("/tasks")
    page.focus("#search")
    page.keyboard.type("gw")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Control+g")
    page.keyboard.press("w")
    assert page.url.endswith("/tasks")
    page.keyboard.press("g")
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("/workers$"))


def test_rows_by_keyboard(visit: Open) -> None:
    """`j` and `k` move through the rows, Enter opens the one that was reached, `/` goes to the search."""
    page = visit().open("/tasks")
    first, second = (page.locator("#tasks tbody tr").nth(number).get_attribute("id") for number in (0, 1))
    reached = "document.activeElement.closest('tr').id"
    for key, expected in (("j", first), ("j", second), ("k", first)):
        page.keyboard.press(key)
        assert expected == page.evaluate(reached)
    page.keyboard.press("/")
    assert "search" == page.evaluate("document.activeElement.id")


def test_help(visit: Open) -> None:
    """`?` shows the shortcuts."""
    page = visit().open("/tasks")
    page.keyboard.press("Shift+?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


def test_zone_is_chosen_and_kept(visit: Open) -> None:
    """Times can be told in the zone of the Celery app instead of the browser's, on every page from then on."""
    page = visit(timezone_id="Asia/Tokyo").open("/tasks")
    expect(page.locator("[data-zone-name]")).to_have_text("Asia/Tokyo")
    page.click("summary[aria-label=Display]")
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name="Celery app").click()
    expect(page.locator("[data-zone-name]")).to_have_text("UTC")
    page.goto(page.url.replace("/tasks", "/workers"))
    assert "UTC" == page.get_attribute("html", "data-zone")
    expect(page.locator("[data-zone-name]")).to_have_text("UTC")


def test_times_are_told_as_chosen(visit: Open) -> None:
    """Exact times everywhere, or how long ago everywhere; the server sends them so."""
    page = visit().open(f"/task/{HOSTILE_TASK}")
    chosen = []
    for name in ("Always relative", "As each page needs"):
        page.click("summary[aria-label=Display]")
        with page.expect_navigation(wait_until="load"):
            page.get_by_role("button", name=name).click()
        chosen.append("ago" in page.inner_text("footer time"))
    assert [True, False] == chosen


def test_phone_has_the_navigation_in_reach(visit: Open) -> None:
    """At 390 pixels all pages are at hand, and nothing lies under the bar at the end of a page."""
    page = visit("phone").open("/tasks")
    bar = page.locator("nav[aria-label=Main]")
    for name in ("Overview", "Tasks", "Workers", "Queues"):
        expect(bar.get_by_role("link", name=name)).to_be_in_viewport()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    foot, top = page.locator(".foot-links").bounding_box(), bar.bounding_box()
    assert foot
    assert top
    assert foot["y"] + foot["height"] <= top["y"]
