"""Requests made from the API's description, to a server whose workers are real."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from flower.openapi import document
from tests.integration.plant import Plant, plant_of
from tests.services import Redis

EXAMPLES = 4
"""Requests for each route: each may take as long as a worker's answer."""
SECONDS = 20
MOST = 2
"""No number that is sent is larger: a worker would really grow by so many processes, or wait so long."""
SENT_ELSEWHERE = "^/api/(worker/shutdown|events)"
"""The worker is needed to the end, and the stream has none."""

# A copy: what is sent is changed on its way, and the examples belong to the document.
schema = schemathesis.openapi.from_dict(deepcopy(document()))


@pytest.fixture(scope="module")
def plant(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A server, one worker, and a task that it ran."""
    url = f"redis://127.0.0.1:{redis.port}"
    with plant_of(tmp_path_factory.mktemp("described"), f"{url}/12", f"{url}/13") as plant:
        plant.hire("main", "-c", "1", "-P", "prefork")
        yield plant


@pytest.fixture(scope="module")
def targets(plant: Plant) -> dict[str, str]:
    """What there is, by the name of the path's parameter."""
    ran = plant.desk.do("/api/task/apply/work.add", {"args": [1, 2], "timeout": 20})["task-id"]
    return {"workername": "main@test", "uuid": ran, "taskname": "work.add", "queue": "celery"}


def small(value: Any) -> Any:
    """The value, with a number in it that does no harm."""
    return MOST if isinstance(value, (int, float)) and not isinstance(value, bool) and value > MOST else value


@schema.exclude(path_regex=SENT_ELSEWHERE).parametrize()
@settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_real_worker(case: Any, plant: Plant, targets: dict[str, str]) -> None:
    """Whatever is sent about them, no worker and no broker makes the server fail."""
    for name in case.path_parameters:
        case.path_parameters[name] = targets[name]
    for arguments in (case.query, case.body):
        if isinstance(arguments, dict):
            arguments.update({name: small(value) for name, value in arguments.items()})
    answer = case.call(base_url=plant.desk.address, timeout=SECONDS, allow_redirects=False)
    assert answer.status_code != 500, answer.text


def test_worker_lives(plant: Plant) -> None:
    """After all that the worker still works."""
    assert 3 == plant.desk.do("/api/task/apply/work.add", {"args": [1, 2], "timeout": 20})["result"]
