"""Many tasks at once in a browser: selected, counted, confirmed, done in steps, and told one by one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests import factories as make
from tests.api.conftest import Shop
from tests.browser.conftest import LOOKS, SCREENSHOTS, Open
from tests.browser.tasks.crowd import FAILED, HELD, RUNNING, alive, crowded, now, rows, settled, shown
from tests.browser.test_pages import AXE


@pytest.fixture
def own() -> Iterator[Shop]:
    """A crowd of its own, for a test that changes it."""
    server = crowded()
    yield server
    server.end()


def box(page: Page, place: int) -> Locator:
    return page.locator("#list [data-mark]").nth(place)


def bulk(page: Page, name: str) -> Locator:
    """Press a button of the selection; the dialog that it opens."""
    page.locator(f'#selection [data-bulk="{name}"]').click()
    dialog = page.locator("#bulk")
    expect(dialog).to_be_visible()
    return dialog


def test_selecting(visit: Open, crowd: Shop) -> None:
    """Boxes select, a range with Shift, the page by its head; paging and sorting keep it, Escape gives it up."""
    window = visit(to=crowd)
    page = window.open("/tasks?state=SUCCESS&limit=15")
    bar = page.locator("#selection")
    box(page, 1).click()
    box(page, 4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 selected")
    page.get_by_role("link", name="Older", exact=True).click()
    page.wait_for_function("() => location.search.includes('after=')")
    box(page, 0).click()
    expect(bar).to_contain_text("5 selected")
    page.locator("#list thead").get_by_role("link", name="Name").click()
    settled(page, sort="name")
    expect(bar).to_contain_text("5 selected")
    page.locator("[data-mark-all]").check()
    expect(page.locator("#list [data-mark]:checked")).to_have_count(15)
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    assert (0, []) == (page.locator("#list [data-mark]:checked").count(), window.problems)


def test_another_filter_begins_anew(visit: Open, crowd: Shop) -> None:
    """What was selected under other filters is not acted on unseen."""
    page = visit(to=crowd).open("/tasks?state=SUCCESS")
    box(page, 0).click()
    page.locator("#states").get_by_role("link", name="Failure").click()
    settled(page, state="FAILURE")
    expect(page.locator("#selection")).to_be_hidden()


def test_preview_says_what_is_left_out(visit: Open, crowd: Shop) -> None:
    """Before anything is done it is told, by state, what will be done to how many, and what is left out and why."""
    window = visit(to=crowd)
    page = window.open("/tasks?search=" + "state:STARTED,RECEIVED,FAILURE")
    page.locator("[data-mark-all]").check()
    dialog = bulk(page, "revoke")
    expect(dialog.get_by_role("heading")).to_have_text(f"Revoke {HELD} tasks?")
    text = dialog.locator("[data-part=preview]").inner_text()
    assert (True, True, True) == ("Terminate ends it" in text, "ended already" in text, "no worker will run" in text)
    expect(dialog.locator("[data-part=cancel]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    dialog = bulk(page, "terminate")
    expect(dialog.get_by_role("heading")).to_have_text(f"Terminate {HELD + RUNNING} tasks?")
    expect(dialog).to_contain_text("SIGTERM")
    dialog.locator("[data-part=cancel]").click()
    assert (0, []) == (len([each for each in crowd.asked if each[0] == "revoke"]), window.problems)


def test_revoking_all_that_match(visit: Open, own: Shop) -> None:
    """All that match, also beyond the page, are revoked, to exactly those that were counted; then each is told."""
    late = [make.received(f"late-{number:03}", name="bulk.late") for number in range(230)]
    own.feed(now(*late))
    alive(own)
    window = visit(to=own)
    page = window.open("/tasks?name=bulk.late&limit=15")
    page.locator("[data-mark-all]").check()
    page.get_by_role("button", name="Select all 230 that match").click()
    expect(page.locator("#selection")).to_contain_text("230 selected: everything that matches")
    dialog = bulk(page, "revoke")
    expect(dialog.get_by_role("heading")).to_have_text("Revoke 230 tasks?")
    own.feed(now(make.received("too-late", name="bulk.late")))
    dialog.get_by_role("button", name="Revoke 230 tasks").click()
    expect(dialog.locator("#bulk-told")).to_have_text("230 tasks revoked.")
    expect(dialog.locator("[data-part=results] tr")).to_have_count(230)
    asked = [arguments["task_id"] for question, arguments, _ in own.asked if question == "revoke"]
    assert ([200, 30], sorted(event["uuid"] for event in late)) == (
        list(map(len, asked)),
        sorted(itertools.chain(*asked)),
    )
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("#selection")).to_be_hidden()
    assert [] == window.problems


def test_refusal_is_told(visit: Open, own: Shop) -> None:
    """What a worker refused is told with its reason, and the selection stays for another try."""
    own.answer({"celery@w1": {"error": "pool cannot do it"}})
    alive(own)
    page = visit(to=own).open("/tasks?state=STARTED")
    page.locator("[data-mark-all]").check()
    dialog = bulk(page, "terminate")
    dialog.locator("[data-part=go]").click()
    expect(dialog.locator("#bulk-told")).to_contain_text(f"{RUNNING} not")
    expect(dialog.locator("[data-part=results]")).to_contain_text("pool cannot do it")
    dialog.get_by_role("button", name="Close").click()
    expect(page.locator("#selection")).to_contain_text(f"{RUNNING} selected")


def retrying(page: Page) -> list[str]:
    """Answer for the server when tasks are sent again: the ids that were asked for; every third is refused."""
    ids: list[str] = []

    def answer(route: Route) -> None:
        ids.append(route.request.url.rpartition("/")[2])
        said: dict[str, Any] = {"message": "ok", "task-id": f"again-{len(ids)}"}
        refused = len(ids) % 3 == 0
        said = {"error": "its arguments were cut", "status": 409} if refused else said
        route.fulfill(status=409 if refused else 200, content_type="application/json", body=json.dumps(said))

    page.route("**/api/task/retry/*", answer)
    return ids


def test_running_again(visit: Open, crowd: Shop) -> None:
    """Ended tasks are sent again one by one; those that cannot be are told first, the new ones are linked."""
    window = visit(to=crowd)
    page = window.open("/tasks?name=shop.pay")
    ids = retrying(page)
    page.locator("[data-mark-all]").check()
    dialog = bulk(page, "retry")
    expect(dialog).to_contain_text("sent again as new tasks")
    dialog.get_by_role("button", name=f"Run again {FAILED} tasks").click()
    expect(dialog.locator("#bulk-told")).to_have_text(f"{FAILED - 4} tasks sent again, 4 not.")
    lines = dialog.locator("[data-part=results] tr")
    expect(lines).to_have_count(FAILED)
    expect(lines.first).to_contain_text("its arguments were cut")
    expect(lines.last.get_by_role("link", name="again-")).to_be_visible()
    assert (FAILED, FAILED, []) == (len(ids), len(set(ids)), window.problems)


def test_running_again_for_real(visit: Open, own: Shop) -> None:
    """A task that is sent again is a new task of the list, which waits."""
    alive(own)
    page = visit(to=own).open("/tasks?state=SUCCESS&name=shop.add&limit=15")
    box(page, 0).click()
    dialog = bulk(page, "retry")
    dialog.locator("[data-part=go]").click()
    expect(dialog.locator("#bulk-told")).to_have_text("1 task sent again.")
    new = dialog.locator("[data-part=results] td a").get_attribute("href")
    assert new is not None
    page.goto(own.url + new)
    expect(page.locator("main")).to_contain_text("shop.add")


def test_work_can_be_stopped(visit: Open, crowd: Shop) -> None:
    """What is under way shows how far it is, and is stopped by Escape before it is closed."""
    page = visit(to=crowd).open("/tasks?name=shop.pay")
    go = {"on": False}

    def answer(route: Route) -> None:
        pending.append(route)
        if go["on"]:
            finish()

    pending: list[Route] = []

    def finish() -> None:
        while pending:
            pending.pop().fulfill(status=200, content_type="application/json", body='{"task-id": "new"}')

    page.route("**/api/task/retry/*", answer)
    page.locator("[data-mark-all]").check()
    dialog = bulk(page, "retry")
    dialog.locator("[data-part=go]").click()
    expect(dialog.locator("#bulk-told")).to_have_text(f"0 of {FAILED}")
    page.keyboard.press("Escape")
    expect(dialog.get_by_role("button", name="Stopping…")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    go["on"] = True
    finish()
    expect(dialog.locator("#bulk-told")).to_have_text(
        f"4 tasks sent again, {FAILED - 4} left alone, as it was stopped."
    )
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_selection_by_keyboard(visit: Open, crowd: Shop) -> None:
    """Rows are selected with x, and what is done to them is reached and chosen without a mouse."""
    page = visit(to=crowd).open("/tasks?state=RECEIVED")
    assert HELD == len(shown(page))
    for key in ("j", "x", "j", "x"):
        page.keyboard.press(key)
    expect(page.locator("#selection")).to_contain_text("2 selected")
    page.locator('[data-bulk="revoke"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#bulk")).to_be_visible()
    expect(page.locator("#bulk [data-part=cancel]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#bulk")).to_be_hidden()
    expect(page.locator('[data-bulk="revoke"]')).to_be_focused()


@pytest.mark.parametrize("look", LOOKS)
def test_looks(visit: Open, crowd: Shop, look: str) -> None:
    """Selection, preview and results fit the window and have no barrier, in every look."""
    window = visit(look, to=crowd)
    page = window.open("/tasks?search=state:STARTED,RECEIVED,FAILURE")
    retrying(page)
    page.evaluate(AXE.read_text() + "; undefined")
    found = []

    def look_at(name: str) -> None:
        page.screenshot(path=SCREENSHOTS / f"tasks-{name}-{look}.png")
        told = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
        found.extend((name, each["id"], each["nodes"][0]["html"][:200]) for each in told)
        assert 0 == window.overflow

    page.locator("[data-mark-all]").check() if look != "phone" else box(page, 0).check()
    expect(page.locator("#selection")).to_be_visible()
    look_at("selection")
    page.keyboard.press("Escape")
    for place in range(6 if look == "phone" else 12):
        box(page, place).check()
    dialog = bulk(page, "retry")
    look_at("preview")
    dialog.locator("[data-part=go]").click()
    expect(dialog.locator("[data-part=results]")).to_be_visible()
    look_at("results")
    assert ([], []) == (found, window.problems)


def test_no_selection_without_rights(visit: Open) -> None:
    """Who may change nothing sees no boxes."""
    server = crowded(read_only=True)
    try:
        page = visit(to=server).open("/tasks")
        assert (True, 0) == (rows(page).count() > 10, page.locator("[data-mark], #selection, #bulk").count())
    finally:
        server.end()


def test_names_in_the_results_are_texts(visit: Open, crowd: Shop) -> None:
    """A hostile name in the results is a text."""
    window = visit(to=crowd)
    page = window.open("/tasks?worker=" + "w2%40%3Cb%3Ehost%3C%2Fb%3E%2F%20%23%25%26%3F%2B%C3%BC")
    retrying(page)
    box(page, 0).check()
    dialog = bulk(page, "retry")
    dialog.locator("[data-part=go]").click()
    expect(dialog.locator("[data-part=results]")).to_contain_text("<script>alert(1)</script>")
    assert [] == window.problems
