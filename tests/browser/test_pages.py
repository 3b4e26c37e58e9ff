"""Every page in every look: nothing goes wrong, nothing is fetched from elsewhere, everybody can use it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.api.conftest import Server
from tests.browser.cluster import FAILED, HOSTILE, HOSTILE_TASK, HOSTILE_WORKER, RETRIED, RUNNING
from tests.browser.conftest import LOOKS, SCREENSHOTS, Open

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
PAGES = {
    "overview": "/",
    "overview-week": "/?window=7d&order=failed",
    "workers": "/workers",
    "worker": "/worker/celery@w1",
    "worker-hostile": f"/worker/{quote(HOSTILE_WORKER, safe='')}#tab-tasks",
    "tasks": "/tasks",
    "tasks-error": "/tasks?search=state:FAILURE+AND+(x",
    "tasks-none": "/tasks?search=nobodyknowsthis",
    "task-failed": f"/task/{FAILED}",
    "task-retried": f"/task/{RETRIED}",
    "task-hostile": f"/task/{HOSTILE_TASK}",
    "broker": "/broker",
    "queue": "/queue/celery",
    "api": "/api/docs",
    "unknown": "/nope",
    "logout": "/logout",
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PAGES)
def test_page(visit: Open, name: str, look: str) -> None:
    """A page has no script error, no refused content, no sideways scroll, nothing from elsewhere, no barrier."""
    window = visit(look, bypass_csp=False)
    page = window.open(PAGES[name])
    page.wait_for_selector('html.scripted #connection[data-kind="live"], html.scripted #connection[data-kind="stale"]')
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{look}.png", full_page=True)
    assert [] == window.problems
    assert 0 == window.overflow
    assert [] == [url for url in window.requests if not url.startswith(window.site.url)]
    # axe is put in by the debugger, which a content security policy does not bind.
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [] == [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]


@pytest.mark.parametrize("name", PAGES)
def test_page_without_script(visit: Open, name: str) -> None:
    """A page says its main thing without script."""
    page = visit(java_script_enabled=False).open(PAGES[name])
    said = {
        "overview": "Tasks ended",
        "overview-week": "Most failing",
        "workers": "celery@w1",
        "worker": "celery.concurrency.prefork:TaskPool",
        "worker-hostile": "1–50 of 60",
        "tasks": "of 44",
        "tasks-error": "Missing closing parenthesis",
        "tasks-none": "No task matches",
        "api": "/api/worker/pool/grow/{workername}",
        "task-failed": "ValueError('boom')",
        "task-retried": "Was tried 2 times",
        "task-hostile": HOSTILE,
        "broker": "memory://",
        "queue": "celery",
        "unknown": "Nothing is found at /nope",
        "logout": "You have been logged out",
    }
    assert said[name] in page.inner_text("main")


def test_connection_without_script(visit: Open, beat: Callable[[], None]) -> None:
    """The connection's state, the time zone and the events heard are told without script."""
    beat()
    page = visit(java_script_enabled=False).open("/")
    told = page.inner_text("#connection") + page.inner_text("footer")
    assert ("Live" in told, "Times in UTC" in told, "events heard since" in told) == (True, True, True)


@pytest.mark.parametrize("path", [*PAGES.values(), "/tasks?limit=100"])
def test_first_load(visit: Open, path: str) -> None:
    """The first load of a page is at most 200 KB, compressed."""
    window = visit()
    sizes: list[int] = []
    window.page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    window.page.goto(window.site.url + path, wait_until="load")
    window.page.wait_for_selector("#connection")
    assert 0 < sum(sizes) <= 200_000


def test_assets_are_immutable(site: Server) -> None:
    """What a page refers to carries a hash and is kept for ever."""
    page = site.get("/").text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    answer = site.get(address)
    assert "public, max-age=315360000, immutable" == answer.headers["Cache-Control"]


def test_secrets_in_the_configuration_are_masked(site: Server) -> None:
    """A password in a URL of the worker's configuration is not shown."""
    assert "hidden-word" not in site.get("/worker/celery@w1").text


def test_running_task_has_a_page(site: Server) -> None:
    """A task that is still running says so in words."""
    assert "is running on celery@w1" in site.get(f"/task/{RUNNING}").text
