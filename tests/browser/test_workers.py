"""The workers' pages in a browser: found, chosen and commanded, with mouse, keys and on a phone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, Route, expect

from tests import factories
from tests.api.conftest import Server
from tests.browser.cluster import HOSTILE_WORKER, RUNNING, facts, history
from tests.browser.conftest import LOOKS, Open

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
WORKER = "/worker/celery@w1"
HOSTILE = f"/worker/{quote(HOSTILE_WORKER, safe='')}"
TABS = ("pool", "broker", "queues", "tasks", "limits", "config", "system", "other")


def told(now: float) -> dict[str, Any]:
    """What the workers tell: a pool of four processes, one of them at work."""
    known = facts(now)
    known["stats"]["pool"]["processes"] = [11, 12, 13, 14]
    known["active"][0]["worker_pid"] = 12
    known["conf"]["worker_pool_restarts"] = True
    return known


@pytest.fixture(scope="module")
def hall() -> Iterator[Server]:
    """A server where everything may be done, with two workers online, one of a hostile name, and one gone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWER_UNAUTHENTICATED_API", "true")
        server = Server()
    now = time.time()
    server.feed(history(now))
    server.feed(factories.heartbeat("celery@gone") | {"timestamp": now})
    server.feed(factories.heartbeat("celery@gone", kind="worker-offline") | {"timestamp": now})
    server.app.events.connected_since, server.app.events.failure = now, None
    # No worker is there to be asked.
    server.app.inspector.inspect = lambda *_, **__: []  # type: ignore[method-assign]
    for name in ("celery@w1", HOSTILE_WORKER, "celery@gone"):
        server.app.inspector.workers[name] = told(now)
    yield server
    server.end()


@pytest.fixture
def awake(hall: Server) -> Callable[[], None]:
    """Lets both workers send a heartbeat and have told their facts just now."""

    def send() -> None:
        for host in ("celery@w1", HOSTILE_WORKER):
            hall.app.inspector.workers[host]["timestamp"] = time.time()
            hall.feed(factories.heartbeat(host) | {"timestamp": time.time()})

    send()
    return send


def answered(page: Page, status: int = 200, body: dict[str, Any] | None = None) -> list[tuple[str, Any]]:
    """Answer commands instead of the server; the path and body of each that was sent."""
    sent: list[tuple[str, Any]] = []

    def answer(route: Route) -> None:
        sent.append((route.request.url.partition("/api/")[2], json.loads(route.request.post_data or "null")))
        route.fulfill(status=status, content_type="application/json", body=json.dumps(body or {"message": "Done so"}))

    page.route("**/api/**", answer)
    return sent


# -- every look


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["/workers", "/workers?q=nobody", f"{WORKER}", f"{HOSTILE}", "/worker/nobody@here"])
def test_page(visit: Open, hall: Server, awake: Callable[[], None], path: str, look: str) -> None:
    """A page has no script error, no sideways scroll and no barrier."""
    window = visit(look, to=hall)
    page = window.open(path)
    page.wait_for_selector('html.scripted #connection[data-kind="live"]')
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    said = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
    assert ([], 0, []) == (window.problems, window.overflow, said)


@pytest.mark.parametrize("look", ["light", "phone"])
@pytest.mark.parametrize("tab", TABS)
def test_tab(visit: Open, hall: Server, awake: Callable[[], None], tab: str, look: str) -> None:
    """Each part of a worker is opened by its hash, without sideways scroll or barrier."""
    window = visit(look, to=hall)
    page = window.open(f"{HOSTILE}#tab-{tab}")
    expect(page.locator(f"#tab-{tab}")).to_be_visible()
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run('#worker-tabs', {resultTypes: ['violations']})")["violations"]
    said = [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
    assert ([], 0, []) == (window.problems, window.overflow, said)


# -- the list


def test_row_follows_the_events(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """A count follows the events in the row that is there."""
    page = visit(to=hall).open("/workers")
    row = page.locator('tr[data-worker="celery@w1"]')
    row.evaluate("row => { row.mark = 'kept' }")
    before = int(row.locator('[data-label="Succeeded"]').inner_text())
    hall.feed([event | {"timestamp": time.time()} for event in factories.success("followed")])
    expect(row.locator('[data-label="Succeeded"]')).to_have_text(str(before + 1))
    assert "kept" == row.evaluate("row => row.mark")


def test_selection_survives_a_redraw(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """What is ticked stays ticked while the list lives."""
    page = visit(to=hall).open("/workers")
    page.check('[data-pick="celery@w1"]')
    hall.feed([event | {"timestamp": time.time()} for event in factories.failure("redraw")])
    row = page.locator('tr[data-worker="celery@w1"]')
    expect(row.locator('[data-label="Failed"] a')).to_have_text("2")
    assert (True, "1 worker selected") == (
        page.is_checked('[data-pick="celery@w1"]'),
        page.inner_text('#bulk-bar [data-part="count"]'),
    )


def test_several_workers_are_shut_down_together(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """All selected workers are named before, asked each, and told of after; offline ones cannot be selected."""
    page = visit(to=hall).open("/workers")
    sent = answered(page)
    page.check("#pick-all")
    page.click('[data-bulk="shutdown"]')
    expect(page.locator("#bulk")).to_contain_text("Shut down 2 workers?")
    expect(page.locator("#bulk")).to_contain_text("2 running tasks are finished first")
    assert [] == sent
    page.click('#bulk [data-part="go"]')
    expect(page.locator("#bulk li[data-kind=good]")).to_have_count(2)
    paths = sorted(f"worker/shutdown/{quote(name, safe='')}" for name in ("celery@w1", HOSTILE_WORKER))
    assert paths == sorted(path for path, _ in sent)


def test_refusals_of_several_are_told_one_by_one(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """A worker that refuses stays selected, with its reason."""
    page = visit(to=hall).open("/workers")
    answered(page, 403, {"error": "Pool restarts not enabled", "status": 403})
    page.check('[data-pick="celery@w1"]')
    page.click('[data-bulk="restart"]')
    page.click('#bulk [data-part="go"]')
    expect(page.locator("#bulk li[data-kind=bad]")).to_contain_text("Pool restarts not enabled")
    page.click('#bulk [data-part="cancel"]')
    assert page.is_checked('[data-pick="celery@w1"]')


def test_list_by_keyboard(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """Find, sort and select without a mouse; the dialog begins at Cancel."""
    page = visit(to=hall).open("/workers")
    page.focus("#q")
    page.keyboard.type("w1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workers?q=w1*")
    expect(page.locator("tr[data-worker]")).to_have_count(1)
    page.focus('[data-pick="celery@w1"]')
    page.keyboard.press("Space")
    page.focus('[data-bulk="shutdown"]')
    page.keyboard.press("Enter")
    assert "Cancel" == page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Escape")
    expect(page.locator("#bulk")).to_be_hidden()


# -- one worker


def test_running_task_is_in_its_process(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """The page says which process runs what, and which are free."""
    page = visit(to=hall).open(WORKER)
    expect(page.locator(f"#slot-{RUNNING}")).to_contain_text("12")
    expect(page.locator(".slots-idle")).to_contain_text("3 free: processes 11, 13, 14")


def test_shut_down_says_what_will_happen(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """The question tells of running tasks, of waiting ones, and that nothing starts the worker again."""
    page = visit(to=hall).open(WORKER)
    sent = answered(page)
    page.click("#worker-head >> text=Shut down")
    question = page.inner_text("#ask")
    words = ("Its running task is finished first", "waiting goes back to its queue", "nothing starts it again")
    assert ([True] * 3, []) == ([word in question for word in words], sent)
    page.click('#ask [data-part="go"]')
    expect(page.locator(".toast-good")).to_contain_text("Done so")
    assert [("worker/shutdown/celery@w1", {})] == sent


def test_rate_limit_is_set_in_its_own_words(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """A rate such as 10/m is typed as it is; the present one is there to be changed."""
    page = visit(to=hall).open(f"{WORKER}#tab-limits")
    sent = answered(page)
    page.locator("#tab-limits tr", has_text="tasks.sleep").get_by_role("button", name="Rate…").click()
    assert "10/m" == page.input_value("#ask-ratelimit")
    page.fill("#ask-ratelimit", "5/h")
    page.keyboard.press("Enter")
    expect(page.locator(".toast-good")).to_contain_text("Done so")
    assert [("task/rate-limit/tasks.sleep", {"workername": "celery@w1", "ratelimit": "5/h"})] == sent


def test_what_was_acted_on_is_seen_at_once(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """After an action the page shows what the worker told since, without a reload."""
    page = visit(to=hall).open(f"{WORKER}#tab-queues")
    answered(page)
    page.click("text=Add queue…")
    page.fill("#ask-queue", "mail&more")
    queues = [*told(time.time())["active_queues"], {"name": "mail&more"}]
    hall.app.inspector.workers["celery@w1"]["active_queues"] = queues
    page.keyboard.press("Enter")
    expect(page.locator("#tab-queues")).to_contain_text("mail&more", timeout=2000)
    expect(page.locator("#worker-head .about")).to_contain_text("mail&more", timeout=2000)


def test_lists_are_searched_and_paged_in_place(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """A search and a page of a list stay in the address, and the part stays open."""
    page = visit(to=hall).open(f"{WORKER}#tab-tasks")
    page.get_by_role("link", name="Next page of reserved").click()
    expect(page.locator("#tab-tasks")).to_contain_text("51–60 of 60")
    assert page.url.endswith(f"{WORKER}?reserved_page=2#tab-tasks")
    page.fill("#in-find", "a0000007")
    expect(page.locator("#tab-tasks")).to_contain_text("1–1 of 1 that match, 60 in all")
    page.wait_for_url("**find=a0000007#tab-tasks")
    expect(page.locator("#tab-tasks")).to_be_visible()
    assert "in-find" == page.evaluate("document.activeElement.id")


def test_typed_text_survives_a_redraw(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """What the reader types is not taken away by fresh facts."""
    page = visit(to=hall).open(f"{WORKER}#tab-config")
    page.evaluate("document.querySelector('#config-find').removeAttribute('hx-get')")
    page.fill("#in-config_find", "half a wo")
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "worker-tabs"):
        hall.app.cluster.hub.learned()
    page.wait_for_timeout(200)
    assert "half a wo" == page.input_value("#in-config_find")


def test_tabs_by_keyboard_keep_working_after_a_redraw(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """Arrow keys go on from the open part after the region was drawn anew."""
    page = visit(to=hall).open(f"{WORKER}#tab-queues")
    page.focus("#for-queues")
    with page.expect_response(lambda answer: answer.request.headers.get("hx-target") == "worker-tabs"):
        hall.app.cluster.hub.learned()
    expect(page.locator("#for-queues")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#tab-tasks")).to_be_visible()
    assert page.url.endswith("#tab-tasks")


def test_offline_worker_in_the_browser(visit: Open, hall: Server) -> None:
    """A worker that is gone shows what it told last and offers only to be asked again."""
    page = visit(to=hall).open("/worker/celery@gone")
    expect(page.locator("#worker-head")).to_contain_text("This worker is offline")
    expect(page.locator("#worker [data-operation]")).to_have_count(0)


def test_pages_without_script(visit: Open, hall: Server, awake: Callable[[], None]) -> None:
    """Both pages can be read without script; nothing that needs it is shown."""
    window = visit(to=hall, java_script_enabled=False)
    listed = window.open("/workers").inner_text("main")
    page = window.open(WORKER)
    shown = [page.locator(f"#tab-{tab}").is_visible() for tab in TABS]
    assert (True, [True] * 8, 0) == (
        "celery@w1" in listed and "Select" not in listed,
        shown,
        page.locator("button[data-operation]:visible").count(),
    )
