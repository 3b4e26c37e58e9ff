"""Flower 2.x's whole API, route by route, as `--classic_api` answers it.

Each row is a request and the answer of Flower 2.2. Where 2.2 answered a 500, did nothing without a word, or did
harm, ours is another, and docs/coming-from-flower.md says so: those rows are in `REFUSED`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery

from tests import factories as make
from tests.api.conftest import TASK, Serve, Shop
from tests.api.test_tasks import CLASSIC_INFO, CLASSIC_LISTED
from tests.factories import WORKER

ROW = ["worker-online", "task-received", "task-started", "task-succeeded", "task-failed", "hostname", "pid", "freq"]
ROW += ["clock", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys", "heartbeats", "status"]
BOOL = "Invalid argument 'perhaps' of type 'bool'"
PAGE = "draw=1&start=0&length=2&order[0][column]=0"
TIMES = "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'"
SORTS = "expected one of name, received, started, state"


def fields(keys: list[str]) -> Callable[[Any], bool]:
    """Whether an object has these members, in this order."""
    return lambda found: list(found) == keys


def listed(*uuids: str) -> Callable[[Any], bool]:
    """Whether an answer is these tasks, by uuid, each with the fields of 2.2."""
    return lambda found: (
        list(found) == list(uuids)
        and all(
            list(task) == [name for name in CLASSIC_LISTED if name != "worker" or "worker" in task]
            for task in found.values()
        )
    )


def table(total: int, filtered: int, *uuids: str) -> Callable[[Any], bool]:
    """Whether an answer is a page of the DataTables endpoint."""
    return lambda found: (
        (1, total, filtered, list(uuids))
        == (
            *(found[name] for name in ("draw", "recordsTotal", "recordsFiltered")),
            [task["uuid"] for task in found["data"]],
        )
        and list(found) == ["draw", "data", "recordsTotal", "recordsFiltered"]
        and all(list(task) == CLASSIC_INFO for task in found["data"])
    )


READING: list[tuple[str, int, Any]] = [
    ("/workers?json=1", 200, lambda found: [sorted(row) for row in found["data"]] == [sorted(ROW)]),
    (f"/tasks/datatable?{PAGE}", 200, table(4, 4, "d", "c")),
    (f"/tasks/datatable?{PAGE}&columns[0][data]=uuid&order[0][dir]=desc", 200, table(4, 4, "d", "c")),
    (f"/tasks/datatable?{PAGE}&columns[0][data]=uuid&order[0][dir]=bogus", 200, table(4, 4, "a", "b")),
    (f"/tasks/datatable?{PAGE}&columns[0][data]=__class__", 200, table(4, 4, "d", "c")),
    (f"/tasks/datatable?{PAGE.replace('column]=0', 'column]=99')}", 200, table(4, 4, "d", "c")),
    (f"/tasks/datatable?{PAGE.replace('start=0', 'start=-3')}", 200, table(4, 4, "d", "c")),
    (f"/tasks/datatable?{PAGE.replace('start=0', 'start=99')}", 200, table(4, 4)),
    (f"/tasks/datatable?{PAGE.replace('length=2', 'length=0')}", 200, table(4, 4)),
    (f"/tasks/datatable?{PAGE}&search[value]=state:FAILURE", 200, table(4, 1, "b")),
    ("/tasks/datatable", 400, "Missing argument draw"),
    ("/tasks/datatable?draw=1", 400, "Missing argument start"),
    ("/tasks/datatable?draw=1&start=0", 400, "Missing argument length"),
    ("/tasks/datatable?draw=1&start=0&length=1", 400, "Missing argument order[0][column]"),
    ("/tasks/datatable?draw=x", 400, "Invalid argument 'x' of type 'int': draw must be a whole number"),
    ("/healthcheck", 200, "OK"),
    ("/api/workers", 200, lambda found: list(found) == [WORKER] and "stats" in found[WORKER]),
    ("/api/workers?status=1", 200, {WORKER: True}),
    ("/api/workers?status=yes&workername=nope", 200, {WORKER: True}),
    (f"/api/workers?workername={WORKER}", 200, lambda found: list(found) == [WORKER]),
    ("/api/workers?workername=nope", 404, "Unknown worker 'nope'"),
    ("/api/workers?status=perhaps", 400, BOOL),
    ("/api/workers?refresh=perhaps", 400, BOOL),
    ("/api/tasks", 200, listed("d", "c", "b", "a")),
    ("/api/tasks?limit=2&offset=1", 200, listed("c", "b")),
    ("/api/tasks?limit=0", 200, {}),
    ("/api/tasks?limit=-5", 200, {}),
    ("/api/tasks?limit=1&offset=-5", 200, listed("d")),
    ("/api/tasks?limit=abc", 400, "Invalid argument 'abc' of type 'int'"),
    ("/api/tasks?limit=", 400, "Invalid argument '' of type 'int'"),
    ("/api/tasks?limit=1&limit=2", 200, listed("d", "c")),
    ("/api/tasks?sort_by=-name&limit=2", 200, listed("c", "b")),
    ("/api/tasks?sort_by=--name&limit=1", 200, listed("c")),
    ("/api/tasks?sort_by=state&limit=1", 200, listed("b")),
    ("/api/tasks?sort_by=-received&limit=1", 200, listed("c")),
    ("/api/tasks?sort_by=-started&limit=1", 200, listed("b")),
    ("/api/tasks?sort_by=bogus", 400, f"Invalid sort_by 'bogus', {SORTS}"),
    ("/api/tasks?sort_by=--bogus", 400, f"Invalid sort_by '--bogus', {SORTS}"),
    ("/api/tasks?workername=All&limit=1", 200, listed("d")),
    (f"/api/tasks?workername={WORKER}", 200, listed("c", "b", "a")),
    ("/api/tasks?workername=nope", 200, {}),
    ("/api/tasks?taskname=TASKS.MUL", 200, listed("b")),
    ("/api/tasks?taskname=%20tasks.mul%20", 200, listed("b")),
    ("/api/tasks?state=failure", 200, listed("b")),
    ("/api/tasks?state=nope", 200, {}),
    ("/api/tasks?received_start=2020-01-01 00:00", 200, listed("c", "b", "a")),
    ("/api/tasks?received_end=2020-01-01 00:00", 200, {}),
    ("/api/tasks?received_start=yesterday", 400, TIMES),
    ("/api/tasks?received_end=2020/1/1", 400, TIMES),
    ("/api/tasks?search=state:failure", 200, listed("b")),
    ("/api/tasks?search=state:", 400, {"error": "Search qualifier requires a value at position 0."}),
    ("/api/tasks?search=(abc", 400, {"error": "Missing closing parenthesis at position 0."}),
    ("/api/task/types", 200, {"task-types": ["tasks.add", "tasks.mul", "tasks.wait"]}),
    ("/api/task/info/a", 200, fields(CLASSIC_INFO)),
    ("/api/task/info/nope", 404, "Unknown task 'nope'"),
    ("/api/task/info/", 404, "Unknown task ''"),
    ("/api/task/result/five", 200, {"task-id": "five", "state": "SUCCESS", "result": 5}),
    ("/api/task/result/nil", 200, {"task-id": "nil", "state": "SUCCESS", "result": None}),
    ("/api/task/result/bad", 200, {"task-id": "bad", "state": "FAILURE", "result": "E('x')", "traceback": "T"}),
    ("/api/task/result/runs", 200, {"task-id": "runs", "state": "STARTED"}),
    ("/api/task/result/stop", 200, {"task-id": "stop", "state": "ABORTED"}),
    ("/api/task/result/nobodys", 200, {"task-id": "nobodys", "state": "PENDING"}),
    ("/api/task/result/five?timeout=99999", 200, {"task-id": "five", "state": "SUCCESS", "result": 5}),
    ("/api/task/result/nobodys?timeout=0", 200, {"task-id": "nobodys", "state": "PENDING"}),
    ("/api/task/result/nobodys?timeout=-1", 200, {"task-id": "nobodys", "state": "PENDING"}),
    ("/api/task/result/nobodys?timeout=0.01", 200, {"task-id": "nobodys", "state": "PENDING"}),
    ("/api/task/result/nobodys?timeout=x", 400, "Invalid argument 'x' of type 'float'"),
    ("/api/task/result/nobodys?timeout=", 400, "Invalid argument '' of type 'float'"),
    # How many there are depends on what other tests have sent.
    ("/api/queues/length", 200, lambda found: [["name", "messages"]] == [list(row) for row in found["active_queues"]]),
    ("/api/worker/pool/grow/x", 405, "Method GET is not allowed here, use POST, OPTIONS"),
]

GROWN = f"Growing '{WORKER}' worker's pool by "
LIMITS = {"message": "time limits set successfully"}
RATE = {"message": "new rate limit set successfully"}
LIMIT, RATES = f"/api/task/timeout/{TASK}?workername={WORKER}", f"/api/task/rate-limit/{TASK}?workername={WORKER}"

COMMANDS: list[tuple[str, int, Any, list[tuple[str, dict[str, Any]]]]] = [
    (f"/api/worker/pool/grow/{WORKER}", 200, {"message": GROWN + "1"}, [("pool_grow", {"n": 1})]),
    (f"/api/worker/pool/grow/{WORKER}?n=1&n=2", 200, {"message": GROWN + "2"}, [("pool_grow", {"n": 2})]),
    (f"/api/worker/pool/grow/{WORKER}?n=5000", 200, {"message": GROWN + "5000"}, [("pool_grow", {"n": 5000})]),
    (f"/api/worker/pool/grow/{WORKER}?n=0", 200, {"message": GROWN + "0"}, []),
    (f"/api/worker/pool/grow/{WORKER}?n=-1", 200, {"message": GROWN + "-1"}, []),
    (
        f"/api/worker/pool/shrink/{WORKER}",
        200,
        {"message": f"Shrinking '{WORKER}' worker's pool by 1"},
        [("pool_shrink", {"n": 1})],
    ),
    (f"/api/worker/pool/shrink/{WORKER}?n=0", 200, {"message": f"Shrinking '{WORKER}' worker's pool by 0"}, []),
    (f"/api/worker/pool/grow/{WORKER}?n=abc", 400, "Invalid argument 'abc' of type 'int'", []),
    (f"/api/worker/pool/grow/{WORKER}?n=", 400, "Invalid argument '' of type 'int'", []),
    ("/api/worker/pool/grow/nope?n=0", 404, "Unknown worker 'nope'", []),
    (
        f"/api/worker/pool/restart/{WORKER}",
        200,
        {"message": f"Restarting '{WORKER}' worker's pool"},
        [("pool_restart", {"reload": False})],
    ),
    (
        f"/api/worker/pool/autoscale/{WORKER}?min=3&max=1",
        200,
        {"message": f"Autoscaling '{WORKER}' worker (min=3, max=1)"},
        [("autoscale", {"min": 3, "max": 1})],
    ),
    (f"/api/worker/pool/autoscale/{WORKER}?min=3", 400, "Missing argument max", []),
    (f"/api/worker/pool/autoscale/{WORKER}?min=&max=3", 400, "Missing argument min", []),
    (f"/api/worker/pool/autoscale/{WORKER}?min=x&max=3", 400, "Invalid argument 'x' of type 'int'", []),
    (
        f"/api/worker/queue/add-consumer/{WORKER}?queue=a",
        200,
        {"message": "done"},
        [("add_consumer", {"queue": "a"})],
    ),
    (f"/api/worker/queue/add-consumer/{WORKER}?queue=", 400, "Missing argument queue", []),
    (
        f"/api/worker/queue/cancel-consumer/{WORKER}?queue=a",
        200,
        {"message": "done"},
        [("cancel_consumer", {"queue": "a"})],
    ),
    (f"/api/worker/queue/cancel-consumer/{WORKER}", 400, "Missing argument queue", []),
    ("/api/worker/shutdown/nope", 404, "Unknown worker 'nope'", []),
    (f"{LIMIT}&soft=1&hard=2", 200, LIMITS, [("time_limit", {"soft": 1.0, "hard": 2.0})]),
    (LIMIT, 200, LIMITS, [("time_limit", {"soft": None, "hard": None})]),
    (f"{LIMIT}&soft=0&hard=0", 200, LIMITS, [("time_limit", {"soft": 0.0, "hard": 0.0})]),
    (f"{LIMIT}&soft=30&hard=10", 200, LIMITS, [("time_limit", {"soft": 30.0, "hard": 10.0})]),
    (f"{LIMIT}&soft=x", 400, "Invalid argument 'x' of type 'float'", []),
    (f"{LIMIT}&soft=", 400, "Invalid argument '' of type 'float'", []),
    (f"/api/task/timeout/{TASK}?soft=1", 400, "Missing argument workername", []),
    (f"/api/task/timeout/{TASK}?workername=nope", 404, "Unknown worker 'nope'", []),
    (f"{RATES}&ratelimit=10/m", 200, RATE, [("rate_limit", {"rate_limit": "10/m"})]),
    (f"{RATES}&ratelimit=1e3", 200, RATE, [("rate_limit", {"rate_limit": "1e3"})]),
    (f"{RATES}&ratelimit=fast", 200, RATE, [("rate_limit", {"rate_limit": "fast"})]),
    (f"{RATES}&ratelimit=", 400, "Missing argument ratelimit", []),
    (f"/api/task/rate-limit/{TASK}?ratelimit=1", 400, "Missing argument workername", []),
    (f"/api/task/rate-limit/{TASK}?ratelimit=1&workername=nope", 404, "Unknown worker 'nope'", []),
    ("/api/task/revoke/x", 200, {"message": "Revoked 'x'"}, [("revoke", {"task_id": ["x"], "terminate": False})]),
    (
        "/api/task/revoke/x?terminate=1&signal=SIGKILL",
        200,
        {"message": "Revoked 'x'"},
        [("revoke", {"terminate": True})],
    ),
    ("/api/task/revoke/x?signal=SIGFOO", 200, {"message": "Revoked 'x'"}, [("revoke", {"terminate": False})]),
    ("/api/task/revoke/a", 200, {"message": "Revoked 'a'"}, []),
    ("/api/task/revoke/x?terminate=perhaps", 400, BOOL, []),
    ("/api/task/revoke/x?terminate=", 400, "Invalid argument '' of type 'bool'", []),
    ("/api/task/abort/nobodys", 200, {"message": "Aborted 'nobodys'"}, []),
    ("/api/task/abort/a", 200, {"message": "Aborted 'a'"}, []),
]

REFUSED: list[tuple[str, Any, str]] = [
    (f"{LIMIT}&soft=-30", None, "Invalid soft -30, expected a number of seconds greater than 0"),
    (f"{LIMIT}&soft=nan", None, "Invalid argument 'nan' of type 'float'"),
    (f"{RATES}&ratelimit=-1", None, "Invalid ratelimit '-1'"),
    (f"{RATES}&ratelimit=nan", None, "Invalid ratelimit 'nan'"),
    ("/api/task/revoke/x?terminate=1&signal=SIGFOO", None, "Invalid signal 'SIGFOO'"),
    (f"/api/task/apply/{TASK}", {"args": [1]}, "shop.add: add() missing"),
    (f"/api/task/apply/{TASK}", {"args": [1, 2], "kwargs": []}, "kwargs must be an object"),
    (f"/api/task/async-apply/{TASK}", {"args": [1, 2], "producer": "x"}, "Unknown option 'producer'"),
    (f"/api/task/async-apply/{TASK}", {"args": [1, 2], "eta": 123}, "Invalid option"),
    (f"/api/task/async-apply/{TASK}", {"args": [1, 2], "task_id": 42}, "Invalid option"),
    (f"/api/task/async-apply/{TASK}", {"args": [1, 2], "serializer": "nope"}, "Invalid option"),
    (f"/api/task/async-apply/{TASK}", {"args": [1, 2], "time_limit": -1}, "Invalid option"),
]

SENDING: list[tuple[str, Any, int, Any]] = [
    ("apply/nope", None, 404, "Unknown task 'nope'"),
    ("async-apply/nope", None, 404, "Unknown task 'nope'"),
    (f"apply/{TASK}", {"args": "ab"}, 400, "args must be an array"),
    (f"apply/{TASK}", [1], 400, "invalid options"),
    (f"apply/{TASK}", "x", 400, "invalid options"),
    (f"apply/{TASK}", {"args": [1, 2], "timeout": "x"}, 400, "Invalid timeout"),
    (f"apply/{TASK}", {"args": [1, 2], "timeout": ""}, 400, "Invalid timeout"),
    (f"apply/{TASK}", {"args": [1, 2], "eta": "soon"}, 400, "Invalid option"),
    (f"async-apply/{TASK}", {"args": [1, 2], "countdown": "soon"}, 400, "Invalid option"),
    (f"async-apply/{TASK}", {"args": [1, 2], "expires": "soon"}, 400, "Invalid option"),
    ("send-task/nobodys", {"args": 1}, 400, "args must be an array"),
]

TAKEN: list[dict[str, Any]] = [
    {},
    {"bogus": 1},
    {"timeout": 5},
    {"add_to_parent": False},
    {"argsrepr": "<hidden>"},
    {"chain": []},
    {"queue": ""},
    {"queue": None},
    {"exchange": ""},
    {"shadow": ""},
    {"link": []},
    {"priority": "3"},
    {"priority": 300},
    {"retries": -1},
    {"retry": "x"},
    {"ignore_result": 1},
    {"delivery_mode": "transient"},
    {"retry_policy": {"max_retries": 100, "interval_start": None}},
    {"time_limit": 0},
    {"soft_time_limit": "5"},
    {"countdown": "0.1"},
    {"expires": "60"},
    {"expires": -5},
    {"eta": "2026-11-21 10:30:00.000000"},
    {"headers": {"who": "me"}},
]
"""Options with which Flower 2.2 sends a task."""


@pytest.fixture
def old(open_shop: Callable[..., Shop], capp: Celery) -> Shop:
    """A server in the shapes of Flower 2.x, which has seen four tasks and an inspected worker."""
    shop = open_shop(classic_api=True)
    shop.feed(make.success("a", name="tasks.add"), make.failure("b", 10, name="tasks.mul"))
    shop.feed(make.received("c", 20, name="tasks.wait"), make.sent("d", 30, name="tasks.add"))
    shop.app.inspector.workers[WORKER] = {"stats": {}, "registered": [TASK], "active_queues": [], "timestamp": 1.0}
    failure = {"exc_type": "E", "exc_message": ["x"], "exc_module": "m"}
    for uuid, state, result, traceback in (
        ("five", "SUCCESS", 5, None),
        ("nil", "SUCCESS", None, None),
        ("bad", "FAILURE", failure, "T"),
        ("runs", "STARTED", {"pid": 1}, None),
        ("stop", "ABORTED", None, None),
    ):
        record = {"status": state, "result": result, "traceback": traceback, "task_id": uuid}
        capp.backend.set(capp.backend.get_key_for_task(uuid), json.dumps(record))
    return shop


def held(expected: Any, found: Any) -> bool:
    """Whether an answer is as expected: a value, or what a function makes of it."""
    return bool(expected(found)) if callable(expected) else expected == found


def content(answer: Any) -> Any:
    return answer.json() if "json" in answer.headers["Content-Type"] else answer.text


@pytest.mark.parametrize("path, status, expected", READING, ids=[row[0] for row in READING])
def test_reading(old: Shop, path: str, status: int, expected: Any) -> None:
    """What is read has the status, the shape and the words of Flower 2.2."""
    answer = old.get(path)
    assert (status, True) == (answer.status_code, held(expected, content(answer))), answer.text


@pytest.mark.parametrize("path, status, expected, asked", COMMANDS, ids=[row[0] for row in COMMANDS])
def test_commands(old: Shop, path: str, status: int, expected: Any, asked: list[tuple[str, dict[str, Any]]]) -> None:
    """A command is answered as by Flower 2.2, and the workers are asked for what has a meaning."""
    answer = old.request("POST", path)
    found = [(question, arguments) for question, arguments, _ in old.asked]
    assert (status, expected, len(asked)) == (answer.status_code, content(answer), len(found))
    assert [True] * len(asked) == [
        question == name and arguments.items() <= given.items()
        for (question, arguments), (name, given) in zip(asked, found, strict=True)
    ]


@pytest.mark.parametrize("path, body, told", REFUSED)
def test_refused(old: Shop, path: str, body: Any, told: str) -> None:
    """What did harm, nothing, or was a 500 is a 400 that says why, and no worker is asked."""
    status, answer = old.post(path, body)
    assert (400, told, []) == (status, answer[: len(told)], old.asked)


@pytest.mark.parametrize("path, body, status, told", SENDING)
def test_sending_errors(old: Shop, path: str, body: Any, status: int, told: str) -> None:
    """A task that cannot be sent is told of in the words of Flower 2.2."""
    assert (status, told) == old.post(f"/api/task/{path}", body)


@pytest.mark.parametrize(
    "body, told",
    [
        ("{", "Expecting property name"),
        ("args=1", "Expecting value: line 1 column 1 (char 0)"),
        ("null", "invalid opt"),
    ],
)
def test_no_json(old: Shop, body: str, told: str) -> None:
    """A body that cannot be read is told of in the words of the parser."""
    answer = old.request("POST", f"/api/task/apply/{TASK}", data=body)
    assert (400, True) == (answer.status_code, answer.text.startswith(told))


@pytest.mark.parametrize("options", TAKEN, ids=str)
@pytest.mark.parametrize("way", ["async-apply", "send-task"])
def test_options(old: Shop, way: str, options: dict[str, Any]) -> None:
    """The task is sent with every option with which Flower 2.2 sends it."""
    status, answer = old.post(f"/api/task/{way}/{TASK}", {"args": [1, 2], "task_id": "mine", **options})
    assert (200, {"task-id": "mine", "state": "PENDING"}) == (status, answer)


@pytest.mark.parametrize("timeout", [0, -1, 0.01, "0.01"])
def test_apply_with_timeout(old: Shop, timeout: float | str) -> None:
    """A task that has not ended in time is told with its state only."""
    body = {"args": [1, 2], "task_id": "mine", "timeout": timeout}
    assert (200, {"task-id": "mine", "state": "PENDING"}) == old.post(f"/api/task/apply/{TASK}", body)


def test_apply_has_no_end_of_its_own(old: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a timeout it waits for as long as anything may wait, also when a longer one is given."""
    waited: list[float] = []

    async def wait(_uuid: str, seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(old.app.operations.poller, "wait", wait)
    monkeypatch.setattr(old.app.operations, "hears", lambda: True)
    for options in ({}, {"timeout": 99_999}, {"timeout": 7}):
        old.post(f"/api/task/apply/{TASK}", {"args": [1, 2], **options})
    assert [3600, 3600, 7] == waited


@pytest.mark.parametrize("way", ["async-apply", "send-task"])
def test_no_state_without_a_backend(serve: Serve, capp: Celery, way: str) -> None:
    """Without a result backend only the id is told."""
    capp.conf.result_backend = "disabled://"
    answer = serve(classic_api=True, capp=capp).request(
        "POST", f"/api/task/{way}/{TASK}", json={"args": [1, 2], "task_id": "a"}
    )
    assert (200, {"task-id": "a"}) == (answer.status_code, answer.json())


def test_no_backend(serve: Serve) -> None:
    """Without a result backend results are a 503."""
    server = serve(classic_api=True)
    assert [503, 503] == [
        server.get("/api/task/result/a").status_code,
        server.request("POST", "/api/task/abort/a").status_code,
    ]


SILENT = [
    (f"worker/pool/grow/{WORKER}", f"Failed to grow '{WORKER}' worker's pool: Unknown reason"),
    (f"worker/pool/shrink/{WORKER}", f"Failed to shrink '{WORKER}' worker's pool: Unknown reason"),
    (f"worker/pool/restart/{WORKER}", f"Failed to restart the '{WORKER}' pool: Unknown reason"),
    (f"worker/pool/autoscale/{WORKER}?min=1&max=2", f"Failed to autoscale '{WORKER}' worker: Unknown reason"),
    (f"worker/queue/add-consumer/{WORKER}?queue=q", f"Failed to add 'q' consumer to '{WORKER}' worker: Unknown reason"),
    (
        f"worker/queue/cancel-consumer/{WORKER}?queue=q",
        f"Failed to cancel 'q' consumer from '{WORKER}' worker: Unknown reason",
    ),
    (f"task/timeout/{TASK}?workername={WORKER}", "Failed to set timeouts: 'Unknown reason'"),
    (f"task/rate-limit/{TASK}?workername={WORKER}&ratelimit=1", "Failed to set rate limit: 'Unknown reason'"),
]


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("path, told", SILENT)
def test_silent_workers(old: Shop, path: str, told: str, gone: bool) -> None:
    """A worker that does not reply, or went, is a 403 as in Flower 2.2."""
    old.answer({})
    if gone:
        old.feed(make.heartbeat(kind="worker-offline", at=1))
    assert (403, told) == old.post(f"/api/{path}")


def test_refusal_of_a_limit(old: Shop) -> None:
    """A worker's reason is in quotes where Flower 2.2 has them."""
    old.answer({WORKER: {"error": "bad"}})
    told = [old.post(path) for path in (f"{RATES}&ratelimit=fast", f"{LIMIT}&soft=1")]
    assert [(403, "Failed to set rate limit: 'bad'"), (403, "Failed to set timeouts: 'bad'")] == told


def test_unknown_task_of_a_limit(old: Shop) -> None:
    """A task that the worker does not have is a 404 in the words of Flower 2.2."""
    old.answer({WORKER: {"error": "unknown task"}})
    assert (404, f"Unknown task '{TASK}'") == old.post(f"{RATES}&ratelimit=1")


def test_shutdown_of_a_worker_that_is_gone(old: Shop) -> None:
    """What is wanted is so already: scripts that end every worker that they know go on; the audit has the truth."""
    old.feed(make.heartbeat(kind="worker-offline", at=1))
    answer = old.post(f"/api/worker/shutdown/{WORKER}")
    line = old.json("/api/audit")["audit"][0]
    assert (200, {"message": "Shutting down!"}) == answer
    assert ("worker.shutdown", "failed") == (line["operation"], line["outcome"])


def test_revocation_that_nobody_confirms(old: Shop) -> None:
    """A busy worker hears it later: Flower 2.2 did not wait for anybody."""
    old.answer({})
    assert (200, {"message": "Revoked 'x'"}) == old.post("/api/task/revoke/x")


def test_abort_marks_what_has_not_ended(old: Shop) -> None:
    """A task that was never seen may wait in a queue, and finds the mark; one that ended keeps its record."""
    for uuid in ("nobodys", "five"):
        old.post(f"/api/task/abort/{uuid}")
    states = [old.json(f"/api/task/result/{uuid}")["state"] for uuid in ("nobodys", "five")]
    assert ["ABORTED", "SUCCESS"] == states


@pytest.mark.parametrize("path", ["worker/pool/grow/x", "task/apply/x", "task/revoke/x", "task/abort/x"])
def test_read_only(open_shop: Callable[..., Shop], path: str) -> None:
    """Read-only mode refuses before anything else, in the words of Flower 2.2."""
    assert (403, "Read only mode is enabled") == open_shop(classic_api=True, read_only=True).post(f"/api/{path}")


@pytest.mark.parametrize("path", ["/api/workers", "/api/tasks", "/api/task/info/x", "/api/queues/length"])
def test_closed(serve: Serve, path: str) -> None:
    """The closed API says in the words of Flower 2.2 how it is opened."""
    answer = serve(open_api=False, classic_api=True).get(path)
    told = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
    assert (401, told, "text/plain; charset=UTF-8") == (answer.status_code, answer.text, answer.headers["Content-Type"])


@pytest.mark.parametrize(
    "path, body",
    [
        ("/api/task/revoke", {"ids": []}),
        ("/api/task/retry/nobodys", None),
        ("/api/queue/purge/nowhere", None),
    ],
)
def test_new_commands_have_one_shape(old: Shop, path: str, body: Any) -> None:
    """What Flower 2.x does not have is told as without the option."""
    old.answer({})
    status, answer = old.post(path, body)
    assert (True, status) == (status >= 400, answer["status"])


@pytest.mark.parametrize("path", ["/api/stats?by=x", "/api/audit?limit=x", "/api/events?type=x"])
def test_new_readings_have_one_shape(old: Shop, path: str) -> None:
    """Neither their errors differ."""
    assert 400 == old.get(path).json()["status"]


def test_pages_need_whole_answers(old: Shop) -> None:
    """Flower's own pages get the whole answer, and its rules."""
    answer = old.request("POST", f"/api/worker/pool/grow/{WORKER}?n=0", headers={"X-Requested-With": "Flower"})
    assert (400, "n") == (answer.status_code, answer.json()["argument"])


@pytest.mark.parametrize("where", ["params", "data"])
def test_query_and_form(old: Shop, where: str) -> None:
    """Arguments may be in the query or in a form."""
    given: dict[str, Any] = {where: {"n": "3"}}
    answer = old.request("POST", f"/api/worker/pool/grow/{WORKER}", **given)
    assert (200, [("pool_grow", {"n": 3}, [WORKER])]) == (answer.status_code, old.asked)
