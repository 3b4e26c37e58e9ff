"""Results from every kind of backend, and the end of a server for which many wait."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from flower.control import (
    StillRunning,
    TaskFailed,
    UnknownTarget,
    get_task_result,
    task_apply,
    task_async_apply,
    task_revoke,
    worker_pool_grow,
)
from tests.integration.plant import Plant, plant_of
from tests.integration.work import app as work
from tests.services import RabbitMQ, Redis, wait_for


@pytest.fixture(params=["database", "filesystem", "rpc"])
def plant(request: pytest.FixtureRequest, redis: Redis, rabbitmq: RabbitMQ, tmp_path: Path) -> Iterator[Plant]:
    """A server and a worker with one of the backends."""
    (tmp_path / "results").mkdir()
    backend = {
        "database": f"db+sqlite:///{tmp_path}/results.db",
        "filesystem": f"file://{tmp_path}/results",
        "rpc": "rpc://",
    }[request.param]
    broker = rabbitmq.url if request.param == "rpc" else f"redis://127.0.0.1:{redis.port}/6"
    with plant_of(tmp_path, broker, backend) as plant:
        plant.hire("main", "-c", "1")
        yield plant


def test_result(plant: Plant) -> None:
    """The result of a task is read, waited for, and told apart from that of an unknown one."""
    done = plant.desk.do("/api/task/apply/work.echo", {"args": ["ü", 1], "timeout": 15})
    failed = plant.desk.do("/api/task/apply/work.fail", {"args": ["boom"], "timeout": 15})
    again = plant.desk.result(done["task-id"])
    unknown = plant.desk.result("nobodys")
    assert [{"args": ["ü", 1], "kwargs": {}}] * 2 == [done["result"], again["result"]]
    assert ("ValueError('boom')", True, False) == (
        failed["result"],
        "in fail" in failed["traceback"],
        failed["success"],
    )
    assert [(True, True), (False, False)] == [(found["stored"], found["known"]) for found in (again, unknown)]
    assert again["date_done"] is not None


@pytest.fixture
def bare(redis: Redis, tmp_path: Path) -> Iterator[Plant]:
    """A server that has no result backend."""
    with plant_of(
        tmp_path, f"redis://127.0.0.1:{redis.port}/7", f"redis://127.0.0.1:{redis.port}/8", server_backend=None
    ) as plant:
        plant.hire("main", "-c", "1", "-Q", "celery")
        yield plant


def test_no_backend(bare: Plant) -> None:
    """Without a backend results are a 503, and `apply` tells what the events told."""
    answers = [
        bare.desk.ask("/api/task/result/x").status_code,
        bare.desk.post("/api/task/abort/x")[0],
        bare.desk.do("/api/task/apply/work.add", {"args": [1, 2], "timeout": 15})["result"],
    ]
    assert [503, 503, 3] == answers


def test_end_while_many_wait(redis: Redis, tmp_path: Path) -> None:
    """The server ends in time though a hundred wait for results that never come."""
    url = f"redis://127.0.0.1:{redis.port}"
    with plant_of(tmp_path, f"{url}/14", f"{url}/15") as plant, ThreadPoolExecutor(100) as threads:
        plant.hire("main", "-c", "1", "-Q", "other")
        body = {"args": [1, 2], "timeout": 300}
        waiting = [threads.submit(_abandoned, plant, body) for _ in range(100)]
        wait_for(lambda: plant.waiting("celery") == 100, 20, "all are sent")
        code = plant.desk.end(signal.SIGTERM, 10)
        assert (0, {"abandoned"}) == (code, {call.result() for call in waiting})


def _abandoned(plant: Plant, body: dict[str, object]) -> str:
    try:
        requests.post(f"{plant.desk.address}/api/task/apply/work.add", json=body, timeout=60)
    except requests.ConnectionError:
        return "abandoned"
    return "answered"


@pytest.fixture
def shop(redis: Redis, tmp_path: Path) -> Iterator[Plant]:
    """A worker, commanded from Python."""
    url = f"redis://127.0.0.1:{redis.port}"
    with plant_of(tmp_path, f"{url}/11", f"{url}/12") as plant:
        work.conf.update(broker_url=f"{url}/11", result_backend=f"{url}/12", broker_connection_timeout=2)
        plant.hire("main", "-c", "2", "-Q", "celery")
        yield plant
        work.close()


async def test_functions(shop: Plant) -> None:
    """The functions do for a program with a Celery app what the API does."""
    result = await task_apply("work.add", args=[1, 2], app=work)
    sent = await task_async_apply("work.echo", args=["data"], kwargs={"priority": 5}, app=work)
    later = await get_task_result(sent["task-id"], timeout=10, app=work)
    quiet = await task_apply("work.quiet", app=work)
    grown = await worker_pool_grow("main@test", app=work)
    assert [3, {"args": ["data"], "kwargs": {"priority": 5}}, None, "pool will grow"] == [
        result["result"],
        later["result"],
        quiet["result"],
        grown["reply"],
    ]


async def test_failing_functions(shop: Plant) -> None:
    """What goes wrong is an exception whose text tells it."""
    with pytest.raises(TaskFailed, match="boom"):
        await task_apply("work.fail", args=["boom"], app=work)
    with pytest.raises(StillRunning, match="Timeout") as slow:
        await task_apply("work.sleep", args=[30], timeout=0.3, app=work)
    with pytest.raises(UnknownTarget, match="not registered"):
        await task_apply("no.such", app=work)
    began = time.time()
    revoked = await task_revoke(slow.value.facts["task-id"], terminate=True, app=work)
    assert (["main@test"], True) == (list(revoked["workers"]), began > 0)
