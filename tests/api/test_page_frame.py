"""The frame of every page over HTTP: the actions that it offers, and to whom."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from flower.access import Access
from flower.utils.throttle import Throttle
from flower.views.actions import Actions
from tests import factories as make
from tests.api.conftest import Serve, Server

FLOWER_CSS = Path(__file__).parents[2] / "flower" / "static" / "css" / "flower.css"


def open_actions(prefix: str = "", **rules: bool) -> Actions:
    """What anybody is offered where the API is open."""
    access = Access(open_api=True, throttle=Throttle(), **rules)
    return Actions(access, access.user(None), prefix)


def attributes(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', html.partition(">")[0])}


def test_button_names_its_operation() -> None:
    """A button says what it does, to what, and where it is asked for, below the prefix and quoted."""
    found = attributes(open_actions("/flower").button("worker.shutdown", "w@h/1 <b>"))
    told = {name: found[name] for name in ("data-operation", "data-target", "data-url", "data-question")}
    assert {
        "data-operation": "worker.shutdown",
        "data-target": "w@h/1 <b>",
        "data-url": "/flower/api/worker/shutdown/w@h%2F1%20%3Cb%3E",
        "data-question": "Shut down w@h/1 <b>? Nothing starts it again from here.",
    } == told


def test_button_carries_arguments() -> None:
    """What is sent with an operation is JSON, whatever its characters."""
    html = open_actions().button("worker.queue.cancel-consumer", "w", arguments={"queue": "a\"b'&<"})
    assert {"queue": "a\"b'&<"} == json.loads(attributes(html)["data-arguments"])


def test_destructive_button_asks() -> None:
    """Only what destroys something is marked so."""
    actions = open_actions()
    marked = ["data-destructive" in actions.button(name, "w") for name in ("worker.shutdown", "worker.pool.grow")]
    assert [True, False] == marked


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("queue.purge", {}, True),
        ("task.revoke-many", {"search": "x"}, True),
        ("task.revoke-many", {"ids": ["1"]}, False),
        ("task.revoke", {}, False),
    ],
)
def test_button_that_counts_first(name: str, arguments: dict[str, object], expected: bool) -> None:
    """Where the first answer is a count and a token, the question waits for it."""
    assert expected == ("data-preview" in open_actions().button(name, "t", arguments=arguments))


def test_fields_come_from_the_arguments() -> None:
    """A form knows the type, the bounds, and the first value of its arguments."""
    html = open_actions().form("worker.pool.grow", "w", fields=(("n", "Processes"),), arguments={"n": 3})
    assert '<span class="act-label">Processes</span>' in html
    assert 'name="n" data-type="int" type="number" inputmode="decimal" step="1" min="1" max="1000" value="3"' in html


def test_nothing_is_offered_in_read_only() -> None:
    """What would be refused is no button, no form, and told as `may`."""
    actions = open_actions(read_only=True)
    assert ("", "", False, "read_only") == (
        actions.button("worker.shutdown", "w"),
        actions.form("worker.pool.grow", "w"),
        actions.may("worker.shutdown"),
        actions.off,
    )


def test_closed_api_turns_actions_off(serve: Serve) -> None:
    """Without a login and without FLOWER_UNAUTHENTICATED_API pages offer nothing, and say what to set."""
    page = serve(open_api=False).get("/tasks").text
    assert "FLOWER_UNAUTHENTICATED_API" in page


def test_open_api_says_nothing_of_it(server: Server) -> None:
    """Where actions are on, nothing is said of them."""
    assert "FLOWER_UNAUTHENTICATED_API" not in server.get("/tasks").text


def test_own_pages_get_whole_answers(classic: Server) -> None:
    """With --classic_api, Flower's own scripts are still told an error with its facts."""
    answer = classic.request("POST", "/api/worker/shutdown/nobody", headers={"X-Requested-With": "Flower"})
    assert {"error": "Unknown worker 'nobody'", "status": 404} == answer.json()


# -- the command palette


def completed(server: Server, text: str) -> list[tuple[str, str, str]]:
    return [(item["kind"], item["label"], item["url"]) for item in server.json("/complete", q=text)["items"]]


def test_completion(server: Server) -> None:
    """Workers, task names, queues and tasks by the start of their id are found in one answer."""
    server.feed(make.success("addition-1"), make.heartbeat("addition@host"))
    server.feed({**make.sent("u2", name="x"), "queue": "additions"})
    assert [
        ("task", "addition-1", "/task/addition-1"),
        ("worker", "addition@host", "/worker/addition@host"),
        ("queue", "additions", "/broker#queue-additions"),
    ] == completed(server, "addition")
    assert [("name", "tasks.add", "/tasks?name=tasks.add")] == completed(server, "S.add")


@pytest.mark.parametrize("text", ["", "  ", "%", "\u0000x", "x" * 5000, "' OR 1=1 --"])
def test_completion_of_anything(server: Server, text: str) -> None:
    """Whatever is typed is answered."""
    server.feed(make.success("u"))
    assert [] == server.json("/complete", q=text)["items"]


def test_completion_needs_the_right_to_view(serve: Serve) -> None:
    """Names are told only to whom the pages are shown."""
    assert 401 == serve(basic_auth=["u:p"]).get("/complete", q="a").status_code


# -- assets


def asset(server: Server) -> str:
    return re.findall(r'href="([^"]*flower\.css)"', server.get("/tasks").text)[0]


def test_assets_are_packed(server: Server) -> None:
    """A style sheet comes compressed, is kept for ever, and unpacks to the file."""
    answer = server.get(asset(server))
    told = [answer.headers[name] for name in ("Content-Encoding", "Cache-Control", "Content-Type", "Vary")]
    assert ["gzip", "public, max-age=315360000, immutable", "text/css", "Accept-Encoding"] == told
    assert FLOWER_CSS.read_bytes() == answer.content


def test_assets_under_an_old_name(server: Server) -> None:
    """A page from before an update gets the file of today, and keeps it no longer than it is true."""
    old = re.sub(r"/static/[0-9a-f]+/", "/static/000000000000/", asset(server))
    assert (200, "no-cache") == (server.get(old).status_code, server.get(old).headers["Cache-Control"])


def test_assets_unpacked(server: Server) -> None:
    """Who cannot unpack gets it as it is."""
    answer = server.request("GET", asset(server), headers={"Accept-Encoding": "identity"})
    assert (False, FLOWER_CSS.read_bytes()) == ("Content-Encoding" in answer.headers, answer.content)


@pytest.mark.parametrize("path", ["../app.py", "000000000000/../../app.py", "%2e%2e/app.py", "nothing.css"])
def test_assets_stay_in_their_folder(server: Server, path: str) -> None:
    """Nothing but assets is served below /static."""
    assert server.get(f"/static/{path}").status_code in (403, 404)


# -- preferences


@pytest.mark.parametrize(("wish", "style"), [("relative", "relative"), ("absolute", "full"), ("nonsense", "full")])
def test_times_as_wished(server: Server, wish: str, style: str) -> None:
    """A visitor's way of telling times holds on every page, before any script runs."""
    server.feed(make.success("u"))
    page = server.request("GET", "/task/u", headers={"Cookie": f"flower_times={wish}"}).text
    assert f'data-style="{style}"' in page


def test_error_page_has_ways_back(server: Server) -> None:
    """Whoever came to nothing is led to the pages."""
    page = server.get("/nope").text.partition("<main")[2]
    assert ["/", "/tasks", "/workers", "/broker"] == re.findall(r'class="btn[^"]*" href="([^"]*)"', page)


# -- nothing to show


def away(server: Server) -> None:
    server.app.events.failure = "Connection refused by test"


def connected(server: Server) -> None:
    server.app.events.connected_since, server.app.events.failure = 1.0, None


def with_worker(server: Server) -> None:
    connected(server)
    server.feed(make.heartbeat())


@pytest.mark.parametrize(
    ("arrange", "told"),
    [
        (away, ("The broker cannot be reached", "Connection refused by test", "celery -A proj inspect ping")),
        (connected, ("No worker has been heard", "celery -A proj worker -E")),
        (with_worker, ("Workers are heard", "celery -A proj control enable_events", "task_send_sent_event")),
    ],
)
def test_no_tasks_by_cause(server: Server, arrange: Callable[[Server], None], told: tuple[str, ...]) -> None:
    """An empty list of tasks says why it is empty, and what to run."""
    arrange(server)
    page = server.get("/tasks").text
    assert [] == [words for words in told if words not in page]
