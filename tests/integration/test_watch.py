"""What the server says of a real cluster's work, over Redis and over RabbitMQ."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tests.integration.conftest import Scene
from tests.services import last

EXPECTED = {
    "add": "SUCCESS",
    "chain": "SUCCESS",
    "fail": "FAILURE",
    "flaky": "SUCCESS",
    "parent": "SUCCESS",
    "progress": "SUCCESS",
    "revoked": "REVOKED",
    "wait": "SUCCESS",
}


def test_final_states(scene: Scene) -> None:
    """Every task is seen, and in the state in which it ended."""
    states = scene.server.states()
    assert EXPECTED == {
        kind: "/".join(sorted({states.get(uuid, "unseen") for uuid in scene.ids[kind]})) for kind in EXPECTED
    }


def test_arguments_and_failure(scene: Scene) -> None:
    """A failed task tells its arguments, its exception and its traceback, in any script."""
    info = scene.infos("fail")[0]
    assert (["reason 0 ü 失敗 <b>"], "ValueError('reason 0 ü 失敗 <b>')", True) == (
        info["args"],
        info["exception"],
        "in fail" in info["traceback"],
    )


def test_retries_are_kept(scene: Scene) -> None:
    """Each attempt of a retried task is kept, though the task has succeeded."""
    info = scene.infos("flaky")[0]
    assert ("SUCCESS", 2) == (info["state"], info["retries"])
    assert {"received": 2, "started": 2, "retried": 2} == Counter(attempt["moment"] for attempt in info["attempts"])


def test_retried_task_is_not_its_own_parent(scene: Scene) -> None:
    """A retry is the same task, not a child."""
    assert ([None] * 20, [[]] * 20) == (
        [info["parent_id"] for info in scene.infos("flaky")],
        [info["children"] for info in scene.infos("flaky")],
    )


def test_custom_events(scene: Scene) -> None:
    """The fields of a custom task event are kept with the task."""
    assert [{"current": 3, "total": 3}] * 5 == [info["extra"] for info in scene.infos("progress")]


def test_chain(scene: Scene) -> None:
    """The second task of a chain has the first as its parent and root."""
    first, second = scene.infos("chain")
    assert (first["uuid"], first["uuid"], [second["uuid"]]) == (
        second["root_id"],
        second["parent_id"],
        first["children"],
    )


def test_children(scene: Scene) -> None:
    """A task that sent tasks knows its children."""
    assert [2] * 5 == [len(info["children"]) for info in scene.infos("parent")]


def test_worker_without_events_is_asked_for_them(scene: Scene) -> None:
    """The tasks of a worker that was started without -E are seen."""
    assert {"slow@test"} == {info["hostname"] for info in scene.infos("wait")}


def test_workers_are_inspected_when_they_appear(scene: Scene) -> None:
    """Both workers are known with their tasks and queues without anybody having asked."""

    def known() -> dict[str, object]:
        return {
            name: [facts["freshness"]["error"], *(queue["name"] for queue in facts["active_queues"] or ())]
            for name, facts in scene.server.read("/api/workers").items()
            if "tests.add" in (facts["registered"] or ())
        }

    expected: dict[str, object] = {"fast@test": [None, "fast"], "slow@test": [None, "slow"]}
    assert expected == last(known, expected, 10)


def test_queue_lengths(scene: Scene) -> None:
    """Each queue has its length: the empty ones, and the one that no worker consumes."""

    def lengths() -> dict[str, int]:
        found = scene.server.read("/api/queues/length")
        return {name: found.get(name) for name in ("fast", "slow", "nobodys")}

    # RabbitMQ's statistics are up to five seconds old.
    expected = {"fast": 0, "slow": 0, "nobodys": 3}
    assert expected == last(lengths, expected, 10)


@pytest.mark.parametrize(
    ("type_", "task", "count"),
    [("task-failed", "tests.fail", 40), ("task-retried", "tests.flaky", 40), ("task-succeeded", "tests.wait", 20)],
)
def test_metrics_count_every_event(scene: Scene, type_: str, task: str, count: int) -> None:
    """`/metrics` has counted each event of the cluster once."""
    lines = [line for line in scene.server.ask("/metrics").text.splitlines() if line.startswith("flower_events_total{")]
    matching = [line for line in lines if f'task="{task}"' in line and f'type="{type_}"' in line]
    assert count == sum(float(re.split(r"\s", line)[1]) for line in matching)


def test_search(scene: Scene) -> None:
    """The search language finds tasks by what failed."""
    assert set(scene.ids["fail"]) == set(scene.server.tasks(search='state:FAILURE exception:"失敗"'))
