"""The columns of the list of tasks, as one chooses them."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.api.conftest import Shop
from tests.browser.conftest import Open
from tests.browser.tasks.crowd import crowded, heads


def test_columns_are_chosen_ordered_and_kept(visit: Open, crowd: Shop) -> None:
    """Columns are chosen and moved in the menu by keyboard, and are so on the next visit."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#menu-columns > summary").focus()
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="UUID").uncheck()
    page.get_by_role("checkbox", name="Args", exact=True).check()
    page.get_by_role("button", name="Args: further to the left").focus()
    for _ in range(3):
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Apply").and_(page.locator("[data-choose-columns] button")).press("Enter")
    expect(page.locator("#list thead")).to_contain_text("Args")
    expected = ["Name", "State", "Args", "Received", "Runtime", "Worker"]
    assert expected == heads(page)
    page.goto(crowd.url + "/tasks?state=FAILURE")
    assert expected == heads(page)
    page.locator("#menu-columns > summary").click()
    page.locator("[data-choose-columns]").get_by_role("link", name="Default").click()
    expect(page.locator("#list thead")).to_contain_text("UUID")


def test_columns_are_moved_with_the_mouse(visit: Open, crowd: Shop) -> None:
    """A column is dragged to its place."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#menu-columns > summary").click()
    source = page.locator(".column-list li", has_text="Worker").first.bounding_box()
    goal = page.locator(".column-list li").first.bounding_box()
    assert source is not None
    assert goal is not None
    page.mouse.move(source["x"] + 120, source["y"] + 10)
    page.mouse.down()
    page.mouse.move(goal["x"] + 120, goal["y"] + 20, steps=8)
    page.mouse.move(goal["x"] + 120, goal["y"] + 2, steps=4)
    page.mouse.up()
    page.locator("[data-choose-columns] .btn-primary").click()
    expect(page.locator("#list thead th[scope=col]").first).to_contain_text("Worker")


def test_columns_of_the_option(visit: Open) -> None:
    """`--tasks_columns` says which columns a visitor sees first."""
    server = crowded(tasks_columns="state,name,retries")
    try:
        assert ["State", "Name", "Retries"] == heads(visit(to=server).open("/tasks"))
    finally:
        server.end()
