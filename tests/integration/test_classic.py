"""`--classic_api` with a real worker: what Flower 2.x took has its effect, or none, on the worker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.plant import Plant, plant_of
from tests.services import Redis, last, wait_for

MAIN = "main@test"


@pytest.fixture(scope="module")
def plant(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server in the shapes of Flower 2.x, and a worker that it has seen."""
    url = f"redis://127.0.0.1:{redis.port}"
    with plant_of(tmp_path_factory.mktemp("classic"), f"{url}/10", f"{url}/11", "--classic_api") as plant:
        plant.hire("main", "-P", "prefork", "-c", "2", "-Q", "celery")
        yield plant


def post(plant: Plant, path: str, json: Any = None, **arguments: Any) -> tuple[int, Any]:
    """Status and answer: JSON, or the text of an error."""
    answer = plant.desk.session.post(plant.desk.address + path, json=json, data=arguments or None, timeout=30)
    return answer.status_code, answer.json() if "json" in answer.headers["Content-Type"] else answer.text


@pytest.mark.parametrize("how", ["grow", "shrink"])
@pytest.mark.parametrize("n", [0, -1])
def test_no_size(plant: Plant, how: str, n: int) -> None:
    """To grow or shrink by nothing leaves the worker as it is."""
    before = plant.ask("stats", MAIN)
    status, _ = post(plant, f"/api/worker/pool/{how}/{MAIN}", n=n)
    after = plant.ask("stats", MAIN)
    facts = [(stats["prefetch_count"], len(stats["pool"]["processes"])) for stats in (before, after)]
    assert (200, facts[0]) == (status, facts[1])


def test_rate_limit_that_is_none(plant: Plant) -> None:
    """The worker says what is wrong with it."""
    why = """'Invalid rate limit string: ValueError("could not convert string to float: 'fast'")'"""
    given = {"workername": MAIN, "ratelimit": "fast"}
    assert (403, f"Failed to set rate limit: {why}") == post(plant, "/api/task/rate-limit/work.add", **given)


def test_options_that_celery_does_not_know(plant: Plant) -> None:
    """The task is sent, runs, and its result comes."""
    body = {"args": [1, 2], "bogus": 1, "priority": "3", "queue": "", "ignore_result": 0, "argsrepr": "hidden"}
    status, answer = post(plant, "/api/task/apply/work.add", body)
    assert (200, 3, ["result", "state", "task-id"]) == (status, answer["result"], sorted(answer))


def test_apply_without_waiting(plant: Plant) -> None:
    """With a timeout of 0 the answer comes at once, and the task runs."""
    status, answer = post(plant, "/api/task/apply/work.sleep", {"args": [0.5], "timeout": 0})
    later = last(lambda: plant.desk.result(answer["task-id"])["state"], "SUCCESS", 10)
    assert (200, {"task-id", "state"}, "SUCCESS") == (status, answer.keys(), later)


def test_abort_of_a_task_that_nobody_saw(plant: Plant) -> None:
    """The mark is there when the task begins."""
    uuid = "aborted-before"
    status, _ = post(plant, f"/api/task/abort/{uuid}")
    marked = plant.desk.result(uuid)["state"]
    assert (200, "ABORTED") == (status, marked)


def test_shutdown_twice(plant: Plant) -> None:
    """A worker that has gone already is said to shut down."""
    late = plant.hire("late", "-c", "1", "-P", "solo", "-Q", "late")
    first = post(plant, f"/api/worker/shutdown/{late.host}")
    wait_for(lambda: not plant.desk.read("/api/workers", status=1)[late.host], 15, "it is offline")
    assert [(200, {"message": "Shutting down!"})] * 2 == [first, post(plant, f"/api/worker/shutdown/{late.host}")]
