"""`/tasks/datatable`, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests import factories as make
from tests.api.conftest import Serve, Server
from tests.api.test_tasks import CLASSIC_INFO

ASKED = {"draw": 3, "start": 0, "length": 10, "order[0][column]": 1, "columns[1][data]": "name"}


@pytest.fixture
def full(server: Server) -> Server:
    """A server that knows three tasks."""
    server.feed(make.success("a", 0, name="x.a"), make.failure("b", 10, name="x.b"), make.received("c", 20, name="x.c"))
    return server


def found(server: Server, **changed: Any) -> list[str]:
    return [row["uuid"] for row in server.json("/tasks/datatable", **{**ASKED, **changed})["data"]]


def test_page(full: Server) -> None:
    """A page in the form of DataTables, rows with the 31 fields of Flower 2.x."""
    page = full.json("/tasks/datatable", **ASKED)
    assert (["draw", "data", "recordsTotal", "recordsFiltered"], 3, 3, 3) == (
        list(page),
        page["draw"],
        page["recordsTotal"],
        page["recordsFiltered"],
    )
    assert CLASSIC_INFO == list(page["data"][0])


def test_post(full: Server) -> None:
    """A form asks the same as an address, and needs no open API."""
    answer = full.request("POST", "/tasks/datatable", data={**ASKED, "search[value]": "state:FAILURE"})
    assert ["b"] == [row["uuid"] for row in answer.json()["data"]]


def test_pages_only(serve: Serve) -> None:
    """It belongs to the pages: a closed API does not close it."""
    assert 200 == serve(open_api=False).get("/tasks/datatable", **ASKED).status_code


@pytest.mark.parametrize(
    "changed, uuids",
    [
        ({}, ["a", "b", "c"]),
        ({"order[0][dir]": "desc"}, ["c", "b", "a"]),
        ({"order[0][dir]": "bogus"}, ["a", "b", "c"]),
        ({"start": 1, "length": 1}, ["b"]),
        ({"start": -4}, ["a", "b", "c"]),
        ({"start": 50}, []),
        ({"length": 0}, []),
        ({"length": -1}, ["a", "b", "c"]),
        ({"order[0][column]": 99}, ["c", "b", "a"]),
        ({"columns[1][data]": "__class__"}, ["c", "b", "a"]),
        ({"search[value]": "x.b"}, ["b"]),
    ],
)
def test_order_and_paging(full: Server, changed: dict[str, Any], uuids: list[str]) -> None:
    """Order, page and search are those that were asked for; an unknown column means the newest first."""
    assert uuids == found(full, **changed)


def test_bad_search(full: Server) -> None:
    """A mistake in the search is told in the page."""
    page = full.json("/tasks/datatable", **{**ASKED, "search[value]": "("})
    assert (3, 0, []) == (page["recordsTotal"], page["recordsFiltered"], page["data"])
    assert "position" in page["searchError"]


@pytest.mark.parametrize("name", ["draw", "start", "length", "order[0][column]"])
def test_needed(full: Server, name: str) -> None:
    """What DataTables always sends is needed."""
    answer = full.get("/tasks/datatable", **{key: value for key, value in ASKED.items() if key != name})
    assert (400, True) == (answer.status_code, f"Missing argument {name}" in answer.text)
