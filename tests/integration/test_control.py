"""Every command, on real workers over Redis and RabbitMQ: what it did, not what it said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.plant import Hand, Plant, plant_of, running
from tests.services import Redis, last, wait_for


@pytest.fixture(scope="module", params=["redis", "rabbitmq"])
def plant(request: pytest.FixtureRequest, redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server, and a worker that it has seen."""
    service = request.getfixturevalue(request.param)
    backend = f"redis://127.0.0.1:{redis.port}/{3 if request.param == 'redis' else 4}"
    broker = f"redis://127.0.0.1:{redis.port}/5" if request.param == "redis" else service.url
    with plant_of(tmp_path_factory.mktemp("plant"), broker, backend) as plant:
        plant.hire("main", "-P", "prefork", "-c", "2", "-Q", "celery")
        yield plant


MAIN = "main@test"


def pool_size(plant: Plant) -> int:
    return len(plant.ask("stats", MAIN)["pool"]["processes"])


def test_grow_and_shrink(plant: Plant) -> None:
    """The pool has as many processes as it was told to have."""
    before = pool_size(plant)
    plant.desk.do(f"/api/worker/pool/grow/{MAIN}", n=2)
    assert before + 2 == last(lambda: pool_size(plant), before + 2, 15)
    plant.desk.do(f"/api/worker/pool/shrink/{MAIN}", n=2)
    assert before == last(lambda: pool_size(plant), before, 15)


def test_facts_follow_a_command(plant: Plant) -> None:
    """What the API tells of a worker is what the command made of it."""
    before = pool_size(plant)

    def told() -> int:
        return len(plant.desk.read("/api/workers", workername=MAIN)[MAIN]["stats"]["pool"]["processes"])

    plant.desk.do(f"/api/worker/pool/grow/{MAIN}")
    grown = last(told, before + 1, 15)
    plant.desk.do(f"/api/worker/pool/shrink/{MAIN}")
    assert before + 1 == grown


def test_refusal_has_the_workers_reason(plant: Plant) -> None:
    """A worker's no is a 403 with its own words."""
    status, answer = plant.desk.post(f"/api/worker/pool/autoscale/{MAIN}", min=1, max=3)
    assert (403, f"Failed to autoscale '{MAIN}' worker: ValueError('Autoscale not enabled')") == (
        status,
        answer["error"],
    )


def test_pool_restart(plant: Plant) -> None:
    """Each of the pool's processes makes way for a new one after its next task."""
    before = set(plant.ask("stats", MAIN)["pool"]["processes"])
    plant.desk.do(f"/api/worker/pool/restart/{MAIN}")

    def kept() -> set[int]:
        # One that ends at once would go to the same process each time.
        for _ in before:
            plant.desk.do("/api/task/async-apply/work.sleep", {"args": [0.2]})
        return before & set(plant.ask("stats", MAIN)["pool"]["processes"])

    assert set() == last(kept, set(), 60)


def test_consumers(plant: Plant) -> None:
    """A worker consumes a queue when told to, runs what comes in it, and leaves it when told to."""
    queue = "extra & more <b>"
    plant.desk.do(f"/api/worker/queue/add-consumer/{MAIN}", queue=queue)
    done = plant.desk.do("/api/task/apply/work.add", {"args": [1, 2], "queue": queue, "timeout": 10})
    consumed = [found["name"] for found in plant.ask("active_queues", MAIN)]
    plant.desk.do(f"/api/worker/queue/cancel-consumer/{MAIN}", queue=queue)
    left = [found["name"] for found in plant.ask("active_queues", MAIN)]
    assert (3, ["celery", queue], ["celery"]) == (done["result"], consumed, left)


def test_rate_limit(plant: Plant) -> None:
    """The limit is in force in the worker, and lifted again; nobody named the worker."""
    answer = plant.desk.do("/api/task/rate-limit/work.quiet", ratelimit="7/m")
    limited = plant.ask("registered", MAIN, taskinfoitems=["rate_limit"])
    plant.desk.do("/api/task/rate-limit/work.quiet", ratelimit="0", workername=MAIN)
    lifted = plant.ask("registered", MAIN, taskinfoitems=["rate_limit"])
    assert [MAIN] == list(answer["workers"])
    assert ("work.quiet [rate_limit=7/m]" in limited, "work.quiet [rate_limit=7/m]" in lifted) == (True, False)


def test_time_limits(plant: Plant) -> None:
    """A task that runs longer than the soft limit is told so."""
    plant.desk.do("/api/task/timeout/work.sleep", soft=1, hard=30, restart="true")
    try:
        answer = plant.desk.do("/api/task/apply/work.sleep", {"args": [20], "timeout": 15})
    finally:
        plant.desk.do("/api/task/timeout/work.sleep", restart="true")
    assert ("FAILURE", "SoftTimeLimitExceeded") == (answer["state"], answer["result"].partition("(")[0])


def test_unknown_task_has_near_names(plant: Plant) -> None:
    """A task that no worker has is a 404 that names those that sound like it."""
    answers = [
        plant.desk.post("/api/task/rate-limit/work.sleeep", ratelimit="1/s"),
        plant.desk.post("/api/task/timeout/work.sleeep", workername=MAIN),
        plant.desk.post("/api/task/apply/work.sleeep"),
    ]
    assert [(404, "work.sleep")] * 3 == [(status, answer["near"][0]) for status, answer in answers]


def test_apply(plant: Plant) -> None:
    """A task that only the workers know is run, and its result comes back."""
    answer = plant.desk.do("/api/task/apply/work.add", {"args": [1, 2]})
    assert ("SUCCESS", 3, True, True) == (answer["state"], answer["result"], answer["success"], answer["stored"])


def test_apply_failing(plant: Plant) -> None:
    """A failure is an answer, with its exception and traceback."""
    answer = plant.desk.do("/api/task/apply/work.fail", {"args": ["boom <b>"]})
    assert ("FAILURE", "ValueError('boom <b>')", False, True) == (
        answer["state"],
        answer["result"],
        answer["success"],
        "in fail" in answer["traceback"],
    )


def test_apply_without_a_result(plant: Plant) -> None:
    """A task that stores no result is waited for by its events."""
    answer = plant.desk.do("/api/task/apply/work.quiet", {"timeout": 15})
    assert ("SUCCESS", "nothing", False) == (answer["state"], answer["result"], answer["stored"])


def test_apply_longer_than_its_timeout(plant: Plant) -> None:
    """A task that takes longer is told in the state that it is in, and its result later."""
    answer = plant.desk.do("/api/task/apply/work.sleep", {"args": [2], "timeout": 0.5})
    later = plant.desk.result(answer["task-id"], timeout=10)
    assert ("STARTED", None, "slept") == (answer["state"], answer["success"], later["result"])


def test_options_arrive(plant: Plant) -> None:
    """Options by name reach Celery: its own id, priority, headers, a time to start."""
    options = {
        "task_id": f"own-{os.urandom(4).hex()}",
        "priority": 3,
        "headers": {"who": "me"},
        "eta": "2023-01-01T00:00:00",
    }
    sent = plant.desk.do("/api/task/async-apply/work.echo", {"args": [1], "kwargs": {"k": "v"}, **options})
    answer = plant.desk.result(sent["task-id"], timeout=10)
    assert (options["task_id"], {"args": [1], "kwargs": {"k": "v"}}) == (sent["task-id"], answer["result"])


def test_send_task_to_nobody(plant: Plant) -> None:
    """A task is sent by name though nobody has it, and stays unread."""
    sent = plant.desk.do("/api/task/send-task/no.such", {"queue": "nowhere"})
    assert ("PENDING", False, None) == tuple(
        plant.desk.result(sent["task-id"])[name] for name in ("state", "stored", "success")
    )


def test_revoke_before_the_start(plant: Plant) -> None:
    """A task that was revoked while it waited for its time does not run."""
    sent = plant.desk.do("/api/task/async-apply/work.add", {"args": [1, 2], "countdown": 8})
    wait_for(lambda: sent["task-id"] in str(plant.ask("scheduled", MAIN)), 10, "the worker has it")
    answer = plant.desk.do(f"/api/task/revoke/{sent['task-id']}")
    wait_for(lambda: plant.desk.result(sent["task-id"])["state"] == "REVOKED", 20, "it is revoked")
    assert ([MAIN], 1, 0) == (list(answer["workers"]), answer["known"], answer["finished"])


def test_terminate(plant: Plant) -> None:
    """The process that runs a task dies by the signal."""
    sent = plant.desk.do("/api/task/async-apply/work.sleep", {"args": [60]})
    uuid = sent["task-id"]
    wait_for(lambda: uuid in str(plant.ask("active", MAIN)), 10, "it runs")
    process = next(task["worker_pid"] for task in plant.ask("active", MAIN) if task["id"] == uuid)
    plant.desk.do(f"/api/task/revoke/{uuid}", terminate="true", signal="kill")
    assert last(lambda: running(process), False, 10) is False
    assert "REVOKED" == last(lambda: plant.desk.result(uuid)["state"], "REVOKED", 10)


def test_revoke_by_search(plant: Plant) -> None:
    """All that match are shown first, and revoked after the confirmation."""
    sent = [
        plant.desk.do("/api/task/async-apply/work.echo", {"args": ["mark"], "countdown": 60})["task-id"]
        for _ in range(5)
    ]
    criteria = {"search": "args:mark", "name": "work.echo"}
    wait_for(lambda: plant.desk.post("/api/task/revoke", criteria)[1].get("count") == 5, 10, "all five are found")
    status, first = plant.desk.post("/api/task/revoke", criteria)
    done = plant.desk.do("/api/task/revoke", {**criteria, "confirm": first["confirm"]})
    assert (409, 5, 5, set(sent)) == (
        status,
        first["count"],
        done["revoked"],
        set(sent) & set(plant.ask("revoked", MAIN)),
    )


def test_revoke_many(plant: Plant) -> None:
    """Ids that are known, that nobody knows, and that have ended are counted apart."""
    ended = plant.desk.do("/api/task/apply/work.add", {"args": [1, 2]})["task-id"]
    wait_for(lambda: plant.desk.tasks(search=f"uuid:{ended}", state="SUCCESS"), 10, "the end is seen")
    open_ = plant.desk.do("/api/task/async-apply/work.add", {"args": [1, 2], "countdown": 60})["task-id"]
    wait_for(lambda: open_ in plant.desk.tasks(), 10, "the task is seen")
    answer = plant.desk.do("/api/task/revoke", {"ids": [ended, open_, "nobodys"]})
    assert {"revoked": 2, "known": 1, "unknown": 1, "finished": 1} == {
        name: answer[name] for name in ("revoked", "known", "unknown", "finished")
    }
    assert {open_, "nobodys"} <= set(plant.ask("revoked", MAIN))


def test_abort(plant: Plant) -> None:
    """An abortable task ends itself; unknown and ended ones are refused and not written."""
    sent = plant.desk.do("/api/task/async-apply/work.patient", {"args": [60]})
    uuid = sent["task-id"]
    wait_for(lambda: plant.desk.result(uuid)["state"] == "STARTED", 10, "it runs")
    plant.desk.do(f"/api/task/abort/{uuid}")
    wait_for(lambda: plant.desk.result(uuid)["result"] == "stopped", 10, "it stopped itself")
    again, unknown = plant.desk.post(f"/api/task/abort/{uuid}"), plant.desk.post("/api/task/abort/never")
    assert (409, 404, False) == (again[0], unknown[0], plant.desk.result("never")["stored"])


def test_retry(plant: Plant) -> None:
    """An ended task runs again with the arguments that were recorded, and the new one names the old."""
    old = plant.desk.do("/api/task/apply/work.echo", {"args": [1, [2, "ü"]], "kwargs": {"k": None}})["task-id"]
    wait_for(lambda: plant.desk.tasks(search=f"uuid:{old}", state="SUCCESS"), 10, "the end is seen")
    new = plant.desk.do(f"/api/task/retry/{old}")
    again = plant.desk.result(new["task-id"], timeout=10)
    wait_for(lambda: plant.desk.tasks(search=f"uuid:{new['task-id']}", state="SUCCESS"), 10, "the end is seen")
    info = plant.desk.read(f"/api/task/info/{new['task-id']}")
    assert (old, {"args": [1, [2, "ü"]], "kwargs": {"k": None}}) == (new["retry_of"], again["result"])
    assert ({"retry_of": old}, "work.echo", "SUCCESS") == (info["extra"], info["name"], info["state"])


def test_retry_of_cut_arguments(plant: Plant) -> None:
    """Arguments of which only the beginning was recorded are not made up; others may be given."""
    old = plant.desk.do("/api/task/apply/work.echo", {"args": ["x" * 3000]})["task-id"]
    wait_for(lambda: plant.desk.tasks(search=f"uuid:{old}", state="SUCCESS"), 10, "the end is seen")
    status, answer = plant.desk.post(f"/api/task/retry/{old}")
    edited = plant.desk.do(f"/api/task/retry/{old}", {"args": ["y"]})
    assert (409, True) == (status, "only the beginning" in answer["error"])
    assert {"args": ["y"], "kwargs": {}} == plant.desk.result(edited["task-id"], timeout=10)["result"]


def test_purge(plant: Plant) -> None:
    """A queue is emptied after its length was confirmed, whatever the priorities of its messages."""
    for priority in (0, 3, 9):
        plant.desk.do("/api/task/send-task/no.such", {"queue": "heap", "priority": priority})
    status, first = plant.desk.post("/api/queue/purge/heap")
    plant.desk.do("/api/task/send-task/no.such", {"queue": "heap"})
    grown, second = plant.desk.post("/api/queue/purge/heap", confirm=first["confirm"])
    done = plant.desk.do("/api/queue/purge/heap", confirm=second["confirm"])
    empty = plant.desk.do("/api/queue/purge/heap") if "redis" not in plant.broker else {"purged": 0}
    assert (409, 3, 409, 4, 4, 0) == (status, first["count"], grown, second["count"], done["purged"], empty["purged"])


def test_purge_unknown_queue(plant: Plant) -> None:
    """A queue that there is not is a 404, and is not made."""
    assert [404, 404] == [plant.desk.post("/api/queue/purge/no-such-queue")[0] for _ in range(2)]


@pytest.fixture
def late(plant: Plant, request: pytest.FixtureRequest) -> Hand:
    """A worker that came after the server had started."""
    options = getattr(request, "param", ("-c", "1"))
    return plant.hire(f"late{os.urandom(2).hex()}", "-Q", "late", *options)


@pytest.mark.parametrize("late", [("--autoscale=3,1",)], indirect=True)
def test_autoscale(plant: Plant, late: Hand) -> None:
    """The bounds of the pool are those that were set, in a worker that came late."""
    plant.desk.do(f"/api/worker/pool/autoscale/{late.host}", min=2, max=4)
    scale = plant.ask("stats", late.host)["autoscaler"]
    assert (4, 2) == (scale["max"], scale["min"])


def test_shutdown(plant: Plant, late: Hand) -> None:
    """The worker's process ends, and further commands to it say that it went."""
    answer = plant.desk.do(f"/api/worker/shutdown/{late.host}")
    pid = late.pid
    late.running.wait(15)  # type: ignore[union-attr]
    status, after = plant.desk.post(f"/api/worker/pool/grow/{late.host}")
    assert ("goodbye", False, 409, False) == (answer["confirmed_by"], running(pid), status, after["alive"])


def test_silent_worker(plant: Plant, late: Hand) -> None:
    """A worker that does not reply is a 504 with what is known of it."""
    late.pause()
    try:
        status, answer = plant.desk.post(f"/api/worker/pool/grow/{late.host}")
    finally:
        late.resume()
    assert (504, late.host, True) == (status, answer["worker"], answer["alive"])


def test_unknown_worker(plant: Plant) -> None:
    """A worker that nobody has seen is a 404."""
    assert (404, "Unknown worker 'nobody@test'") == (
        (found := plant.desk.post("/api/worker/pool/grow/nobody@test"))[0],
        found[1]["error"],
    )


def test_many_wait(plant: Plant) -> None:
    """While a hundred wait for their results, everything else is answered."""
    with ThreadPoolExecutor(100) as threads:
        body = {"args": [0], "queue": "crowd", "timeout": 90}
        waiting = [threads.submit(plant.desk.post, "/api/task/apply/work.sleep", body) for _ in range(100)]
        wait_for(lambda: plant.waiting("crowd") == 100, 45, "all are sent")
        answers = [
            plant.desk.do("/api/task/apply/work.add", {"args": [1, 2], "timeout": 45})["result"],
            len(plant.desk.do("/api/task/async-apply/work.add", {"args": [1, 2]})["task-id"]),
            plant.desk.ask("/api/tasks").status_code,
            plant.desk.do(f"/api/worker/pool/grow/{MAIN}")["reply"],
            plant.desk.do(f"/api/worker/pool/shrink/{MAIN}")["reply"],
        ]
        unfinished = sum(not call.done() for call in waiting)
        plant.desk.do(f"/api/worker/queue/add-consumer/{MAIN}", queue="crowd")
        results = {call.result()[1]["result"] for call in waiting}
    plant.desk.do(f"/api/worker/queue/cancel-consumer/{MAIN}", queue="crowd")
    assert [3, 36, 200, "pool will grow", "pool will shrink"] == answers
    assert (100, {"slept"}) == (unfinished, results)
