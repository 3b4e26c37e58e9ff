"""The workers' pages over HTTP."""

from __future__ import annotations

import time
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest

from flower.store import Task
from tests import factories as make
from tests.api.conftest import Serve, Server
from tests.api.test_pages import NAMES, links_of, live_heartbeat, text_of

HX = {"HX-Request": "true"}


def knows(server: Server, name: str = make.WORKER, **told: Any) -> str:
    """Give the server a worker that is online and has told something; the path of its page."""
    server.feed(live_heartbeat(name))
    server.app.inspector.workers[name] = {"timestamp": time.time(), **told}
    return f"/worker/{quote(name, safe='@')}"


def held(count: int) -> list[dict[str, Any]]:
    return [{"id": f"id-{n}", "name": "tasks.add", "args": ["hush"], "kwargs": {}} for n in range(count)]


# -- the list


def test_rows_of_2x(server: Server) -> None:
    """`?json=1` answers the rows of Flower 2.x: a counter for each event type seen, the facts, the status."""
    server.feed(make.success("u"), live_heartbeat())
    (row,) = server.json("/workers", json=1)["data"]
    told = {
        key: row[key] for key in ("hostname", "task-received", "task-succeeded", "worker-heartbeat", "active", "status")
    }
    expected = {"hostname": make.WORKER, "task-received": 1, "task-succeeded": 1, "worker-heartbeat": 1, "active": 1}
    assert expected | {"status": True} == told


@pytest.mark.parametrize(
    "path, word",
    [
        ("/workers?json=perhaps", "json"),
        ("/workers?sort=colour", "sort"),
        ("/workers?state=happy", "state"),
        ("/workers?page=0", "page"),
        ("/workers?limit=100000", "limit"),
        ("/worker/w?limit=many", "limit"),
        ("/worker/w?limit=0", "limit"),
        ("/worker/w?active_page=-1", "active_page"),
    ],
)
def test_bad_arguments(server: Server, path: str, word: str) -> None:
    """A wrong argument is a 400 on a page in the frame, naming it."""
    answer = server.get(path)
    assert (400, True, True) == (answer.status_code, "<nav" in answer.text, word in text_of(answer))


def test_no_workers_teaches(server: Server) -> None:
    """An empty cluster is told how to appear."""
    assert "celery -A proj worker" in text_of(server.get("/workers"))


def test_counts_link_to_their_tasks(server: Server) -> None:
    """A count that is not zero leads to the tasks it counts."""
    server.feed(make.failure("u"), live_heartbeat())
    links = links_of(server.get("/workers"))
    wanted = [f"/tasks?worker=celery%40w1&state={state}" for state in ("FAILURE", "SUCCESS")]
    assert [True, False] == [link in links for link in wanted]


def test_find_filter_and_sort_stay_in_every_link(server: Server) -> None:
    """Sorting keeps the search, and filtering keeps the order."""
    knows(server, active_queues=[{"name": "a&b"}])
    links = links_of(server.get("/workers", q="w1", queue="a&b", sort="-failed"))
    wanted = ["/workers?q=w1&queue=a%26b&sort=failed", "/workers?q=w1&state=offline&queue=a%26b&sort=-failed"]
    assert [True, True] == [link in links for link in wanted]


def test_nothing_found_leads_back(server: Server) -> None:
    """A search without a match says what was asked for and shows the way to all."""
    knows(server)
    answer = server.get("/workers", q="nobody")
    assert (True, True) == ("No worker matches “nobody”" in text_of(answer), "/workers" in links_of(answer))


def test_list_tells_pool_and_silence(server: Server) -> None:
    """A row has what the worker told, and says when it did not answer."""
    knows(server, stats={"pool": {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 4}})
    server.app.inspector.failures[make.WORKER] = "no reply within 1.0 s"
    text = text_of(server.get("/workers"))
    assert [True, True, True] == [words in text for words in ("1 of 4", "prefork × 4", "has not answered")]


def test_thousands_of_workers_page_by_page(server: Server) -> None:
    """Five thousand workers are one small page each; the totals are of all."""
    server.feed([live_heartbeat(f"celery@w{number}") for number in range(5000)])
    answer = server.get("/workers", page=3)
    said = ("101–150 of 5,000" in text_of(answer), "celery@w149" in answer.text, "celery@w150<" in answer.text)
    assert ((True, True, False), True) == (said, len(answer.text) < 200_000)


# -- one worker


def test_worker_without_answer_is_shown_from_its_events(server: Server) -> None:
    """A worker that does not reply has a page, with the reason."""
    server.feed(live_heartbeat())
    answer = server.get(f"/worker/{make.WORKER}")
    assert (200, True) == (answer.status_code, "did not answer" in text_of(answer))


def test_lost_events_are_told_on_every_surface(server: Server) -> None:
    """The page, the API and the metrics tell how many events of a worker were lost, and when."""
    path, now = knows(server), time.time()
    server.app.cluster.state.workers[make.WORKER].lose(312, now - 120, now - 60)
    facts = server.json("/api/workers")[make.WORKER]
    loss = {"since": now - 120, "until": now - 60, "events": 312}
    assert (312, [loss]) == (facts["lost_events"], facts["losses"])
    assert "At least 312 events of this worker were lost between" in text_of(server.get(path))
    assert "At least 312 events of celery@w1 were lost" in text_of(server.get("/"))
    assert f'flower_events_lost_total{{worker="{make.WORKER}"}} 312.0' in server.get("/metrics").text


def test_unknown_worker(server: Server) -> None:
    """A worker nobody heard of is a 404 that names it, says what may be, and who is near."""
    knows(server)
    answer = server.get("/worker/celery@w11")
    said = [words in text_of(answer) for words in ("Unknown worker 'celery@w11'", "another broker", "Did you mean")]
    assert (404, [True] * 3, True) == (answer.status_code, said, f"/worker/{make.WORKER}" in links_of(answer))


def test_offline_worker_shows_its_last_facts(server: Server) -> None:
    """A worker that is gone keeps what it told, says so, and is offered no action."""
    path = knows(server, active_queues=[{"name": "mail"}])
    server.feed(make.heartbeat(kind="worker-offline") | {"timestamp": time.time()})
    answer = server.get(path)
    said = [words in text_of(answer) for words in ("This worker is offline", "mail", "before it went offline")]
    assert ([True] * 3, False) == (said, "data-operation" in answer.text)


def test_lists_are_paged(server: Server) -> None:
    """A long list shows its beginning, says so, and leads on."""
    path = knows(server, reserved=held(60))
    answer = server.get(path)
    links = links_of(answer)
    wanted = [f"{path}?reserved_page=2#tab-tasks", f"{path}?limit=60#tab-tasks"]
    assert (True, [True, True]) == ("1–50 of 60" in text_of(answer), [link in links for link in wanted])


def test_second_page_of_a_list(server: Server) -> None:
    """The next page shows the rest."""
    answer = server.get(knows(server, reserved=held(60)), reserved_page=2)
    assert (True, True, False) == ("51–60 of 60" in text_of(answer), "id-59" in answer.text, "id-49" in answer.text)


def test_lists_are_searched_by_name_and_id(server: Server) -> None:
    """A search finds ids; what the arguments say is not searched, for it may have to be hidden."""
    path = knows(server, reserved=held(60))
    by_id, by_argument = server.get(path, find="id-59"), server.get(path, find="hush")
    said = ("1–1 of 1 that match, 60 in all" in text_of(by_id), "None of them matches" in text_of(by_argument))
    assert (True, True) == said


def test_search_of_a_part_keeps_its_tab_in_the_address(server: Server) -> None:
    """What htmx asks for is answered with the address that shows it again."""
    path = knows(server, conf={"timezone": "UTC", "enable_utc": True})
    headers = {**HX, "HX-Target": "worker-tabs", "HX-Trigger": "config-find"}
    answer = server.request("GET", path, params={"config_find": "zone"}, headers=headers)
    assert (f"{path}?config_find=zone#tab-config", False) == (
        answer.headers.get("HX-Replace-Url"),
        "enable_utc" in answer.text,
    )


def test_refresh_is_not_repeated_by_the_page(server: Server) -> None:
    """A page that was refreshed by its address does not ask the worker again with every redraw."""
    answer = server.get(knows(server), refresh=1)
    assert (200, False) == (answer.status_code, 'hx-get="/worker/celery@w1?refresh=1" hx-trigger' in answer.text)


def test_region_is_drawn_alone(server: Server) -> None:
    """htmx gets the region that it asks for and nothing else."""
    answer = server.request("GET", knows(server), headers={**HX, "HX-Target": "worker-head"})
    assert (True, False, False) == (
        answer.text.lstrip().startswith('<div id="worker-head"'),
        "<html" in answer.text,
        'id="worker-tabs"' in answer.text,
    )


def test_chart_of_a_worker(server: Server) -> None:
    """The chart counts what this worker ended, by outcome."""
    now = time.time()
    server.feed([event | {"timestamp": now} for event in make.success("u")])
    server.feed([event | {"timestamp": now, "hostname": "celery@other"} for event in make.failure("v")])
    shape = server.json(f"/worker/{make.WORKER}", chart=1)
    ended = {series["name"]: sum(value or 0 for value in series["values"]) for series in shape["series"]}
    assert {"SUCCESS": 1, "FAILURE": 0, "RETRY": 0} == ended


def test_format_task_hides_what_a_worker_holds(serve: Serve) -> None:
    """Arguments of tasks that a worker has are shown as `format_task` shows them."""

    def hide(task: Task) -> Task:
        task.args, task.kwargs = "(hidden)", "{hidden}"
        return task

    server = serve(format_task=hide)
    answer = server.get(knows(server, reserved=held(2), active=held(1)))
    assert (False, True) == ("hush" in answer.text, "(hidden)" in answer.text)


ACTED = {
    "stats": {"pool": {"implementation": "celery.concurrency.prefork:TaskPool", "processes": [1, 2]}},
    "active_queues": [{"name": "mail"}],
    "registered": ["tasks.add [rate_limit=10/m]"],
    "conf": {"worker_pool_restarts": True},
}
OFFERED = {
    "worker.shutdown",
    "worker.pool.restart",
    "worker.pool.grow",
    "worker.pool.shrink",
    "worker.queue.add-consumer",
    "worker.queue.cancel-consumer",
    "task.rate-limit",
    "task.timeout",
    "task.revoke",
}


def offered(server: Server, **told: Any) -> set[str]:
    text = server.get(knows(server, **{**ACTED, "active": held(1), **told})).text
    return {part.split('"')[0] for part in text.split('data-operation="')[1:]}


def test_actions_of_a_worker(server: Server) -> None:
    """Everything that can be done to a worker and its tasks is offered."""
    assert offered(server) == OFFERED


def test_actions_with_an_autoscaler(server: Server) -> None:
    """A pool that sizes itself is given bounds, and not grown by hand."""
    stats = {**ACTED["stats"], "autoscaler": {"min": 1, "max": 4}}
    expected = OFFERED - {"worker.pool.grow", "worker.pool.shrink"} | {"worker.pool.autoscale"}
    assert offered(server, stats=stats) == expected


def test_actions_of_threads(server: Server) -> None:
    """A pool that cannot be resized or restarted, and whose tasks cannot be ended, is not offered to be."""
    stats = {"pool": {"implementation": "celery.concurrency.thread:TaskPool", "max-concurrency": 2}}
    assert offered(server, stats=stats) == {
        name for name in OFFERED if not name.startswith(("worker.pool", "task.revoke"))
    }


def test_no_actions_where_they_are_off(serve: Serve) -> None:
    """Without the right to do anything there is no button, on either page."""
    server = serve(open_api=False)
    assert (set(), False) == (offered(server), "data-pick" in server.get("/workers").text)


@pytest.mark.parametrize("name", NAMES)
def test_any_name_has_its_pages(server: Server, name: str) -> None:
    """A worker and its queue may be called anything."""
    path = knows(server, name, active_queues=[{"name": name}], registered=[name], active=held(1))
    link = next(link for link in links_of(server.get("/workers")) if link.startswith("/worker/"))
    answers = [server.get(path), server.get(link), server.get("/workers", queue=name)]
    assert [(200, True)] * 3 == [(answer.status_code, name in unescape(answer.text)) for answer in answers]
