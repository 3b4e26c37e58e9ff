"""Several clusters in a browser: their list, and the switch in the frame."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests import factories as make
from tests.api.conftest import Server
from tests.browser.conftest import LOOKS, Open
from tests.browser.test_pages import AXE


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three clusters, each with a worker; the broker of the last one is gone."""
    path = tmp_path_factory.mktemp("clusters") / "clusters.json"
    path.write_text(json.dumps({"mail": {"broker": "memory://"}, "laboratory": {"broker": "memory://"}}))
    server = Server(clusters=str(path))
    for each in server.app.watched:
        cluster, now = each.cluster, time.time()
        cluster.state.apply([make.heartbeat(kind="worker-online", freq=3600) | {"timestamp": now}])
        cluster.events.connected_since = now
        server.loop.add_callback(cluster.hub.start)
    last = server.app.watched[2].cluster.events
    last.connected_since, last.disconnected_since, last.failure = None, time.time(), "Connection refused"
    yield server
    server.end()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", ["/", "/c/mail/tasks"])
def test_accessible(visit: Open, look: str, path: str) -> None:
    """With the switch open there is nothing to complain of, nothing sticks out, and no script fails."""
    opened = visit(look)
    page = opened.open(path)
    page.locator("#cluster-switch summary").click()
    expect(page.locator("#cluster-switch nav")).to_be_visible()
    page.evaluate(AXE.read_text() + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [] == [(each["id"], [node["html"][:200] for node in each["nodes"][:3]]) for each in found]
    assert (0, []) == (opened.overflow, opened.problems)


def test_switch_by_keyboard(visit: Open) -> None:
    """Enter opens the switch, Tab goes through the clusters, Enter leads to the same page of another one."""
    page = visit().open("/c/tests/workers")
    page.locator("#cluster-switch summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#cluster-switch")).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#cluster-switch a:focus b")).to_have_text("mail")
    page.keyboard.press("Enter")
    page.wait_for_url("**/c/mail/workers")
    expect(page.locator("#cluster-switch .cluster-name")).to_have_text("mail")
    expect(page).to_have_title("Workers · mail · Flower")


def test_switch_tells_of_trouble(visit: Open, site: Server) -> None:
    """What happens to another cluster is told on an open page, and its end too."""
    page = visit().open("/c/mail/broker")
    alarm = page.locator("#cluster-switch .cluster-alarm")
    expect(alarm).to_have_attribute("title", "1 other cluster is in trouble")
    first = site.app.watched[0].cluster.events
    since, first.connected_since, first.failure = first.connected_since, None, "Connection refused"
    expect(alarm).to_have_attribute("title", "2 other clusters are in trouble", timeout=30_000)
    first.connected_since, first.failure = since, None
    expect(alarm).to_have_attribute("title", "1 other cluster is in trouble", timeout=30_000)


def test_list_follows(visit: Open, site: Server) -> None:
    """The list of clusters says what is wrong, since when and why, and follows what changes."""
    page = visit().open("/")
    row = page.locator("#cluster-laboratory")
    expect(row).to_contain_text("Broker unreachable")
    expect(row).to_contain_text("Connection refused")
    mail = site.app.watched[1].cluster.state
    mail.apply([make.heartbeat("celery@w9", kind="worker-online", freq=3600) | {"timestamp": time.time()}])
    expect(page.locator("#cluster-mail")).to_contain_text("2 workers online", timeout=30_000)


def test_choices_hold_in_all(visit: Open) -> None:
    """The time zone of the browser is told to every cluster."""
    opened = visit(timezone_id="Asia/Tokyo")
    opened.open("/c/mail/tasks")
    assert [("flower_zone", "/")] == [
        (cookie["name"], cookie["path"]) for cookie in opened.context.cookies() if cookie["name"] == "flower_zone"
    ]
