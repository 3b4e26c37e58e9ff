"""The list of tasks over HTTP: its views, its pages, its numbers, its files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from flower.store import NAMES, Task
from flower.views import export, selection
from tests import factories as make
from tests.api.conftest import SECONDS, Serve, Server

HEADERS = {"HX-Request": "true", "HX-Target": "facets"}


@pytest.fixture
def full(server: Server) -> Server:
    """Forty tasks that succeeded, three that failed, one that waits in a queue."""
    server.feed(*(make.success(f"u{number:02}", float(number)) for number in range(40)))
    server.feed(*(make.failure(f"f{number}", 50.0 + number, name="shop.pay") for number in range(3)))
    server.feed(make.sent("s", 60.0, name="mail.send", queue="mail"))
    return server


def rows(answer: requests.Response) -> list[str]:
    """The uuids of the list."""
    return re.findall(r'<tr id="task-([^"]*)"', answer.text)


def links(answer: requests.Response) -> dict[str, str]:
    """The links of the page by their words."""
    found = re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', answer.text, re.DOTALL)
    return {" ".join(unescape(re.sub("<[^>]*>", " ", words)).split()): unescape(link) for link, words in found}


# -- pages


def test_older_pages_are_the_rest(full: Server) -> None:
    """The links to older pages lead through the whole list, each task once."""
    answer, seen = full.get("/tasks", limit=15), []
    while True:
        seen += rows(answer)
        older = links(answer).get("Older")
        if older is None:
            break
        answer = full.get(older)
    expected = ["f2", "f1", "f0", *(f"u{number:02}" for number in reversed(range(40))), "s"]
    assert expected == seen


def test_newer_leads_back(full: Server) -> None:
    """Older and then newer is the first page again."""
    first = full.get("/tasks", limit=15)
    older = full.get(links(first)["Older"])
    assert rows(first) == rows(full.get(links(older)["Newer"]))


def test_page_stays_when_tasks_come(full: Server) -> None:
    """What comes while one reads does not move an older page."""
    older = links(full.get("/tasks", limit=15))["Older"]
    before = rows(full.get(older))
    full.feed([make.received(f"n{number}", 70.0 + number) for number in range(20)])
    assert before == rows(full.get(older))


def test_last_page(full: Server) -> None:
    """The end of the list is one click away; tasks that no worker received are there."""
    answer = full.get(links(full.get("/tasks", limit=15))["Oldest"])
    assert (["u01", "u00", "s"], False) == (rows(answer)[-3:], "Older" in links(answer))


def test_old_links_with_an_offset(full: Server) -> None:
    """An address of Flower's former pages shows what it did, and goes on by place."""
    answer = full.get("/tasks", offset=40, limit=15, sort="-received")
    assert (["u02", "u01", "u00", "s"], True) == (rows(answer), "before=" in links(answer)["Newer"])


def test_paging_keeps_the_view(full: Server) -> None:
    """Filter, order, columns and size go along."""
    older = links(full.get("/tasks", name="tasks.add", sort="name", limit=15, columns="uuid"))["Next"]
    given = {name: values[0] for name, values in parse_qs(urlsplit(older).query).items() if name != "after"}
    assert {"name": "tasks.add", "sort": "name", "limit": "15", "columns": "uuid"} == given


@pytest.mark.parametrize("sort", ["name", "-runtime", "worker", "-uuid", "retries", "-succeeded", "args"])
def test_every_order_is_walked(full: Server, sort: str) -> None:
    """Whatever the order, no page repeats or leaves out a task."""
    answer, seen = full.get("/tasks", limit=15, sort=sort), []
    for _ in range(5):
        seen += rows(answer)
        following = [link for words, link in links(answer).items() if words in ("Next", "Older")]
        if not following:
            break
        answer = full.get(following[0])
    assert (44, 44) == (len(seen), len(set(seen)))


@pytest.mark.parametrize("word", ["x", "bm8", "WzFd", "W10", "e30", "WyJhIiwxXQ", "WzEsW11d", "a" * 10_000])
def test_no_place(full: Server, word: str) -> None:
    """A place that was made up is a 400 that names the argument."""
    answer = full.get("/tasks", after=word)
    assert (400, True) == (answer.status_code, "Invalid after" in answer.text)


def test_place_of_another_order(full: Server) -> None:
    """A place that does not fit the order begins the list anew."""
    older = links(full.get("/tasks", limit=15, sort="name"))["Next"]
    after = parse_qs(urlsplit(older).query)["after"][0]
    assert ["f2", "f1", "f0"] == rows(full.get("/tasks", after=after, limit=15))[:3]


# -- numbers


def test_states_are_counted(full: Server) -> None:
    """Each state says how many tasks it has, and leads to them without losing the other filters."""
    answer = full.request("GET", "/tasks?name=shop.pay", headers=HEADERS)
    assert "/tasks?name=shop.pay&state=FAILURE" == links(answer)["Failure 3"]


def test_facets_are_counted(full: Server) -> None:
    """Names, workers and queues say how many tasks another choice would show."""
    told = links(full.request("GET", "/tasks", headers=HEADERS))
    expected = ["/tasks?name=tasks.add", "/tasks?worker=celery%40w1", "/tasks?queue=mail"]
    assert expected == [told["tasks.add 40"], told["celery@w1 43"], told["mail 1"]]


def test_chosen_value_is_given_up_by_its_link(full: Server) -> None:
    """The link of a value that is chosen takes the filter away."""
    told = links(full.request("GET", "/tasks?name=shop.pay&state=FAILURE", headers=HEADERS))
    assert "/tasks?state=FAILURE" == told["shop.pay 3"]


def test_first_look_does_not_wait_for_numbers(full: Server) -> None:
    """A page comes without numbers that are not known yet and asks for them; then they are in it."""
    before = full.get("/tasks?state=FAILURE").text
    full.request("GET", "/tasks?state=FAILURE", headers=HEADERS)
    after = full.get("/tasks?state=FAILURE").text
    assert (True, True, False) == ("Counting" in before, 'hx-trigger="load' in before, "Counting" in after)


def test_queue_is_a_filter(full: Server) -> None:
    """A queue filters as a name does."""
    assert ["s"] == rows(full.get("/tasks", queue="mail"))


# -- columns


def test_columns_of_the_address(full: Server) -> None:
    """The address names the columns and their order."""
    heads = re.findall(r'<th scope="col".*?<a [^>]*>(.*?)<', full.get("/tasks", columns="state,queue,name").text)
    assert ["State", "Queue", "Name"] == heads


def test_chosen_columns_are_kept(full: Server) -> None:
    """What was chosen in the menu is there on the next visit, until the default is asked for."""
    chosen = full.request("GET", "/tasks?state=FAILURE&column=uuid&column=bogus&column=state")
    assert (302, "/tasks?state=FAILURE") == (chosen.status_code, chosen.headers["Location"])
    kept = re.findall(r'<th scope="col".*?<a [^>]*>(.*?)<', full.get("/tasks").text)
    full.request("GET", "/tasks?columns=default")
    again = re.findall(r'<th scope="col".*?<a [^>]*>(.*?)<', full.get("/tasks").text)
    assert (["UUID", "State"], "Name") == (kept, again[0])


# -- what may be done


def test_no_boxes_without_rights(serve: Serve) -> None:
    """Who may do nothing to tasks is offered no boxes to mark them."""
    server = serve(read_only=True)
    server.feed(make.success("u"))
    page = server.get("/tasks").text
    assert (False, False) == ("data-mark" in page, 'id="bulk"' in page)


def test_selection_of_a_view(full: Server) -> None:
    """The preview tells the tasks that a view matches as they are now."""
    told = full.json("/tasks/selection", state="FAILURE", sort="received")
    expected = [{"uuid": f"f{number}", "name": "shop.pay", "state": "FAILURE"} for number in range(3)]
    assert {"tasks": expected, "more": False, "most": selection.MOST} == told


def test_selection_of_ids(full: Server) -> None:
    """Of given ids it tells those that are known, once each."""
    answer = full.request("POST", "/tasks/selection", json={"ids": ["s", "gone", "s", "u00"]})
    assert [("s", "PENDING"), ("u00", "SUCCESS")] == [(task["uuid"], task["state"]) for task in answer.json()["tasks"]]


def test_selection_is_bounded(full: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than can be acted on is said."""
    monkeypatch.setattr(selection, "MOST", 5)
    told = full.json("/tasks/selection")
    assert (5, True) == (len(told["tasks"]), told["more"])


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"ids": 1}', '{"ids": [1]}', '{"ids": ["a"]'])
def test_bad_selection(full: Server, body: str) -> None:
    """What is no list of ids is a 400."""
    assert 400 == full.request("POST", "/tasks/selection", data=body).status_code


def test_words(full: Server) -> None:
    """A search is completed with the fields and with the values that were seen."""
    told = full.json("/tasks/words")
    assert (True, ["mail.send", "shop.pay", "tasks.add"], ["celery@w1"], ["celery", "mail"]) == (
        "runtime" in [field["name"] for field in told["fields"]],
        told["values"]["name"],
        told["values"]["worker"],
        told["values"]["queue"],
    )


# -- files


def table(answer: requests.Response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode())))


def test_csv_has_all_that_match(full: Server) -> None:
    """A file has every matching task in the order of the list, whatever the page."""
    told = table(full.get("/tasks/export", name="tasks.add", columns="uuid,state", limit=15, sort="received"))
    assert [["uuid", "state"], *([f"u{number:02}", "SUCCESS"] for number in range(40))] == told


def test_file_has_a_name_with_the_time(full: Server) -> None:
    """The browser saves it under a name with the time."""
    told = full.get("/tasks/export").headers["Content-Disposition"]
    assert re.fullmatch(r'attachment; filename="flower-tasks-\d{8}-\d{6}\.csv"', told)


def test_jsonl_of_everything(full: Server) -> None:
    """JSON lines with `which=all` have every fact of a task."""
    answer = full.get("/tasks/export", format="jsonl", which="all", state="FAILURE")
    told = [json.loads(line) for line in answer.content.splitlines()]
    assert (["f2", "f1", "f0"], [list(NAMES)] * 3) == ([task["uuid"] for task in told], [list(task) for task in told])


def test_nothing_matches(full: Server) -> None:
    """A file of nothing has its head."""
    told = full.get("/tasks/export", columns="uuid", state="REVOKED", format="jsonl")
    assert ([["uuid"]], b"") == (table(full.get("/tasks/export", columns="uuid", state="REVOKED")), told.content)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "＝1"])
def test_no_formulas(server: Server, text: str) -> None:
    """A text that a spreadsheet would run begins with an apostrophe."""
    server.feed(make.received("u", kwargs=text))
    assert [["kwargs"], ["'" + text]] == table(server.get("/tasks/export", columns="kwargs"))


def test_times_in_the_zone_of_the_visitor(full: Server) -> None:
    """CSV tells times in the visitor's zone, with its offset."""
    cookies = {"flower_zone": "Asia/Tokyo"}
    answer = full.request("GET", "/tasks/export", params={"columns": "received", "name": "shop.pay"}, cookies=cookies)
    assert ["2026-11-21T15:24:30.000+09:00"] == table(answer)[1]


def test_export_shows_what_the_page_shows(serve: Serve) -> None:
    """`format_task` holds for files too."""

    def hide(task: Task) -> Task:
        task.args = "hidden"
        return task

    server = serve(format_task=hide)
    server.feed(make.received("u", args="('secret',)"))
    assert [["args"], ["hidden"]] == table(server.get("/tasks/export", columns="args"))


def test_long_file_is_packed_and_whole(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is written in steps and packed on the way."""
    monkeypatch.setattr(export, "STEP", 7)
    server.feed([make.received(f"u{number:03}", float(number)) for number in range(50)])
    asked = {"Accept-Encoding": "gzip"}
    answer = server.session.get(
        server.url + "/tasks/export?columns=uuid&sort=uuid", headers=asked, stream=True, timeout=SECONDS
    )
    text = gzip.decompress(answer.raw.read(decode_content=False)).decode()
    assert ["uuid", *(f"u{number:03}" for number in range(50))] == text.split()


def test_export_in_a_foreign_form(full: Server) -> None:
    """A format that there is not is a 400 that names those there are."""
    answer = full.get("/tasks/export", format="xls")
    assert (400, True) == (answer.status_code, "csv, jsonl" in answer.text)


def test_bad_search_is_no_file(full: Server) -> None:
    """A search that cannot be read is told as an error."""
    assert 400 == full.get("/tasks/export", search="(x").status_code


def test_head_of_a_file(full: Server) -> None:
    """HEAD tells what it would be."""
    answer = full.request("HEAD", "/tasks/export?format=jsonl")
    assert ("application/x-ndjson; charset=UTF-8", b"") == (answer.headers["Content-Type"], answer.content)


@pytest.mark.parametrize("path", ["/tasks/export", "/tasks/selection", "/tasks/words"])
def test_strangers_get_nothing(serve: Serve, path: str) -> None:
    """Files and previews need the right to see."""
    server = serve(basic_auth=["a:b"])
    answers: list[Any] = [
        server.get(path).status_code,
        server.session.get(server.url + path, auth=("a", "b")).status_code,
    ]
    assert [401, 200] == answers
