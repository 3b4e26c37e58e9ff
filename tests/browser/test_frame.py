"""The frame in a browser: actions and what they tell."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, Route, expect

from flower.access import Access
from flower.views.actions import Actions
from tests.browser.conftest import Open

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
    page.get_by_label("Ratelimit").fill("x")
    page.keyboard.press("Enter")
    expect(page.locator("#ask [role=alert]")).to_have_text("Invalid ratelimit 'x'")
    page.get_by_label("Ratelimit").fill("10/m")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-good")).to_contain_text("set")
    assert [{"ratelimit": "x"}, {"ratelimit": "10/m"}] == sent
