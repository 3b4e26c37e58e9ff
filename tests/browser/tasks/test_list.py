"""The list of tasks in a browser: still, paged, sorted, with the columns and under the address that one chose."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests import factories as make
from tests.api.conftest import Shop
from tests.browser.conftest import LOOKS, SCREENSHOTS, Open
from tests.browser.tasks.crowd import DONE, TOTAL, asked, heads, life, now, rows, settled, shown
from tests.browser.test_pages import AXE

PAGES = {
    "tasks-crowd": "/tasks?columns=name,uuid,state,received,runtime,worker,args,queue&limit=15",
    "tasks-filtered": "/tasks?state=FAILURE&worker=celery%40w2&search=tenant&range=24h&sort=-runtime",
    "tasks-nothing": "/tasks?name=nobody.knows",
    "tasks-mistake": "/tasks?search=runtime:fast",
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_page(visit: Open, crowd: Shop, name: str, look: str) -> None:
    """The list has no script error, no sideways scroll, nothing from elsewhere, no barrier; whatever is in it."""
    window = visit(look, to=crowd)
    page = window.open(PAGES[name])
    expect(page.locator("#facets")).not_to_contain_text("Counting")
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [] == [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
    assert ([], 0) == (window.problems, window.overflow)


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("menu", ["menu-views", "menu-columns", "menu-export", "menu-when"])
def test_open_menus(visit: Open, crowd: Shop, menu: str, look: str) -> None:
    """An open menu is within the window and has no barrier; Escape closes it and gives the focus back."""
    window = visit(look, to=crowd)
    page = window.open("/tasks")
    summary = page.locator(f"#{menu} > summary")
    summary.focus()
    page.keyboard.press("Enter")
    box = page.locator(f"#{menu} > :nth-child(2)").bounding_box()
    assert box is not None
    page.screenshot(path=SCREENSHOTS / f"tasks-{menu}-{look}.png")
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    page.keyboard.press("Escape")
    expect(page.locator(f"#{menu}")).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()
    inside = box["x"] >= 0 and box["x"] + box["width"] <= 1400 and box["y"] + box["height"] <= 900
    assert ([], True, []) == ([each["id"] for each in found], inside, window.problems)


def test_menus_on_a_phone(visit: Open, crowd: Shop) -> None:
    """Menus stay within a phone's window."""
    window = visit("phone", to=crowd)
    page = window.open("/tasks")
    places = {}
    for menu in ("menu-views", "menu-columns", "menu-export", "menu-when"):
        page.locator(f"#{menu} > summary").click()
        box = page.locator(f"#{menu} > :nth-child(2)").bounding_box()
        assert box is not None
        places[menu] = (box["x"] >= 0, box["x"] + box["width"] <= 390, window.overflow)
        page.screenshot(path=SCREENSHOTS / f"tasks-{menu}-phone.png")
        page.keyboard.press("Escape")
    assert dict.fromkeys(places, (True, True, 0)) == places


def test_without_script(visit: Open, crowd: Shop) -> None:
    """Without script: the rows, pages, filters, columns, and numbers on demand; nothing that would not work."""
    page = visit(java_script_enabled=False, to=crowd).open("/tasks?limit=15&state=SUCCESS")
    assert 15 == rows(page).count()
    page.get_by_role("link", name="Older").click()
    assert (15, 0) == (rows(page).count(), page.locator("[data-mark]:visible, [data-tail]:visible").count())
    page.locator("#search").fill("name:shop.add tenant")
    page.get_by_role("button", name="Search").click()
    assert {"search": "name:shop.add tenant", "state": "SUCCESS", "limit": "15"}.items() <= asked(page).items()
    assert "matching" in page.inner_text("#menu-export") or rows(page).count() == 15


# -- still


def test_new_tasks_wait_until_they_are_asked_for(visit: Open, crowd: Shop) -> None:
    """Tasks that come are counted above rows that do not move; a click shows them."""
    window = visit(to=crowd)
    page = window.open("/tasks")
    before = shown(page)
    top = page.locator("#list tbody").evaluate("body => body.getBoundingClientRect().top")
    crowd.feed(life("new-1", 0.3), life("new-2", 0.2))
    expect(page.locator(".news-button")).to_have_text("2 new – show")
    expect(page.locator("#announcer")).to_contain_text("new")
    after = page.locator("#list tbody").evaluate("body => body.getBoundingClientRect().top")
    assert (before, top) == (shown(page), after)
    crowd.feed(life("new-3", 0.1))
    expect(page.locator(".news-button")).to_have_text("3 new – show")
    page.locator(".news-button").click()
    expect(rows(page).first).to_have_attribute("data-uuid", "new-3")
    expect(page.locator(".news-button")).to_have_count(0)
    assert (["new-3", "new-2", "new-1"], []) == (shown(page)[:3], window.problems)


def test_news_are_those_of_the_view(visit: Open, crowd: Shop) -> None:
    """Only tasks that the filters would show are announced."""
    page = visit(to=crowd).open("/tasks?name=only.this")
    crowd.feed(life("other", 0.2), life("this", 0.1, name="only.this"))
    expect(page.locator(".news-button")).to_have_text("1 new – show")
    page.locator(".news-button").click()
    expect(rows(page)).to_have_count(1)


def test_rows_change_where_they_stand(visit: Open, crowd: Shop) -> None:
    """A task that ends changes its row, which stays the same element with the box that was ticked."""
    crowd.feed(now(make.received("turns"), make.started("turns")))
    page = visit(to=crowd).open("/tasks")
    row = page.locator("#task-turns")
    row.locator("[data-mark]").check()
    row.evaluate("row => { row.mark = 'kept' }")
    crowd.feed(now(make.succeeded("turns")))
    expect(row.locator(".badge-state")).to_have_text("SUCCESS")
    expect(row.locator("[data-mark]")).to_be_checked()
    assert "kept" == row.evaluate("row => row.mark")


def test_live_tail(visit: Open, crowd: Shop) -> None:
    """With the live tail new rows come by themselves, also after a reload; without it they do not."""
    page = visit(to=crowd).open("/tasks")
    tail = page.locator("[data-tail]")
    tail.click()
    expect(tail).to_have_attribute("aria-pressed", "true")
    tail.blur()
    crowd.feed(life("tail-1", 0.1))
    expect(rows(page).first).to_have_attribute("data-uuid", "tail-1")
    page.reload()
    expect(tail).to_have_attribute("aria-pressed", "true")
    crowd.feed(life("tail-2", 0.1))
    expect(rows(page).first).to_have_attribute("data-uuid", "tail-2")
    tail.click()
    expect(tail).to_have_attribute("aria-pressed", "false")
    crowd.feed(life("tail-3", 0.1))
    expect(page.locator(".news-button")).to_contain_text("1 new")
    assert "tail-2" == shown(page)[0]


def test_live_tail_waits_for_the_reader(visit: Open, crowd: Shop) -> None:
    """While tasks are selected the live tail waits, says so, and announces instead."""
    page = visit(to=crowd).open("/tasks")
    tail = page.locator("[data-tail]")
    tail.click()
    first = shown(page)[0]
    page.locator(f'[data-mark="{first}"]').check()
    crowd.feed(life("waits", 0.1))
    expect(page.locator(".news-button")).to_contain_text("1 new")
    expect(tail).to_have_attribute("data-waits", "")
    assert (first, True) == (shown(page)[0], "selected" in (tail.get_attribute("title") or ""))
    page.locator("#selection [data-part=clear]").click()
    crowd.feed(life("waits-no-more", 0.1))
    expect(rows(page).first).to_have_attribute("data-uuid", "waits-no-more")


# -- pages and orders


def test_pages_lead_forward_and_back(visit: Open, crowd: Shop) -> None:
    """Older pages have every task once, newer ones lead back over the same pages, history too."""
    page = visit(to=crowd).open("/tasks?limit=50&name=shop.add")
    seen = [shown(page)]
    page.goto(page.url.replace("limit=50", "limit=15"))
    seen = [shown(page)]
    while page.get_by_role("link", name="Older", exact=True).count():
        last = shown(page)[-1]
        page.get_by_role("link", name="Older", exact=True).click()
        expect(page.locator(f'#list tr[data-uuid="{last}"]')).to_have_count(0)
        seen.append(shown(page))
    wanted = len(range(1, DONE, 3))
    assert (wanted, wanted) == (sum(map(len, seen)), len({uuid for each in seen for uuid in each}))
    page.get_by_role("link", name="Newer", exact=True).click()
    expect(rows(page).first).to_have_attribute("data-uuid", seen[-2][0])
    page.get_by_role("link", name="Newest").click()
    expect(rows(page).first).to_have_attribute("data-uuid", seen[0][0])
    page.go_back()
    expect(rows(page).first).to_have_attribute("data-uuid", seen[-2][0])


@pytest.mark.parametrize("head, column", [("Name", "name"), ("Runtime", "-runtime"), ("State", "state")])
def test_a_click_on_a_head_sorts(visit: Open, crowd: Shop, head: str, column: str) -> None:
    """A head sorts by its column, then the other way round; the address and the head say so."""
    page = visit(to=crowd).open("/tasks?state=SUCCESS")
    link = page.locator("#list thead").get_by_role("link", name=head)
    link.click()
    settled(page, sort=column)
    expect(page.locator("#list th[aria-sort]")).to_contain_text(head)
    first = shown(page)
    page.locator("#list thead").get_by_role("link", name=head).click()
    settled(page, sort=column.removeprefix("-") if column.startswith("-") else f"-{column}")
    assert first != shown(page)


def test_slowest_first(visit: Open, crowd: Shop) -> None:
    """What a sorted column says is in order."""
    page = visit(to=crowd).open("/tasks?state=SUCCESS&sort=-runtime&limit=100&search=tenant")
    told = crowd.json("/api/tasks", limit=1000)["tasks"]
    runtime = {task["uuid"]: task["runtime"] for task in told}
    found = [runtime[uuid] for uuid in shown(page)]
    assert sorted(found, reverse=True) == found


def test_the_address_is_the_view(visit: Open, crowd: Shop) -> None:
    """Another browser shows the same under the same address: filters, order, columns and page."""
    page = visit(to=crowd).open("/tasks?columns=uuid,state,worker&limit=15")
    page.locator("#states").get_by_role("link", name=re.compile("Success")).click()
    settled(page, state="SUCCESS")
    page.locator("#list thead").get_by_role("link", name="Worker").click()
    settled(page, sort="worker")
    before = shown(page)
    page.get_by_role("link", name="Next", exact=True).click()
    page.wait_for_function("() => location.search.includes('after=')")
    expect(page.locator(f'#list tr[data-uuid="{before[0]}"]')).to_have_count(0)
    other = visit(to=crowd).open(page.url.removeprefix(crowd.url))
    assert (shown(page), ["UUID", "State", "Worker"]) == (shown(other), heads(other))
    assert {"state", "sort", "columns", "limit", "after"} == set(asked(other))


def test_rows_by_keyboard(visit: Open, crowd: Shop) -> None:
    """j and k walk the rows, x selects one, Enter opens it."""
    page = visit(to=crowd).open("/tasks?state=FAILURE")
    uuids = shown(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator(f'[data-mark="{uuids[1]}"]')).to_be_checked()
    expect(page.locator("#selection")).to_contain_text("1 selected")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/task/{uuids[1]}")


def test_total_is_told(visit: Open, crowd: Shop) -> None:
    """The head says how many tasks are stored, and how many of them match."""
    page = visit(to=crowd).open("/tasks?state=FAILURE")
    stored = int(re.sub(r".*of ([\d,]+) stored.*", r"\1", page.inner_text(".tasks-head .sub")).replace(",", ""))
    assert (True, "13") == (stored >= TOTAL, page.inner_text(".tasks-head .sub b"))


def test_list_answers_at_once_after_a_quiet_night(visit: Open, crowd: Shop) -> None:
    """A tab that was hidden tells what came meanwhile when it is seen again."""
    page = visit(to=crowd).open("/tasks")
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away ?? false, configurable: true});"
        "window.away = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    crowd.feed(life(f"night-{time.time()}", 0.1))
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(".news-button")).to_contain_text("new")
