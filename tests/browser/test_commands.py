"""What is done on a page to a real worker, and that the page shows it by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.integration.plant import Plant, plant_of
from tests.services import Redis, wait_for

WORKER = "/worker/page@test"
SOON = 15_000
"""Milliseconds: the page shows it after one or two seconds; a loaded machine takes longer."""


@pytest.fixture(scope="module")
def plant(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server, and a worker of two processes that it has seen."""
    broker, backend = (f"redis://127.0.0.1:{redis.port}/{number}" for number in (7, 8))
    with plant_of(tmp_path_factory.mktemp("page"), broker, backend) as plant:
        plant.hire("page", "-P", "prefork", "-c", "2", "-Q", "celery")
        yield plant


def begin(plant: Plant, state: str = "STARTED", **options: object) -> str:
    """The id of a task that takes long, once the server has seen it in a state."""
    uuid = str(plant.desk.do("/api/task/async-apply/work.sleep", {"args": [120], **options})["task-id"])
    wait_for(lambda: state == plant.desk.states().get(uuid), 15, f"the task is {state}")
    return uuid


def page_of(visit: Open, plant: Plant, path: str) -> Page:
    page = visit().page
    page.goto(plant.desk.address + path)
    page.wait_for_selector('html.scripted #connection[data-kind="live"]')
    return page


def confirm(page: Page, button: str) -> None:
    """Answer the question with the button, and wait for what came of it."""
    page.locator("#ask").get_by_role("button", name=button).click()
    expect(page.locator(".toast-good")).to_be_visible(timeout=SOON)


def test_terminate_on_the_worker(visit: Open, plant: Plant) -> None:
    """A task that is terminated leaves its slot, and is counted as revoked."""
    task = begin(plant)
    page = page_of(visit, plant, WORKER)
    revoked = page.locator(".tile", has_text="Revoked").locator("dd")
    before = int(revoked.inner_text())
    page.locator(f"#slot-{task}").get_by_role("button", name="Terminate").click()
    confirm(page, "Terminate")
    expect(page.locator(f"#slot-{task}")).to_have_count(0, timeout=SOON)
    expect(revoked).to_have_text(str(before + 1), timeout=SOON)


def test_terminate_on_the_task(visit: Open, plant: Plant) -> None:
    """The task's page shows that it was revoked, and offers to run it again instead."""
    page = page_of(visit, plant, f"/task/{begin(plant)}")
    page.get_by_role("button", name="Terminate").click()
    confirm(page, "Terminate")
    expect(page.locator("h1 .badge-state")).to_have_text("REVOKED", timeout=SOON)
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_role("button", name="Terminate")).to_have_count(0)


def test_revoke_on_the_worker(visit: Open, plant: Plant) -> None:
    """A task that waits for its time is among those that the worker refuses as soon as it is revoked."""
    task = begin(plant, "RECEIVED", countdown=600)
    page = page_of(visit, plant, f"{WORKER}#tab-tasks")
    page.locator(f"#scheduled-{task}").get_by_role("button", name="Revoke").click()
    confirm(page, "Revoke")
    expect(page.locator("#tab-tasks .uuids")).to_contain_text(task, timeout=SOON)


def test_revoke_on_the_task(visit: Open, plant: Plant) -> None:
    """The worker refuses a task that was revoked on its page."""
    task = begin(plant, "RECEIVED", countdown=600)
    page = page_of(visit, plant, f"/task/{task}")
    page.get_by_role("button", name="Revoke").click()
    confirm(page, "Revoke")
    assert task in plant.ask("revoked", "page@test")


def test_pool_restart(visit: Open, plant: Plant) -> None:
    """The processes that the page names are others after they had something to do."""
    page = page_of(visit, plant, WORKER)
    idle = page.locator(".slots-idle")
    expect(idle).to_contain_text("2 free: processes", timeout=SOON)
    before = idle.inner_text()
    page.get_by_role("button", name="Restart pool").click()
    confirm(page, "Restart pool")
    for _ in range(4):
        plant.desk.do("/api/task/async-apply/work.sleep", {"args": [0.5]})
    expect(idle).to_contain_text("2 free: processes", timeout=SOON)
    expect(idle).not_to_have_text(before, timeout=SOON)


def test_pool_grows(visit: Open, plant: Plant) -> None:
    """A pool that was grown shows its new size by itself."""
    page = page_of(visit, plant, f"{WORKER}#tab-pool")
    page.get_by_role("button", name="Grow…").click()
    confirm(page, "Grow")
    expect(page.locator("#worker-head")).to_contain_text("prefork × 3", timeout=SOON)
