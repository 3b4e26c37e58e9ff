"""The page of one task over HTTP: what it tells, what it offers to whom, what it hides."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from flower.store import Task
from tests import factories as make
from tests.api.conftest import Serve, Server


class Offers(HTMLParser):
    """Collects what can be done from a page: (operation, label)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._now = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._now = (given.get("data-operation") or ("edit" if "data-edit" in given else "")) if tag == "button" else ""

    def handle_data(self, data: str) -> None:
        if self._now:
            self.found.append((self._now, data.strip()))
        self._now = ""


def offers(server: Server, path: str) -> list[tuple[str, str]]:
    reader = Offers()
    reader.feed(server.get(path).text)
    return reader.found


def region(server: Server, path: str, name: str) -> str:
    return server.request("GET", path, headers={"HX-Request": "true", "HX-Target": name}).text


EDIT = ("edit", "Edit and run…")


@pytest.mark.parametrize(
    "events, expected",
    [
        (make.success("u"), [("task.retry", "Run again"), EDIT]),
        (make.failure("u"), [("task.retry", "Run again"), EDIT]),
        ([make.received("u")], [EDIT, ("task.revoke", "Revoke")]),
        ([make.sent("u")], [EDIT, ("task.revoke", "Revoke")]),
        ([make.received("u"), make.started("u")], [EDIT, ("task.revoke", "Terminate")]),
        ([make.received("u"), make.started("u"), make.retried("u")], [EDIT, ("task.revoke", "Revoke")]),
        ([make.started("u")], [("task.revoke", "Terminate")]),
    ],
)
def test_offers(server: Server, events: list[make.Event], expected: list[tuple[str, str]]) -> None:
    """Only what makes sense for the state is offered; a task without a name cannot be run again."""
    server.feed(events)
    assert expected == offers(server, "/task/u")


@pytest.mark.parametrize("options", [{"open_api": False}, {"read_only": True}])
def test_no_offers_without_rights(serve: Serve, options: dict[str, Any]) -> None:
    """A visitor who may do nothing is offered nothing."""
    server = serve(**options)
    server.feed(make.success("u"))
    assert [] == offers(server, "/task/u")


def test_unknown_task(server: Server) -> None:
    """A page in the frame tells what may be, and offers the backend's result."""
    answer = server.get("/task/nope")
    told = ("it was evicted" in answer.text, "Ask the result backend" in answer.text, "<header" in answer.text)
    assert (404, True, True, True) == (answer.status_code, *told)


def test_no_backend(server: Server) -> None:
    """Without a result backend that is said."""
    server.feed(make.success("u"))
    assert "No result backend is configured" in server.get("/task/u", result=1).text


@pytest.fixture
def backed(serve: Serve, tmp_path: Path) -> Server:
    """A server whose application keeps results in files."""
    return serve(capp=Celery("tests", broker="memory://", backend=f"file://{tmp_path}"))


def keep(server: Server, uuid: str, value: Any) -> None:
    server.app.capp.backend.store_result(uuid, value, "SUCCESS")


def test_result_of_the_backend(backed: Server) -> None:
    """The result that the backend keeps is shown as a value, whole."""
    backed.feed(make.success("u"))
    keep(backed, "u", {"rows": ["y" * 3000]})
    shown = region(backed, "/task/u?result=1", "backend")
    assert (True, True) == ("The backend keeps this result" in shown, "y" * 3000 in shown)


def test_result_of_an_unknown_task(backed: Server) -> None:
    """The backend may know a task that Flower does not."""
    keep(backed, "late", 42)
    assert "The backend keeps this result" in region(backed, "/task/late?result=1", "backend")


def test_pending_result(backed: Server) -> None:
    """A task that runs has no result yet, and that is said."""
    backed.feed(make.received("u"), make.started("u"))
    assert "the task has not ended" in backed.get("/task/u", result=1).text


def hide(task: Task) -> Task:
    """A `format_task` that shows no value of the sender."""
    task.args, task.kwargs, task.result = "('hidden',)", "{}", "'hidden'"
    return task


def test_hidden_arguments_are_nowhere(serve: Serve, tmp_path: Path) -> None:
    """What format_task hides is neither shown, nor in the form, nor told by way of the backend."""
    server = serve(capp=Celery("tests", broker="memory://", backend=f"file://{tmp_path}"), format_task=hide)
    server.feed(make.success("u", args="('canary',)", kwargs="{'key': 'canary'}"))
    keep(server, "u", {"key": "canary"})
    page = server.get("/task/u", result=1).text
    assert (False, True) == ("canary" in page, "They are not shown in full" in page)


def test_cut_arguments_are_not_filled_in(server: Server) -> None:
    """The form to run it again begins without arguments that were cut, and says why."""
    server.feed(make.received("u", args="('" + "x" * 1020 + "..."))
    assert "Not filled in. Cut by Celery at 1,025 characters" in server.get("/task/u").text


def test_arguments_are_filled_in(server: Server) -> None:
    """The form begins with what was recorded, as JSON."""
    server.feed(make.received("u", args="(1, 'a')", kwargs="{'b': None}"))
    page = server.get("/task/u").text
    assert (True, True) == ("[1, &quot;a&quot;]</textarea>" in page, "{&quot;b&quot;: null}</textarea>" in page)


def related(server: Server, number: int) -> None:
    root = {"root_id": "r", "parent_id": "r"}
    server.feed(make.success("r"))
    server.feed([event for n in range(number) for event in make.success(f"c{n}", n + 1.0, **root)])


def test_family(server: Server) -> None:
    """Parent, siblings and states are drawn, with links, and listed."""
    related(server, 3)
    page = region(server, "/task/c1", "family")
    assert (True, True, True) == ('href="/task/r"' in page, "4 SUCCESS" in page, page.count('href="/task/c2"') >= 2)


def test_large_family_is_folded_and_told(server: Server) -> None:
    """Of 3,000 equal children few boxes are drawn, and it is said how many are shown of how many."""
    related(server, 3000)
    page = region(server, "/task/r", "family")
    assert (True, True, True) == ("of 3,001 tasks" in page, "more SUCCESS" in page, len(page) < 30_000)


def test_region_is_only_the_region(server: Server) -> None:
    """A region that is asked for comes alone."""
    server.feed(make.success("u"))
    starts = [region(server, "/task/u", name).lstrip()[:40] for name in ("task", "others", "family", "backend")]
    assert [True] * 4 == [
        start.startswith(f'<{tag} id="{name}"')
        for start, tag, name in zip(
            starts, ("div", "section", "section", "section"), ("task", "others", "family", "backend"), strict=True
        )
    ]


def test_others_of_the_name(server: Server) -> None:
    """How many of the name ended and failed is told, with links."""
    now = server.app.events.state.clock()
    for number in range(8):
        server.feed(make.success(f"o{number}"), now=now)
    server.feed(make.failure("u"), now=now)
    page = region(server, "/task/u", "others")
    assert (True, True) == ("11.1%" in page, "/tasks?name=tasks.add&amp;state=FAILURE" in page)


def test_sent_is_not_known(server: Server) -> None:
    """Where the client does not tell when it sent the task, that is said with the setting."""
    server.feed(make.success("u"))
    assert "task_send_sent_event" in server.get("/task/u").text


HOSTILE = "</textarea></script><script>alert(1)</script>\"'<img src=x onerror=alert(2)>"


def test_hostile_texts(server: Server) -> None:
    """Markup in any text of a task is text on its page, in its graph and in its form."""
    failed = make.failed("u", exception=HOSTILE) | {
        "traceback": f'Traceback\n  File "{HOSTILE}", line 1, in {HOSTILE}\n'
    }
    texts = {"args": repr((HOSTILE,)), "kwargs": repr({HOSTILE: HOSTILE}), "parent_id": HOSTILE, "root_id": HOSTILE}
    server.feed(make.sent("u", name=HOSTILE, **texts, queue=HOSTILE), make.started("u"), failed)
    server.feed(make.event("task-x", 4.0, uuid="u", **{HOSTILE: HOSTILE}))
    page = server.get("/task/u", result=1).text
    assert (False, False) == ("<script>alert" in page, "<img src=x" in page)


@pytest.mark.parametrize(("mark", "told"), [(make.T0 + 9, True), (make.T0, False), ("soon", False), ([1], False)])
def test_unknown_end(server: Server, mark: Any, told: bool) -> None:
    """That the end is not known is told until something is heard again, whatever the task's own events say."""
    noted = {**make.event("task-progress", 3.0), "uuid": "u", "unheard": mark}
    server.feed(make.heartbeat(), make.received("u"), make.started("u"), noted)
    answer = server.get("/task/u")
    assert (200, told) == (answer.status_code, "It is not known how this task ended" in answer.text)
