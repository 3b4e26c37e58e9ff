"""Finding tasks in a browser: search with completion, facets, times; kept views and files of what was found."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from flower.views import tasks
from tests.api.conftest import Shop
from tests.browser.cluster import HOSTILE, HOSTILE_WORKER
from tests.browser.conftest import Open
from tests.browser.tasks.crowd import FAILED, asked, rows, settled, shown


def options(page: Page) -> list[str]:
    """What the completion offers."""
    return page.locator("#completions .completion-word").all_inner_texts()


# -- search


def test_search_stays_in_the_address(visit: Open, crowd: Shop) -> None:
    """Enter searches, keeps the field and its focus, and the address has it; the back key undoes it."""
    window = visit(to=crowd)
    page = window.open("/tasks")
    page.keyboard.press("/")
    page.keyboard.type("kwargs:tenant=42")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(FAILED)
    assert ({"search": "kwargs:tenant=42"}, "search") == (asked(page), page.evaluate("document.activeElement.id"))
    page.go_back()
    expect(page.locator("#search")).to_have_value("")
    expect(page.locator("#list .pages-range")).not_to_contain_text("of 12")
    assert [] == window.problems


def test_rows_that_take_long(visit: Open, crowd: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that did not wait for its rows shows them when they are found, at first and after another choice."""
    monkeypatch.setattr(tasks, "DEAR_TASKS", 0)
    monkeypatch.setattr(tasks, "PATIENCE_SECONDS", 0.0)
    window = visit(to=crowd)
    page = window.open("/tasks?search=tenant")
    expect(rows(page)).to_have_count(50)
    page.locator("#states").get_by_role("link", name=re.compile("Failure")).click()
    expect(rows(page)).to_have_count(FAILED)
    assert ({"search": "tenant", "state": "FAILURE"}, []) == (asked(page), window.problems)


def test_fields_are_completed(visit: Open, crowd: Shop) -> None:
    """The start of a field is completed by arrows and Enter, then its values; Enter again searches."""
    page = visit(to=crowd).open("/tasks")
    search = page.locator("#search")
    search.focus()
    page.keyboard.type("work")
    expect(page.get_by_role("option", name=re.compile("^worker:"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[role=option][aria-selected=true]")).to_contain_text("worker:")
    page.keyboard.press("Enter")
    expect(search).to_have_value("worker:")
    page.keyboard.type("w2")
    page.wait_for_function("() => document.querySelectorAll('#completions .completion').length === 2")
    assert {"worker:celery@w2", f'worker:"{HOSTILE_WORKER}"'} == set(options(page))
    page.keyboard.press("ArrowDown")
    assert "completion-0" == search.get_attribute("aria-activedescendant")
    page.keyboard.press("Tab")
    first = search.input_value()
    assert first.startswith("worker:")
    search.fill("worker:celery@w2")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(FAILED)


def test_names_are_completed(visit: Open, crowd: Shop) -> None:
    """A word without a field offers the names that hold it, a hostile one in quotes; taking it finds that one."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#search").focus()
    page.keyboard.type("my/tas")
    expect(page.locator("#completions .completion")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#search")).to_have_value(f'name:"{HOSTILE}" ')
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(1)
    assert ["e-hostile"] == shown(page)


def test_states_are_completed_one_after_the_other(visit: Open, crowd: Shop) -> None:
    """States stand with commas between them, each completed."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#search").focus()
    page.keyboard.type("state:FAILURE,ST")
    expect(page.get_by_role("option", name="state:FAILURE,STARTED")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("#search")).to_have_value("state:FAILURE,STARTED ")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(FAILED + 1 + 3)


def test_escape_closes_the_completion(visit: Open, crowd: Shop) -> None:
    """Escape closes the completion and leaves what was typed; a click takes an option."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#search").focus()
    page.keyboard.type("runt")
    expect(page.locator("#completions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#completions")).to_be_hidden()
    assert "runt" == page.locator("#search").input_value()
    page.keyboard.type("i")
    page.get_by_role("option", name=re.compile("^runtime:")).click()
    expect(page.locator("#search")).to_have_value("runtime:")
    expect(page.locator("#search")).to_be_focused()


def test_mistake_is_pointed_at(visit: Open, crowd: Shop) -> None:
    """A search that cannot be read says what is wrong and marks where; mended, it is gone."""
    page = visit(to=crowd).open("/tasks")
    search = page.locator("#search")
    search.fill("tasks AND runtime:fast")
    search.press("Enter")
    expect(page.locator("#search-error")).to_contain_text("runtime")
    expect(page.locator(".pointed mark")).to_have_text("runtime:fast")
    expect(search).to_have_attribute("aria-invalid", "true")
    expect(search).to_be_focused()
    search.fill("state:FAILURE")
    search.press("Enter")
    expect(page.locator("#search-error")).to_have_count(0)
    expect(rows(page)).to_have_count(FAILED + 1)


def test_mistake_is_searched_as_text(visit: Open, crowd: Shop) -> None:
    """What cannot be read can be looked for as a text."""
    page = visit(to=crowd).open('/tasks?search=(x "')
    page.get_by_role("link", name="as plain text").click()
    expect(page.locator("#list .blank")).to_contain_text("No task matches")


# -- facets and times


def test_facets_narrow_the_list(visit: Open, crowd: Shop) -> None:
    """A facet's value shows as many rows as it said; again it is given up. Others keep their numbers."""
    page = visit(to=crowd).open("/tasks")
    facets = page.locator("#facets")
    expect(facets).to_contain_text("shop.pay")
    pay = facets.get_by_role("link", name=re.compile("^shop.pay"))
    assert str(FAILED) == pay.locator(".facet-count").inner_text()
    pay.click()
    settled(page, name="shop.pay")
    expect(rows(page)).to_have_count(FAILED)
    expect(pay).to_have_attribute("aria-current", "true")
    expect(facets.locator("section").nth(1)).not_to_contain_text("celery@w1")
    expect(facets.get_by_role("link", name=re.compile("^mail.render"))).to_be_visible()
    page.locator("#states").get_by_role("link", name=re.compile("Success")).click()
    expect(page.locator("#list .blank")).to_contain_text("No task matches")
    page.get_by_role("link", name=re.compile("Remove the filter State")).click()
    expect(rows(page)).to_have_count(FAILED)
    pay.click()
    page.wait_for_function("() => !location.search.includes('name')")


def test_facets_by_keyboard(visit: Open, crowd: Shop) -> None:
    """A facet's value that is chosen by keyboard keeps the focus, so that Enter gives it up again."""
    page = visit(to=crowd).open("/tasks?search=tenant")
    value = page.locator("#facets").get_by_role("link", name=re.compile("^mail.render"))
    value.press("Enter")
    settled(page, name="mail.render")
    expect(value).to_have_attribute("aria-current", "true")
    expect(value).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function("() => !location.search.includes('name=')")


def test_facet_of_a_hostile_name(visit: Open, crowd: Shop) -> None:
    """A name of markup and signs is a text, and a filter like any other."""
    window = visit(to=crowd)
    page = window.open("/tasks")
    page.locator("#facets").get_by_role("link", name=re.compile(r"alert\(1\)")).click()
    settled(page, name=HOSTILE)
    expect(rows(page)).to_have_count(1)
    assert (True, []) == (quote(HOSTILE, safe="") in page.url.replace("+", "%20"), window.problems)


def test_range_of_time(visit: Open, crowd: Shop) -> None:
    """A span is chosen from the menu by keyboard; exact times replace it."""
    page = visit(to=crowd).open("/tasks?state=SUCCESS")
    when = page.locator("#menu-when > summary")
    when.focus()
    page.keyboard.press("Enter")
    page.locator("#menu-when").get_by_role("link", name="Last 15 minutes").press("Enter")
    settled(page, range="15m")
    expect(when).to_have_text("Last 15 minutes")
    near = len(shown(page))
    when.click()
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 3600))
    page.get_by_label("From").fill(at)
    page.locator("#menu-when").get_by_role("button", name="Apply").click()
    page.wait_for_function("() => location.search.includes('start=')")
    expect(when).to_contain_text(at.replace("T", " ")[:16])
    page.wait_for_function("count => document.querySelectorAll('#list tr[data-uuid]').length > count", arg=near)
    assert (True, False) == (10 <= near <= 20, "range" in asked(page))
    page.get_by_role("link", name=re.compile("Remove the filter Received")).click()
    expect(when).to_have_text("Any time")


# -- views


def test_views_are_kept_renamed_and_deleted(visit: Open, crowd: Shop) -> None:
    """A view is kept under a name with filter, order and columns; it can be applied, renamed and deleted."""
    window = visit(to=crowd)
    page = window.open("/tasks?state=FAILURE&sort=name&columns=uuid,name")
    menu = page.locator("#menu-views > summary")
    menu.click()
    page.get_by_label("Name of this view").fill("Failed payments <b>")
    page.keyboard.press("Enter")
    expect(page.locator("[data-views]").get_by_role("link", name="Failed payments <b>")).to_be_visible()
    page.goto(crowd.url + "/tasks")
    menu.click()
    page.locator("[data-views]").get_by_role("link", name="Failed payments <b>").click()
    page.wait_for_url("**/tasks?*state=FAILURE*")
    assert {"state": "FAILURE", "sort": "name", "columns": "uuid,name"} == asked(page)
    menu.click()
    page.get_by_role("button", name="Rename the view Failed payments").press("Enter")
    page.get_by_label("New name").fill("Losses")
    page.keyboard.press("Enter")
    expect(page.locator("[data-views]").get_by_role("link", name="Losses")).to_have_attribute("aria-current", "true")
    expect(page.locator("#menu-views")).to_have_attribute("open", "")
    page.reload()
    menu.click()
    page.get_by_role("button", name="Delete the view Losses").press("Enter")
    expect(page.locator('[data-views] [data-part="none"]')).to_be_visible()
    expect(page.get_by_label("Name of this view")).to_be_focused()
    assert [] == window.problems


def test_starting_views(visit: Open, crowd: Shop) -> None:
    """Some views are there to begin with."""
    page = visit(to=crowd).open("/tasks")
    page.locator("#menu-views > summary").click()
    page.get_by_role("link", name="Running now").click()
    expect(rows(page)).to_have_count(3)
    assert {"state": "STARTED", "sort": "started"} == asked(page)


# -- files


def saved(page: Page, *choices: str) -> str:
    """The text of the file that the menu gives."""
    page.locator("#menu-export > summary").click()
    for choice in choices:
        page.locator("#menu-export").get_by_label(choice).check()
    with page.expect_download() as download:
        page.locator("#menu-export").get_by_role("button", name="Download").click()
    return Path(download.value.path()).read_text()


def test_csv_of_what_is_found(visit: Open, crowd: Shop) -> None:
    """A CSV has all that match, beyond the page, in its columns and order."""
    page = visit(to=crowd).open("/tasks?name=shop.add&sort=received&columns=uuid,state,name&limit=15")
    first = shown(page)
    table = list(csv.reader(io.StringIO(saved(page))))
    assert (["uuid", "state", "name"], first) == (table[0], [row[0] for row in table[1:16]])
    assert {("SUCCESS", "shop.add")} == {(row[1], row[2]) for row in table[1:]}
    assert len(table) - 1 == int(page.locator(".tasks-head .sub b").inner_text())


def test_json_lines_of_everything(visit: Open, crowd: Shop) -> None:
    """JSON lines have every fact of each task that matches, hostile texts as they are."""
    page = visit(to=crowd).open("/tasks?search=" + quote(f'name:"{HOSTILE}"'))
    lines = saved(page, "JSON lines", "Everything").splitlines()
    task = json.loads(lines[0])
    assert (1, HOSTILE, "<b>'no'</b>", "{'a': '</pre><script>'}") == (
        len(lines),
        task["name"],
        task["exception"],
        task["kwargs"],
    )
