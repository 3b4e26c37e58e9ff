"""`/api/tasks` and its kin, over HTTP."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from flower.store import Task
from tests import factories as make
from tests.api.conftest import Serve, Server

CLASSIC_INFO = [
    "uuid",
    "name",
    "state",
    "received",
    "sent",
    "started",
    "rejected",
    "succeeded",
    "failed",
    "retried",
    "revoked",
    "args",
    "kwargs",
    "eta",
    "expires",
    "retries",
    "worker",
    "result",
    "exception",
    "timestamp",
    "runtime",
    "traceback",
    "exchange",
    "routing_key",
    "clock",
    "client",
    "root",
    "root_id",
    "parent",
    "parent_id",
    "children",
]
CLASSIC_LISTED = [name for name in CLASSIC_INFO if name != "worker"] + ["worker"]


def three(server: Server) -> None:
    """Three tasks, the newest of them last."""
    server.feed(
        make.success("a", 0, name="tasks.add"),
        make.failure("b", 10, name="tasks.mul"),
        make.received("c", 20, name="tasks.wait", host="celery@w1"),
    )


def uuids(server: Server, **params: Any) -> list[str]:
    return [task["uuid"] for task in server.json("/api/tasks", **params)["tasks"]]


def test_list_is_an_envelope(server: Server) -> None:
    """The list says how many match, and which page of them it is."""
    three(server)
    page = server.json("/api/tasks", limit=2, offset=1)
    assert (3, 1, 2) == (page["total"], page["offset"], page["limit"])
    assert ["b", "a"] == [task["uuid"] for task in page["tasks"]]


def test_empty_list(server: Server) -> None:
    """Without tasks the list is empty and the limit is its default."""
    assert {"tasks": [], "total": 0, "offset": 0, "limit": 100} == server.json("/api/tasks")


def test_newest_first(server: Server) -> None:
    """Without sort_by the last received comes first, and what no worker received last."""
    three(server)
    server.feed(make.sent("d", 50), make.revoked("a", 60))
    assert ["c", "b", "a", "d"] == uuids(server)


def test_classic_newest_first(classic: Server) -> None:
    """Without sort_by the newest event comes first, as in Flower 2.x."""
    three(classic)
    classic.feed(make.sent("d", 50), make.revoked("a", 60))
    assert ["a", "d", "c", "b"] == list(classic.json("/api/tasks"))


def test_task_in_a_list(server: Server) -> None:
    """A listed task has the values that its texts stand for, and the name of its worker."""
    server.feed(
        make.received("a", 1, args="(1, 'x')", kwargs="{'k': None}"), make.started("a", 2), make.succeeded("a", 3)
    )
    (task,) = server.json("/api/tasks")["tasks"]
    wanted = {
        "uuid": "a",
        "name": "tasks.add",
        "state": "SUCCESS",
        "hostname": make.WORKER,
        "worker": make.WORKER,
        "received": make.T0 + 1,
        "started": make.T0 + 2,
        "succeeded": make.T0 + 3,
        "failed": None,
        "runtime": 0.5,
        "args": [1, "x"],
        "kwargs": {"k": None},
        "result": 3,
    }
    assert wanted == {name: task[name] for name in wanted}


@pytest.mark.parametrize(
    "params, found",
    [
        ({"taskname": "tasks.mul"}, ["b"]),
        ({"taskname": "TASKS.MUL"}, ["b"]),
        ({"taskname": "All"}, ["c", "b", "a"]),
        ({"taskname": "tasks"}, []),
        ({"state": "failure"}, ["b"]),
        ({"state": "RECEIVED"}, ["c"]),
        ({"workername": make.WORKER}, ["c", "b", "a"]),
        ({"workername": "nope"}, []),
        ({"received_start": make.T0 + 5}, ["c", "b"]),
        ({"received_end": make.T0 + 5}, ["a"]),
        ({"started_start": make.T0 + 5}, ["b"]),
        ({"started_end": make.T0 + 5}, ["a"]),
        ({"received_start": "2026-11-21T06:23:42Z"}, ["c", "b"]),
        ({"received_start": "2026-11-21T07:23:42+01:00"}, ["c", "b"]),
        ({"received_end": "2020-01-01 00:00"}, []),
        ({"search": "tasks.wait"}, ["c"]),
        ({"search": "state:FAILURE OR state:RECEIVED"}, ["c", "b"]),
        ({"search": "exception:boom"}, ["b"]),
    ],
)
def test_filters(server: Server, params: dict[str, Any], found: list[str]) -> None:
    """Every filter keeps the tasks that match it."""
    three(server)
    assert found == uuids(server, **params)


def test_tasks_never_received_are_in_no_range(server: Server) -> None:
    """A task without a received time is outside every range."""
    server.feed(make.sent("a"))
    assert [[], []] == [uuids(server, received_end="2099-01-01"), uuids(server, received_start="2000-01-01")]


@pytest.mark.parametrize(
    "sort_by, found",
    [
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
        ("--name", ["c", "b", "a"]),
        ("received", ["a", "b", "c"]),
        ("-started", ["b", "a", "c"]),
        ("runtime", ["a", "b", "c"]),
        ("state", ["b", "c", "a"]),
        ("uuid", ["a", "b", "c"]),
    ],
)
def test_sorting(server: Server, sort_by: str, found: list[str]) -> None:
    """Any column sorts, a dash turns it round, tasks without a value come last."""
    three(server)
    assert found == uuids(server, sort_by=sort_by)


@pytest.mark.parametrize(
    "params, told",
    [
        ({"limit": "abc"}, "'abc' of type 'int': limit"),
        ({"limit": "-1"}, "Invalid limit -1, expected a number from 0 to 10000"),
        ({"limit": "10001"}, "Invalid limit 10001, expected a number from 0 to 10000"),
        ({"limit": "9" * 30}, "limit must be a whole number"),
        ({"offset": "-5"}, "Invalid offset -5"),
        ({"sort_by": "nope"}, "Invalid sort_by 'nope', expected one of uuid, name, state, received"),
        ({"sort_by": "extra"}, "Invalid sort_by 'extra'"),
        ({"received_start": "yesterday"}, "Invalid received_start 'yesterday', expected format 'YYYY-MM-DD HH:MM'"),
        ({"started_end": "nan"}, "Invalid started_end 'nan'"),
    ],
)
def test_bad_arguments(server: Server, params: dict[str, str], told: str) -> None:
    """A bad argument is a 400 that names it and says what is allowed."""
    answer = server.get("/api/tasks", **params)
    assert (400, 400) == (answer.status_code, answer.json()["status"])
    assert told in answer.json()["error"]


def test_bad_search(server: Server) -> None:
    """A mistake in a search is told with its position."""
    answer = server.get("/api/tasks", search="name:add (")
    assert 400 == answer.status_code
    assert {"error", "status", "position"} == answer.json().keys()


def test_names_are_not_escaped(server: Server) -> None:
    """A name with signs of HTML is found by exactly that name."""
    server.feed(make.success("a", name="a&b<c>"))
    assert ["a"] == uuids(server, taskname="a&b<c>")


def test_types(server: Server) -> None:
    """The names that were seen, sorted."""
    three(server)
    assert {"task-types": ["tasks.add", "tasks.mul", "tasks.wait"]} == server.json("/api/task/types")


def test_info_of_a_task(server: Server) -> None:
    """Everything about one task, its worker and children included."""
    server.feed(make.heartbeat(), make.success("a"), make.success("b", 5, parent_id="a", root_id="a"))
    task = server.json("/api/task/info/a")
    worker = {"hostname": make.WORKER, "pid": 101, "sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}
    assert worker == task["worker"]
    assert (make.WORKER, ["b"], [1, 2], 3) == (task["hostname"], task["children"], task["args"], task["result"])
    assert {"queue", "priority", "attempts", "extra", "client", "root_id", "parent_id", "clock"} <= task.keys()


def test_info_of_an_unfinished_task(server: Server) -> None:
    """A task that no worker has yet has no worker."""
    server.feed(make.sent("a", queue="slow", priority=3))
    task = server.json("/api/task/info/a")
    assert ("PENDING", None, None, "slow", 3) == (
        task["state"],
        task["worker"],
        task["hostname"],
        task["queue"],
        task["priority"],
    )


def test_info_of_a_retried_task(server: Server) -> None:
    """A retried task keeps its attempts and is not its own parent."""
    server.feed(make.retry_then_success("a"))
    task = server.json("/api/task/info/a")
    assert (None, [], 1) == (task["parent_id"], task["children"], task["retries"])
    assert {"time", "moment", "worker", "exception"} == task["attempts"][0].keys()


def test_info_of_an_unknown_task(server: Server) -> None:
    """The 404 names the task."""
    answer = server.get("/api/task/info/no%20such%3Ctask%3E")
    assert (404, {"error": "Task not found: 'no such<task>'", "status": 404}) == (answer.status_code, answer.json())


def test_values_that_json_lacks(server: Server) -> None:
    """Huge numbers, NaN and broken texts still make valid JSON."""
    results = {"a": "10000000000000000000000000", "b": "nan", "c": "'\\ud800'", "d": "(1, 2, ...)", "e": "1e999"}
    server.feed(*([*make.success(uuid)[:2], make.succeeded(uuid, result=text)] for uuid, text in results.items()))
    tasks = {task["uuid"]: task["result"] for task in server.json("/api/tasks")["tasks"]}
    assert (10**25, "nan", "(1, 2, ...)", None) == (tasks["a"], tasks["b"], tasks["d"], tasks["e"])


def test_long_answers_are_compressed(server: Server) -> None:
    """A client that understands gzip gets it."""
    server.feed(*(make.success(f"task-{number}") for number in range(300)))
    answer = server.get("/api/tasks", limit=300)
    assert ("gzip", 300) == (answer.headers["Content-Encoding"], len(answer.json()["tasks"]))


def test_classic_list(classic: Server) -> None:
    """Flower 2.x: tasks by uuid, 31 fields in its order, the worker last, texts as Celery made them."""
    three(classic)
    tasks = classic.json("/api/tasks")
    assert ["c", "b", "a"] == list(tasks)
    assert CLASSIC_LISTED == list(tasks["a"])
    assert ("(1, 2)", "{}", "3", "a", "a", []) == tuple(
        tasks["a"][name] for name in ("args", "kwargs", "result", "root", "root_id", "children")
    )


def test_classic_task_without_worker(classic: Server) -> None:
    """Flower 2.x leaves the worker out of a listed task that has none, and null in its info."""
    classic.feed(make.sent("a"))
    assert CLASSIC_LISTED[:-1] == list(classic.json("/api/tasks")["a"])
    info = classic.json("/api/task/info/a")
    assert (CLASSIC_INFO, None) == (list(info), info["worker"])


def test_classic_list_is_whole(classic: Server) -> None:
    """Without a limit all tasks are told, each once."""
    classic.feed(*(make.success(f"task-{number}", number) for number in range(2500)))
    tasks = classic.json("/api/tasks")
    assert (2500, "task-2499", "task-0") == (len(tasks), next(iter(tasks)), list(tasks)[-1])


@pytest.mark.parametrize(
    "params, count",
    [
        ({"limit": 0}, 0),
        ({"limit": -5}, 0),
        ({"limit": 2}, 2),
        ({"limit": 1500}, 1500),
        ({"offset": -3}, 1600),
        ({"offset": 1500}, 100),
        ({"offset": 1500, "limit": 7}, 7),
        ({"state": "nope"}, 0),
    ],
)
def test_classic_limits(classic: Server, params: dict[str, Any], count: int) -> None:
    """Limit and offset mean what they meant in Flower 2.x."""
    classic.feed(*(make.success(f"task-{number}", number) for number in range(1600)))
    assert count == len(classic.json("/api/tasks", **params))


def test_classic_errors(classic: Server) -> None:
    """Errors are plain text, but for searches."""
    unknown, bad = classic.get("/api/task/info/nope"), classic.get("/api/tasks", limit="abc")
    assert (404, "Unknown task 'nope'") == (unknown.status_code, unknown.text)
    assert "text/plain; charset=UTF-8" == unknown.headers["Content-Type"]
    assert (400, True) == (bad.status_code, bad.text.startswith("Invalid argument 'abc' of type 'int'"))
    search = classic.get("/api/tasks", search="(")
    assert (400, ["error"]) == (search.status_code, list(search.json()))


def test_classic_failure_has_no_run_time(classic: Server) -> None:
    """Flower 2.x knew the run times of successes only; ours is in the other shape."""
    classic.feed(make.received("a"), make.started("a"), make.failed("a"))
    assert classic.json("/api/tasks")["a"]["runtime"] is None


@pytest.mark.parametrize("classic", [False, True])
def test_the_same_asked_again(serve: Serve, classic: bool) -> None:
    """An answer may be given again while nothing changes; it is that of now as soon as anything does."""
    server = serve(classic_api=classic)
    server.feed(make.success("first"))
    assert server.get("/api/tasks", limit=50).text == server.get("/api/tasks", limit=50).text
    assert "second" not in server.get("/api/tasks", limit=50).text
    server.feed(make.success("second", 10))
    assert "second" in server.get("/api/tasks", limit=50).text
    assert "second" not in server.get("/api/tasks", limit=1, sort_by="received").text


def test_what_an_own_function_shows_is_asked_each_time(serve: Serve) -> None:
    """A `format_task` may show a task otherwise each time."""
    numbers = itertools.count()

    def numbered(task: Task) -> Task:
        task.args = str(next(numbers))
        return task

    server = serve(format_task=numbered)
    server.feed(make.success("first"))
    assert server.get("/api/tasks").text != server.get("/api/tasks").text
