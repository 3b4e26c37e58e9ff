"""Lists that take long to find are not waited for by the page."""

from __future__ import annotations

import re

import pytest

from flower.views import tasks
from tests import factories as make
from tests.api.conftest import Server
from tests.api.test_page_tasks import rows


@pytest.fixture
def slow(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A server whose every search takes longer than a page waits."""
    monkeypatch.setattr(tasks, "DEAR_TASKS", 0)
    monkeypatch.setattr(tasks, "PATIENCE_SECONDS", 0.0)
    server.feed(make.success("u1"), make.failure("f1", 5.0))
    return server


@pytest.mark.parametrize("view", ["search=add", "sort=-retries", "search=add&name=tasks.add&limit=15"])
def test_rows_come_later(slow: Server, view: str) -> None:
    """The page comes without rows and says where they will be."""
    page = slow.get(f"/tasks?{view}")
    later = re.search(r'hx-get="([^"]*wait=1[^"]*)"', page.text)
    assert later is not None
    found = slow.get(later[1].replace("&amp;", "&"))
    assert ([], ["f1", "u1"], False) == (rows(page), rows(found), "data-searching" in found.text)


@pytest.mark.parametrize("view", ["", "state=FAILURE", "sort=-timestamp", "sort=uuid"])
def test_rows_of_an_index_come_at_once(slow: Server, view: str) -> None:
    """What an index leads to is in the page."""
    assert "f1" in rows(slow.get(f"/tasks?{view}"))


def test_error_is_told_at_last(slow: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a search that went on is told to who comes back for it."""

    def fail(*_: object, **__: object) -> None:
        raise OSError("away")

    monkeypatch.setattr(slow.app.cluster.store, "slice", fail)
    assert [200, 500] == [slow.get("/tasks?search=x").status_code, slow.get("/tasks?search=x&wait=1").status_code]
