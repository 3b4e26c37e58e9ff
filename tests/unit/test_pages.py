"""What pages are made of, without a server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import pytz

from flower.utils.arguments import ArgumentError
from flower.views.filters import View
from flower.views.moments import clock_text, time_element
from flower.views.tasks import DEFAULT_COLUMNS, TASK_COLUMNS, visible_task_columns

ROOT = Path(__file__).parents[2]
T0 = 1_795_242_217.0


def read(**given: Any) -> View:
    """The view of an address with these arguments."""

    def argument(name: str, default: Any = None, type: Any = str) -> Any:
        return type(given[name]) if name in given else default

    return View.read(argument, pytz.timezone("Europe/Berlin"))


# -- the view of the task list


def test_defaults_are_not_in_the_address() -> None:
    """The plain list has a plain address."""
    assert {} == read().arguments()


def test_whole_view_is_in_the_address() -> None:
    """Everything that was asked is in the addresses of the page."""
    given = {
        "search": "a&b",
        "name": "n",
        "state": "FAILURE",
        "worker": "w",
        "queue": "q",
        "range": "1h",
        "sort": "name",
        "columns": "name,state",
        "limit": 30,
    }
    assert given == read(**given).arguments()


def test_another_filter_begins_at_the_first_page() -> None:
    """An offset is kept by nothing but paging."""
    view = read(offset=30)
    assert ({"state": "RETRY"}, {"offset": 45}) == (view.arguments(state="RETRY"), view.arguments(offset=45))


@pytest.mark.parametrize(
    "sort, column, expected",
    [("-received", "received", "received"), ("name", "runtime", "-runtime"), ("name", "name", "-name")],
)
def test_sorting_links(sort: str, column: str, expected: str) -> None:
    """A head sorts by its column, numbers from the top, and again the other way round."""
    assert expected == read(sort=sort).sorted_by(column).get("sort")


def test_times_are_read_in_the_zone_of_the_address() -> None:
    """A time without offset is in the zone that the address names, else in the visitor's."""
    tokyo, berlin = read(start="2026-11-21T10:00", tz="Asia/Tokyo"), read(start="2026-11-21T10:00")
    assert (1_795_222_800.0, 1_795_251_600.0) == (tokyo.received()[0], berlin.received()[0])


@pytest.mark.parametrize(
    "given",
    [{"sort": "nope"}, {"sort": "--name"}, {"range": "9y"}, {"limit": 0}, {"limit": 101}, {"start": "yesterday"}],
)
def test_senseless_views_are_refused(given: dict[str, Any]) -> None:
    """An address that makes no sense is an error, not another list."""
    with pytest.raises(ArgumentError):
        read(**given)


def test_all_is_no_filter() -> None:
    """Flower 2.x's word for no filter still works."""
    assert not read(name="All", state="All", worker="All").filtered


# -- columns


def test_columns_follow_the_option() -> None:
    """The option names the columns and their order; unknown ones are left out."""
    assert ["state", "queue", "name"] == [
        column.slug for column in visible_task_columns("state, queue,bogus,name,state")
    ]


@pytest.mark.parametrize("option", ["", "bogus", None, ()])
def test_no_known_column(option: Any) -> None:
    """Without any known column the default ones are shown."""
    assert list(DEFAULT_COLUMNS) == [column.slug for column in visible_task_columns(option)]


def test_every_column_of_2x_is_known() -> None:
    """Whatever could be shown can still be shown."""
    words = "name uuid state args kwargs result received started runtime worker exchange routing_key retries revoked"
    words += " exception expires eta queue sent"
    assert set() == set(words.split()) - {column.slug for column in TASK_COLUMNS}


# -- times


def test_time_without_time() -> None:
    """No time is a dash."""
    assert "–" in time_element(None, pytz.utc)


def test_time_element() -> None:
    """A time carries what script needs to rewrite it."""
    element = time_element(T0 + 0.5, pytz.timezone("Asia/Tokyo"))
    assert ('data-at="1795242217.500"' in element, ">2026-11-21 15:23:37.500</time>" in element) == (True, True)


def test_absurd_time() -> None:
    """A time that no calendar has is shown as the number it is."""
    assert "1e+30" == time_element(1e30, pytz.utc)


def test_clock_of_another_day() -> None:
    """A time of day has its date when that is not today."""
    assert ("06:23:37", "2026-11-21 06:23:37") == (
        clock_text(T0, pytz.utc, T0 + 60),
        clock_text(T0, pytz.utc, T0 + 86_400),
    )


# -- assets


def test_vendored_assets_are_unedited() -> None:
    """Third-party files are what package.json pins, byte for byte."""
    checked = subprocess.run([sys.executable, ROOT / "scripts/vendor.py", "--check"], capture_output=True, text=True)
    assert (0, "vendored assets agree with package.json and their hashes\n") == (checked.returncode, checked.stdout)


def test_templates_have_no_inline_script_or_style() -> None:
    """The content security policy forbids them, so none is written."""
    pages = {path.name: path.read_text() for path in (ROOT / "flower/templates").glob("*.html")}
    found = [
        name
        for name, text in pages.items()
        if "<style" in text or 'style="' in text or "<script>" in text or " on" + "click" in text
    ]
    assert [] == found
