"""The pages over HTTP: what they answer, in HTML that needs no script."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import Any

import pytest
import requests

from flower.store import Task
from tests import factories as make
from tests.api.conftest import SECONDS, Serve, Server

NAMES = [
    "a/b",
    "a#b",
    "50%",
    "a&b",
    "what?",
    "a+b",
    "me@host",
    "two words",
    "grün",
    "<script>",
    "../up",
    "ab",
    "my task (x)",
]


def live_heartbeat(host: str = make.WORKER) -> make.Event:
    return make.heartbeat(host) | {"timestamp": time.time()}


def text_of(answer: requests.Response) -> str:
    """The words of a page."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def links_of(answer: requests.Response) -> list[str]:
    return [unescape(link) for link in re.findall(r'<a [^>]*href="([^"]*)"', answer.text)]


@pytest.mark.parametrize("path", ["/tasks?limit=x"])
def test_bad_arguments(server: Server, path: str) -> None:
    """A wrong argument is a 400 on a page in the frame, naming it."""
    answer = server.get(path)
    assert (400, True, True) == (answer.status_code, "<nav" in answer.text, "limit" in text_of(answer))


# -- names


@pytest.mark.parametrize("name", NAMES)
def test_names_survive_every_link(server: Server, name: str) -> None:
    """A task, its worker and its name are reached by the links that pages write, whatever they are called."""
    server.feed(make.received(name, name=name, host=name), live_heartbeat(name))
    answer = server.get("/tasks")
    links = [link for link in dict.fromkeys(links_of(answer)) if link.startswith(("/task/", "/worker/"))]
    page = server.get(links[0])
    links += [link for link in links_of(page) if link.startswith("/tasks?name=")]
    told = [(server.get(link).status_code, name in unescape(server.get(link).text)) for link in links]
    assert [(200, True)] * 3 == told


@pytest.mark.parametrize("name", NAMES)
def test_filter_by_name(server: Server, name: str) -> None:
    """The filter of a name finds exactly that name."""
    server.feed(make.received("u1", name=name), make.received("u2", name="another"))
    found = server.get("/tasks", name=name)
    assert (True, False) == ("/task/u1" in links_of(found), "/task/u2" in links_of(found))


# -- tasks


def test_task_columns(serve: Serve) -> None:
    """The option names the columns."""
    server = serve(tasks_columns="queue,state")
    server.feed(make.sent("u"))
    heads = re.findall(r'<th scope="col".*?<a [^>]*>(.*?)</a>', server.get("/tasks").text)
    assert ["Queue", "State"] == heads


def test_search_error_says_where(server: Server) -> None:
    """A mistake in a search is marked under the box, and the page stays."""
    answer = server.get("/tasks", search="name:x AND (y")
    assert (200, True) == (answer.status_code, "name:x AND <mark>(</mark>y" in answer.text)


def test_relative_times(serve: Serve) -> None:
    """With `natural_time` the list says how long ago."""
    server = serve(natural_time=True)
    server.feed(make.received("u") | {"timestamp": time.time() - 7200})
    assert "2 hours ago" in text_of(server.get("/tasks"))


def test_news_counts_what_came_since(server: Server) -> None:
    """The list asks how many tasks are newer than its first, by its own filters, and gets its open rows anew."""
    server.feed([make.received("old", 1), make.received("new", 5), make.received("other", 6, name="x")])
    headers = {"HX-Request": "true", "HX-Target": "news"}
    given = {"newest": make.T0 + 1, "name": "tasks.add", "open": "old,unknown"}
    answer = server.request("GET", "/tasks", params=given, headers=headers).text
    assert ("<b>1</b> new" in answer, re.findall(r'<tr id="([^"]*)"', answer)) == (True, ["task-old"])


def test_a_region_comes_alone(server: Server) -> None:
    """htmx gets the region it asks for, a browser the whole page."""
    part = server.request("GET", "/tasks", headers={"HX-Request": "true", "HX-Target": "tasks"})
    restored = {"HX-Request": "true", "HX-Target": "tasks", "HX-History-Restore-Request": "true"}
    whole = server.request("GET", "/tasks", headers=restored)
    assert (False, True, True) == ("<html" in part.text, "<html" in whole.text, "HX-Request" in part.headers["Vary"])


def test_format_task_decides_what_is_seen(serve: Serve) -> None:
    """The `format_task` option works on a copy that has attributes, for the list and the page."""

    def hide(task: Task) -> Task:
        task.args = "hidden"
        return task

    server = serve(format_task=hide, tasks_columns="args")
    server.feed(make.received("u", args="('secret',)"))
    pages = server.get("/tasks").text + server.get("/task/u").text
    assert (False, 2, "('secret',)") == (
        "secret" in pages,
        pages.count(">hidden<"),
        server.app.events.state.task("u").args,
    )


def test_unknown_task(server: Server) -> None:
    """A task nobody heard of is a 404 that names it."""
    answer = server.get("/task/nope")
    assert (404, True) == (answer.status_code, "Unknown task 'nope'" in text_of(answer))


def test_family(server: Server) -> None:
    """Parent, root and children are linked; a retried task is not its own family."""
    server.feed(make.received("p"), make.received("c", 2, root_id="p", parent_id="p"), make.retry_then_success("r"))
    told = ["/task/c" in links_of(server.get("/task/p")), "/task/p" in links_of(server.get("/task/c"))]
    assert [True, True, False] == [*told, "/task/r" in links_of(server.get("/task/r"))]


def test_cut_values_say_so(server: Server) -> None:
    """A value that Celery cut is called cut."""
    server.feed(make.received("u", args="('" + "x" * 1020 + "...',)"), make.received("v", args="('xxxx',)"))
    assert (True, False) == (
        "Cut by Celery" in server.get("/task/u").text,
        "Cut by Celery" in server.get("/task/v").text,
    )


# -- the frame


def test_losses_are_told(server: Server) -> None:
    """Events that were dropped or not understood are told on every page."""
    server.feed(make.received("u"))
    server.app.events.state.totals.update({"dropped": 1204, "malformed": 3})
    page = server.get("/broker").text
    assert (True, True) == ("1,204 events were dropped" in page, "3 events could not be understood" in page)


def test_prefix_is_in_every_link(serve: Serve) -> None:
    """Under a prefix no link leaves it."""
    server = serve(url_prefix="/ops/flower")
    server.feed(make.success("u"), live_heartbeat())
    links = [
        link for path in ("/", "/tasks", "/task/u", "/broker") for link in links_of(server.get("/ops/flower" + path))
    ]
    assert [] == [link for link in links if not link.startswith(("/ops/flower/", "http", "#"))]


def test_login_page_is_missing_clearly(server: Server) -> None:
    """Without a provider there is nothing to log in to, and the page says so."""
    answer = server.get("/login")
    assert (404, True) == (answer.status_code, "no login provider is set up" in text_of(answer))


def test_logout(server: Server) -> None:
    """Logging out forgets the cookie and says so."""
    answer = server.get("/logout")
    assert (200, True, True) == (
        answer.status_code,
        "You have been logged out" in text_of(answer),
        answer.headers["Set-Cookie"].startswith('flower_session="";'),
    )


def test_frame_tells_strangers_nothing(serve: Serve) -> None:
    """Who is not logged in learns nothing of the cluster from an error page."""
    server = serve(basic_auth=["u:p"])
    server.feed(make.success("u"))
    answer = server.get("/")
    assert (401, False, False) == (answer.status_code, "events heard" in answer.text, "connection" in answer.text)


@pytest.mark.parametrize("path", ["/", "/tasks", "/broker", "/logout", "/nope", "/stream"])
def test_head(server: Server, path: str) -> None:
    """HEAD answers as GET does, without a body."""
    answer = server.request("HEAD", path)
    assert (404 if path == "/nope" else 200, b"") == (answer.status_code, answer.content)


def test_icon(server: Server) -> None:
    """Browsers that ask for the icon at its old place get one."""
    assert (200, b"\0\0\1\0") == (server.get("/favicon.ico").status_code, server.get("/favicon.ico").content[:4])


# -- the stream


def first_message(server: Server) -> tuple[requests.Response, bytes]:
    with server.request("GET", "/stream", stream=True) as answer:
        return answer, next(answer.iter_content(4096))


def test_stream(server: Server) -> None:
    """The stream is server-sent events that no proxy should keep back; its first message comes at once."""
    answer, message = first_message(server)
    kept = (answer.headers["Content-Type"], answer.headers["X-Accel-Buffering"], answer.headers.get("Content-Encoding"))
    assert (("text/event-stream; charset=UTF-8", "no", None), b"id: 1\ndata: {") == (kept, message[:13])


def test_stream_ends_with_the_server(serve: Serve) -> None:
    """A server that stops ends its streams."""
    server = serve()
    with server.request("GET", "/stream", stream=True) as answer:
        parts: Any = answer.iter_content(4096)
        next(parts)
        server.loop.add_callback(server.app.cluster.hub.stop)
        assert [] == list(parts)


def test_stream_forgets_who_left(server: Server) -> None:
    """A browser that closes its stream is no listener any more."""
    first_message(server)
    deadline = time.monotonic() + SECONDS
    while server.app.cluster.hub.listeners and time.monotonic() < deadline:
        server.get("/healthcheck")
    assert 0 == server.app.cluster.hub.listeners


def test_stream_needs_the_right_to_see(serve: Serve) -> None:
    """The stream is behind the same gate as the pages."""
    assert 401 == serve(basic_auth=["u:p"]).get("/stream").status_code
