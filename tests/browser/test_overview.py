"""The overview in a browser: charts that answer to the pointer, and a page that follows the events."""

from __future__ import annotations

import re
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests import factories
from tests.api.conftest import Server
from tests.browser.conftest import Open

POINT = """slug => {
    const over = document.querySelector(`#chart-${slug} .u-over`).getBoundingClientRect();
    return {left: over.left, top: over.top, width: over.width, height: over.height};
}"""
INK = """slug => {
    const canvas = document.querySelector(`#chart-${slug} canvas`);
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const found = new Set();
    for (let at = 0; at < pixels.length; at += 4) {
        if (pixels[at + 3] === 255) found.add(`${pixels[at]},${pixels[at + 1]},${pixels[at + 2]}`);
    }
    return [...found];
}"""
GREEN = {"light": "60,154,108", "dark": "69,168,123"}


def drawn(page: Page) -> Page:
    page.wait_for_selector("#chart-runtime .u-over")
    return page


def spot(page: Page, slug: str, across: float, down: float = 0.9) -> tuple[float, float]:
    """A place in a chart, in pixels of the window."""
    page.locator(f"#chart-{slug}").scroll_into_view_if_needed()
    box: dict[str, float] = page.evaluate(POINT, slug)
    return box["left"] + box["width"] * across, box["top"] + box["height"] * down


def last_bar(page: Page, slug: str) -> tuple[float, float]:
    """The foot of the newest bar: the events of the fixture came just now."""
    steps: int = page.evaluate(
        "slug => JSON.parse(document.querySelector(`#chart-${slug} script`).textContent).x.length", slug
    )
    return spot(page, slug, 1 - 0.5 / steps, 0.97)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_charts_are_drawn(visit: Open, look: str) -> None:
    """Each chart has a canvas, with the colours of its theme."""
    page = drawn(visit(look).open("/"))
    assert (4, True) == (
        page.locator("figure.chart canvas").count(),
        GREEN["dark" if look == "dark" else "light"] in page.evaluate(INK, "ended"),
    )


def test_charts_follow_the_theme(visit: Open) -> None:
    """A chart is drawn anew when the theme changes."""
    page = drawn(visit("light").open("/"))
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    drawn_dark = page.wait_for_function(f"slug => ({INK})(slug).includes('{GREEN['dark']}')", arg="ended")
    assert drawn_dark.json_value()


def test_hover(visit: Open) -> None:
    """Under the pointer a chart tells the span and the values of that point."""
    page = drawn(visit().open("/?window=24h"))
    page.mouse.move(*last_bar(page, "ended"))
    tip = page.locator("#chart-ended .chart-tip")
    expect(tip).to_be_visible()
    assert re.search(r"\d\d:\d\d – .*Succeeded\d+.*Failed\d+.*Received\d+", tip.inner_text().replace("\n", ""))


def test_click_leads_to_the_tasks(visit: Open) -> None:
    """A click on a bar of failures shows the tasks that failed then."""
    page = drawn(visit().open("/?window=24h"))
    page.mouse.click(*last_bar(page, "failed"))
    page.wait_for_url("**/tasks?*")
    given = parse_qs(urlsplit(page.url).query)
    assert ["FAILURE"] == given["state"]
    assert re.fullmatch(r"failed:>=\S+Z failed:<\S+Z", given["search"][0])


def test_drag_zooms(visit: Open) -> None:
    """A span that is dragged over is a page of its own, with an address."""
    page = drawn(visit().open("/"))
    page.mouse.move(*spot(page, "ended", 0.5))
    page.mouse.down()
    page.mouse.move(*spot(page, "ended", 0.75), steps=4)
    page.mouse.up()
    page.wait_for_url("**/?start=*")
    given = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
    drawn(page)
    chart: dict[str, Any] = page.evaluate("JSON.parse(document.querySelector('#chart-ended script').textContent)")
    assert (["start", "end"], True) == (list(given), 800 < chart["end"] - chart["start"] < 1100)


def test_charts_grow_with_the_events(visit: Open, site: Server) -> None:
    """A chart shows what happened since the page was opened, and so does its table."""
    page = drawn(visit().open("/?window=5m"))
    page.locator("#chart-failed summary").click()
    total = "() => [...document.querySelectorAll('#chart-failed tbody td:nth-child(2)')]"
    total += ".reduce((sum, cell) => sum + (Number(cell.textContent) || 0), 0)"
    before: int = page.evaluate(total)
    site.feed([event | {"timestamp": time.time()} for event in factories.failure("grow-1")])
    page.wait_for_function(f"before => ({total})() > before", arg=before, timeout=15_000)
    assert before + 1 == page.evaluate(total)


def test_numbers_follow_the_events(visit: Open, site: Server) -> None:
    """The number of failures grows without a reload, and the reader's place stays."""
    page = drawn(visit().open("/"))
    tile = page.locator(".tile-failed a")
    before = int(tile.inner_text())
    tile.focus()
    site.feed([event | {"timestamp": time.time()} for event in factories.failure("grow-2")])
    expect(tile).to_have_text(str(before + 1))
    assert page.evaluate("document.activeElement === document.querySelector('.tile-failed a')")


def test_lists_follow_the_events(visit: Open, site: Server) -> None:
    """A name that is new appears among the names without a reload."""
    page = drawn(visit().open("/"))
    page.evaluate("window.same = true")
    events = [*factories.success("list-1", name="brand.new.name")]
    site.feed([event | {"timestamp": time.time()} for event in events])
    expect(page.locator("[id='name-brand.new.name']")).to_be_visible(timeout=15_000)
    assert page.evaluate("window.same")


def test_first_worker_brings_the_charts(visit: Open) -> None:
    """The page of a silent cluster says so until a worker is heard, and then draws its charts."""
    silent = Server()
    try:
        silent.app.events.connected_since, silent.app.events.failure = time.time(), None
        window = visit(to=silent)
        page = window.open("/")
        nobody = page.get_by_role("heading", name="No worker has been heard yet")
        expect(nobody).to_be_visible()
        silent.feed(factories.heartbeat("first@host") | {"timestamp": time.time()})
        page.wait_for_selector("#chart-ended .chart-plot", state="attached", timeout=15_000)
        expect(nobody).to_have_count(0)
        assert [] == window.problems
    finally:
        silent.end()


def test_without_script(visit: Open) -> None:
    """Without script the charts are tables."""
    page = visit(java_script_enabled=False).open("/")
    page.locator("#chart-ended summary").click()
    assert 60 <= page.locator("#chart-ended tbody tr").count()
