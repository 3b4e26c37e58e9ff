"""Commands over HTTP: what is refused and why, and what is answered, with made-up replies of workers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest
from celery import Celery

from flower.control import BrokerDown
from tests import factories as make
from tests.api.conftest import TASK, Replies, Serve, Shop
from tests.factories import WORKER
from tests.services import last, wait_for


@pytest.mark.parametrize(
    "path, arguments, asked",
    [
        ("worker/pool/grow/{}", {"n": 2}, ("pool_grow", {"n": 2})),
        ("worker/pool/shrink/{}", {}, ("pool_shrink", {"n": 1})),
        ("worker/pool/restart/{}", {}, ("pool_restart", {"reload": False})),
        ("worker/pool/autoscale/{}", {"min": 1, "max": 3}, ("autoscale", {"min": 1, "max": 3})),
        ("worker/queue/add-consumer/{}", {"queue": "a&b<c>"}, ("add_consumer", {"queue": "a&b<c>"})),
        ("worker/queue/cancel-consumer/{}", {"queue": "x"}, ("cancel_consumer", {"queue": "x"})),
    ],
)
@pytest.mark.parametrize("way", ["query", "form", "json"])
def test_worker_commands(shop: Shop, way: str, path: str, arguments: dict[str, Any], asked: Any) -> None:
    """The named worker is asked, with arguments from wherever they came, unaltered."""
    given = {{"query": "params", "form": "data", "json": "json"}[way]: arguments}
    answer = shop.request("POST", f"/api/{path.format(WORKER)}", **given)
    assert (200, [(*asked, [WORKER])]) == (answer.status_code, shop.asked)
    assert WORKER == answer.json()["worker"]


@pytest.mark.parametrize(
    "path, body, argument",
    [
        ("worker/pool/grow/{}?n=0", None, "n"),
        ("worker/pool/grow/{}?n=-1", None, "n"),
        ("worker/pool/grow/{}", {"n": "x"}, "n"),
        ("worker/pool/grow/{}", {"n": 1e30}, "n"),
        ("worker/pool/autoscale/{}?min=3&max=2", None, "min"),
        ("worker/queue/add-consumer/{}", None, "queue"),
        ("worker/queue/add-consumer/{}", {"queue": "\ud800"}, "queue"),
        ("worker/queue/add-consumer/{}", {"queue": "ü" * 200}, "queue"),
        (f"task/timeout/{TASK}?soft=-30", None, "soft"),
        (f"task/timeout/{TASK}?hard=0", None, "hard"),
        (f"task/timeout/{TASK}?soft=10&hard=5", None, "soft"),
        (f"task/rate-limit/{TASK}", None, "ratelimit"),
        (f"task/rate-limit/{TASK}?ratelimit=fast", None, "ratelimit"),
        (f"task/rate-limit/{TASK}?ratelimit=-1/m", None, "ratelimit"),
        (f"task/rate-limit/{TASK}?ratelimit=1/y", None, "ratelimit"),
        ("task/revoke/x?signal=SIGFOO&terminate=1", None, "signal"),
        ("task/revoke/x?terminate=perhaps", None, "terminate"),
        ("task/revoke", None, "ids"),
        ("task/revoke", {"ids": []}, "ids"),
        ("task/revoke", {"ids": [1]}, "ids"),
        ("task/revoke", {"ids": ["x"] * 10_001}, "ids"),
        ("task/revoke", {"ids": ["x"], "state": "STARTED"}, "ids"),
        ("task/revoke", {"search": "name:("}, None),
        (f"task/apply/{TASK}", {"args": "x"}, "args"),
        (f"task/apply/{TASK}", {"args": [1]}, "args"),
        (f"task/apply/{TASK}", {"args": [1, 2], "kwargs": {"z": 1}}, "args"),
        (f"task/apply/{TASK}", {"kwargs": []}, "kwargs"),
        (f"task/apply/{TASK}", {"args": [1, 2], "timeout": 0}, "timeout"),
        (f"task/apply/{TASK}", {"args": [1, 2], "timeout": -1}, "timeout"),
        (f"task/apply/{TASK}", {"args": [1, 2], "timeout": "soon"}, "timeout"),
        (f"task/async-apply/{TASK}", {"args": [1, 2], "bogus": 1}, "bogus"),
        (f"task/async-apply/{TASK}", {"args": [1, 2], "eta": 123}, "eta"),
        (f"task/async-apply/{TASK}", {"args": [1, 2], "serializer": "nope"}, "serializer"),
        ("task/send-task/x", {"countdown": "soon"}, "countdown"),
        ("task/send-task/x", {"queue": 7}, "queue"),
        (f"task/apply/{TASK}", [1], None),
        (f"task/apply/{TASK}", "text", None),
    ],
)
def test_wrong_requests(shop: Shop, path: str, body: Any, argument: str | None) -> None:
    """Whatever is wrong is a 400 in JSON that names the argument, and no worker is asked."""
    status, answer = shop.post(f"/api/{path.format(WORKER)}", body)
    assert (400, 400, argument) == (status, answer["status"], answer.get("argument"))
    assert [] == shop.asked


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 100_000, b'{"args": [NaN]}', b'{"args": [' + b"9" * 5000 + b"]}"]
)
def test_no_json(shop: Shop, body: bytes) -> None:
    """A body that is no JSON is a 400."""
    answer = shop.request("POST", f"/api/task/apply/{TASK}", data=body)
    assert (400, 400) == (answer.status_code, answer.json()["status"])


@pytest.mark.parametrize(
    "path",
    [
        "worker/shutdown/nobody",
        "worker/pool/grow/nobody",
        f"task/timeout/{TASK}?workername=nobody",
        "task/timeout/no.such",
        "task/rate-limit/no.such?ratelimit=1",
        "task/apply/no.such",
        "task/async-apply/no.such",
        "task/retry/nobodys",
        "task/abort/nobodys",
        "queue/purge/nowhere",
        "queue/purge/celeryev",
    ],
)
def test_unknown_targets(shop: Shop, path: str) -> None:
    """What nobody knows is a 404."""
    shop.answer({})
    status, answer = shop.post(f"/api/{path}")
    assert (404, 404) == (status, answer["status"])


def test_near_names(shop: Shop) -> None:
    """A task that nobody has is told with those that sound like it."""
    assert "shop.add" == shop.post("/api/task/apply/shop.ad")[1]["near"][0]


def test_refusal(shop: Shop) -> None:
    """A worker's no is a 403 with its reason."""
    shop.answer({WORKER: {"error": "ValueError('busy')"}})
    assert (403, f"Failed to shrink '{WORKER}' worker's pool: ValueError('busy')") == (
        (found := shop.post(f"/api/worker/pool/shrink/{WORKER}"))[0],
        found[1]["error"],
    )


def test_another_workers_reply_is_none(shop: Shop) -> None:
    """Only the named worker's reply counts; silence is a 504 with what is known."""
    shop.answer({"celery@other": {"ok": "done"}})
    status, answer = shop.post(f"/api/worker/pool/grow/{WORKER}")
    assert (504, WORKER, True) == (status, answer["worker"], answer["alive"])


def test_offline_worker(shop: Shop) -> None:
    """A worker that said goodbye is not asked."""
    shop.feed(make.heartbeat(kind="worker-offline", at=1))
    status, answer = shop.post(f"/api/worker/pool/grow/{WORKER}")
    assert (409, False, []) == (status, answer["alive"], shop.asked)


def test_broker_down(shop: Shop) -> None:
    """A broker that does not answer is a 503."""

    async def ask(*_: Any, **__: Any) -> Replies:
        raise BrokerDown("The broker does not answer: refused")

    shop.app.operations.ask = ask  # type: ignore[method-assign]
    assert 503 == shop.post(f"/api/worker/pool/grow/{WORKER}")[0]


def test_limits_in_all_workers_that_have_the_task(shop: Shop) -> None:
    """Without a worker's name those are asked that have the task, which need not be ours."""
    shop.app.inspector.workers[WORKER] = {"registered": ["far.away [rate_limit=1]"], "timestamp": 0.0}
    shop.app.inspector.workers["celery@gone"] = {"registered": ["far.away"], "timestamp": 0.0}
    status, answer = shop.post("/api/task/rate-limit/far.away", ratelimit="10/m")
    arguments = {"task_name": "far.away", "rate_limit": "10/m"}
    assert (200, {WORKER: "done"}, [("rate_limit", arguments, [WORKER])]) == (status, answer["workers"], shop.asked)


def test_revoke_counts(shop: Shop) -> None:
    """Tasks that have ended are left alone."""
    shop.feed(make.success("ended"), make.received("open"))
    status, answer = shop.post("/api/task/revoke", {"ids": ["ended", "open", "strange", "open"]})
    assert (200, 2, 1, 1, 1) == (status, *(answer[name] for name in ("revoked", "known", "unknown", "finished")))
    assert ["open", "strange"] == shop.asked[0][1]["task_id"]


def test_revoke_ended(shop: Shop) -> None:
    """A task that has ended is not said to be revoked."""
    shop.feed(make.success("ended"))
    answer = shop.post("/api/task/revoke/ended")[1]
    assert ("Task 'ended' has ended already: SUCCESS", 0, []) == (answer["message"], answer["revoked"], shop.asked)


def test_revoke_without_workers(shop: Shop) -> None:
    """A revocation that no worker heard is not one."""
    shop.answer({})
    assert 504 == shop.post("/api/task/revoke/x")[0]


def test_confirmation(shop: Shop) -> None:
    """A search is shown first; a token for fewer tasks or another search does not do."""
    shop.feed(make.received("a"), make.received("b"), make.success("c"))
    criteria = {"name": "tasks.add"}
    status, first = shop.post("/api/task/revoke", criteria)
    other, _ = shop.post("/api/task/revoke", {"state": "RECEIVED", "confirm": first["confirm"]})
    shop.feed(make.received("d"))
    grown, second = shop.post("/api/task/revoke", {**criteria, "confirm": first["confirm"]})
    done = shop.post("/api/task/revoke", {**criteria, "confirm": second["confirm"]})
    assert (409, 2, 409, 409, 3) == (status, first["count"], other, grown, second["count"])
    assert (200, 3) == (done[0], done[1]["revoked"])


def test_result_of_unknown_and_expired(shop: Shop) -> None:
    """An id nobody knows, a task that waits, and one whose result is gone are told apart."""
    shop.feed(make.received("open"), make.success("long-ago", at=-90_000))
    answers = [shop.json(f"/api/task/result/{uuid}") for uuid in ("nobodys", "open", "long-ago")]
    assert [("PENDING", False, False), ("RECEIVED", True, False), ("SUCCESS", True, True)] == [
        (answer["state"], answer["known"], answer["expired"]) for answer in answers
    ]


@pytest.mark.parametrize(
    "state, value, shown",
    [
        ("SUCCESS", {"a": [1]}, {"a": [1]}),
        ("FAILURE", {"exc_type": "Evil", "exc_message": ["x", 1], "exc_module": "os"}, "Evil('x', 1)"),
        ("FAILURE", {"exc_type": "Odd", "exc_message": "text", "exc_module": "nowhere"}, "Odd('text')"),
        ("STARTED", {"pid": 1}, None),
    ],
)
def test_result(shop: Shop, capp: Celery, state: str, value: Any, shown: Any) -> None:
    """Results are shown as they are stored; no exception is made of them."""
    record = {"status": state, "result": value, "traceback": None, "task_id": "a", "date_done": "2026"}
    capp.backend.set(capp.backend.get_key_for_task("a"), json.dumps(record))
    answer = shop.json("/api/task/result/a")
    assert (state, shown, True) == (answer["state"], answer["result"], answer["stored"])


@pytest.mark.parametrize("timeout", ["nan", "inf", "x", "1e9"])
def test_result_timeout(shop: Shop, timeout: str) -> None:
    """Nobody waits for ever."""
    assert 400 == shop.get("/api/task/result/a", timeout=timeout).status_code


def test_no_backend(serve: Serve) -> None:
    """Without a result backend results are a 503 that says so."""
    answer = serve().get("/api/task/result/a")
    assert (503, "No result backend is configured") == (answer.status_code, answer.json()["error"])


def test_apply_is_told_by_events(shop: Shop) -> None:
    """A task is sent, and its state is the one that it is in when the time is up."""
    status, answer = shop.post(f"/api/task/apply/{TASK}", {"args": [1, 2], "timeout": 0.05, "task_id": "mine"})
    assert (200, "mine", "PENDING", None) == (status, answer["task-id"], answer["state"], answer["success"])


def test_client_goes(shop: Shop) -> None:
    """Nothing waits for a client that is gone."""
    poller = shop.app.operations.poller
    body = json.dumps({"args": [1, 2], "timeout": 300})
    connection = http.client.HTTPConnection(shop.url.removeprefix("http://"), timeout=10)
    connection.request("POST", f"/api/task/apply/{TASK}", body)
    wait_for(lambda: poller.waiting == 1, 10, "it waits")
    connection.close()
    assert 0 == last(lambda: poller.waiting, 0, 10)


def test_retry(shop: Shop) -> None:
    """An ended task is sent again to its queue, and the new one names the old."""
    shop.feed(make.sent("old", args="(1, 'ü')", queue="other"), make.success("old", args="(1, 'ü')"))
    status, answer = shop.post("/api/task/retry/old")
    shop.feed()
    info = shop.json(f"/api/task/info/{answer['task-id']}")
    assert (200, "old", {"retry_of": "old"}) == (status, answer["retry_of"], info["extra"])
    assert ("tasks.add", [1, "ü"], "PENDING") == (info["name"], info["args"], info["state"])


@pytest.mark.parametrize(
    "args, why",
    [
        ("('" + "x" * 1020 + "...',)", "only the beginning"),
        ("([1, 2, ...],)", "only the beginning"),
        ("(<Order 5>,)", "no plain value"),
        ("***", "no plain value"),
        (None, "not recorded"),
    ],
)
def test_retry_of_lost_arguments(shop: Shop, args: str | None, why: str) -> None:
    """Arguments that were cut, hidden or never seen are not made up; the caller may give others."""
    shop.feed(make.success("old", args=args))
    status, answer = shop.post("/api/task/retry/old")
    edited, _ = shop.post("/api/task/retry/old", {"args": [1, 2]})
    assert (409, True, 200) == (status, why in answer["error"], edited)


def test_retry_of_a_running_task(shop: Shop) -> None:
    """A task that was not seen to end is run twice only by force."""
    shop.feed(make.received("old"))
    assert [409, 200] == [shop.post("/api/task/retry/old", body)[0] for body in (None, {"force": True})]


def test_abort(shop: Shop) -> None:
    """Tasks that ended, or cannot be aborted, are refused, and no record is written for them."""
    shop.feed(make.success("ended"), make.received("plain", name=TASK), make.received("far", name="far.away"))
    statuses = [shop.post(f"/api/task/abort/{uuid}")[0] for uuid in ("ended", "plain", "far")]
    stored = [shop.json(f"/api/task/result/{uuid}")["stored"] for uuid in ("ended", "plain", "far")]
    assert ([409, 409, 200], [False, False, True]) == (statuses, stored)


def test_purge(shop: Shop) -> None:
    """A queue is purged after a confirmation, and not without."""
    for _ in range(3):
        shop.post("/api/task/send-task/x", {"queue": "heap"})
    status, first = shop.post("/api/queue/purge/heap")
    done = shop.post("/api/queue/purge/heap", confirm=first["confirm"])
    assert (409, 3, 200, 3) == (status, first["count"], done[0], done[1]["purged"])


@pytest.mark.parametrize(
    "path, body, expected",
    [
        ("worker/pool/grow/{}?n=2", None, {"message": "Growing '{}' worker's pool by 2"}),
        ("worker/pool/shrink/{}", None, {"message": "Shrinking '{}' worker's pool by 1"}),
        ("worker/pool/restart/{}", None, {"message": "Restarting '{}' worker's pool"}),
        ("worker/pool/autoscale/{}?min=1&max=5", None, {"message": "Autoscaling '{}' worker (min=1, max=5)"}),
        ("worker/queue/add-consumer/{}?queue=x", None, {"message": "done"}),
        ("task/revoke/nope", None, {"message": "Revoked 'nope'"}),
        (f"task/timeout/{TASK}?workername={{}}&soft=1", None, {"message": "time limits set successfully"}),
        (f"task/rate-limit/{TASK}?workername={{}}&ratelimit=1", None, {"message": "new rate limit set successfully"}),
        (f"task/async-apply/{TASK}", {"args": [1, 2], "task_id": "a"}, {"task-id": "a", "state": "PENDING"}),
        ("task/send-task/far", {"task_id": "a"}, {"task-id": "a", "state": "PENDING"}),
        (f"task/apply/{TASK}", {"args": [1, 2], "timeout": 0.05, "task_id": "b"}, {"task-id": "b", "state": "PENDING"}),
    ],
)
def test_classic_answers(open_shop: Callable[..., Shop], path: str, body: Any, expected: dict[str, str]) -> None:
    """With --classic_api the answers are those of Flower 2.x."""
    classic = open_shop(classic_api=True)
    expected = {name: text.replace("{}", WORKER) for name, text in expected.items()}
    assert (200, expected) == classic.post(f"/api/{path.format(WORKER)}", body)


@pytest.mark.parametrize(
    "path, body, status, text",
    [
        ("worker/pool/grow/nope", None, 404, "Unknown worker 'nope'"),
        ("task/apply/tasks.nope", None, 404, "Unknown task 'tasks.nope'"),
        (f"task/apply/{TASK}", {"args": 1}, 400, "args must be an array"),
        (f"task/apply/{TASK}", [1], 400, "invalid options"),
        (f"task/apply/{TASK}", {"args": [1, 2], "eta": "x"}, 400, "Invalid option"),
        ("worker/queue/add-consumer/{}", None, 400, "Missing argument queue"),
    ],
)
def test_classic_errors(open_shop: Callable[..., Shop], path: str, body: Any, status: int, text: str) -> None:
    """With --classic_api errors are the texts of Flower 2.x."""
    assert (status, text) == open_shop(classic_api=True).post(f"/api/{path.format(WORKER)}", body)


def test_classic_result(open_shop: Callable[..., Shop], capp: Celery) -> None:
    """With --classic_api a result has what Flower 2.x told, and an unfinished one only its state."""
    record = {"status": "SUCCESS", "result": 5, "traceback": None, "task_id": "five"}
    capp.backend.set(capp.backend.get_key_for_task("five"), json.dumps(record))
    classic = open_shop(classic_api=True)
    assert {"task-id": "five", "state": "SUCCESS", "result": 5} == classic.json("/api/task/result/five")
    assert {"task-id": "nope", "state": "PENDING"} == classic.json("/api/task/result/nope")


def test_read_only(open_shop: Callable[..., Shop]) -> None:
    """Read-only mode refuses every command, and asks nobody; results may be read."""
    shop = open_shop(read_only=True)
    assert 403 == shop.post(f"/api/worker/pool/grow/{WORKER}")[0]
    assert (200, []) == (shop.get("/api/task/result/a").status_code, shop.asked)
