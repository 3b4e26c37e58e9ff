"""`/api/queues/history`, `/broker` and `/queue/...`, over HTTP."""

from __future__ import annotations

import time
from typing import Any

import pytest

from flower.store.depths import Depth
from tests.api.conftest import Serve, Server


def sample(server: Server, *samples: tuple[float, Depth]) -> float:
    """Let queues have been so deep, so many seconds ago; returns the start of the present step of ten seconds."""
    now = time.time() // 10 * 10
    for ago, depth in samples:
        server.app.cluster.store.depths.add(now - ago, [depth])
    assert server.app.cluster.state.flush()
    return now


def test_history(server: Server) -> None:
    """Each step has its numbers, and null where nothing is known."""
    now = sample(server, (30, ("mail", 3, None, 1)), (10, ("mail", 5, None, 0)), (10, ("video", 1, 1, 1)))
    answer = server.json("/api/queues/history", queue="mail", window="1m")
    places = {at: place for place, at in enumerate(answer["at"])}
    (depths,) = answer["queues"]
    told = {at: (depths["ready"][places[at]], depths["consumers"][places[at]]) for at in (now - 30, now - 20, now - 10)}
    assert ("mail", 10, {now - 30: (3, 1), now - 20: (None, None), now - 10: (5, 0)}) == (
        depths["queue"],
        answer["step"],
        told,
    )
    assert {len(answer["at"])} == {len(depths[name]) for name in ("ready", "unacked", "consumers")}


def test_history_of_all(server: Server) -> None:
    """Without a name all queues are told."""
    sample(server, (10, ("mail", 3, None, 1)), (10, ("video", 1, 1, 1)))
    assert ["mail", "video"] == [each["queue"] for each in server.json("/api/queues/history")["queues"]]


def test_history_of_an_unknown_queue(server: Server) -> None:
    """A queue that was never sampled has no history."""
    assert [] == server.json("/api/queues/history", queue="nope")["queues"]


def test_history_in_steps(server: Server) -> None:
    """A longer step tells the worst in it."""
    sample(server, (20, ("mail", 9, None, 3)), (10, ("mail", 5, None, 1)))
    (depths,) = server.json("/api/queues/history", queue="mail", window="1h", step="30m")["queues"]
    assert (9, 1) == (
        max(ready for ready in depths["ready"] if ready is not None),
        min(number for number in depths["consumers"] if number is not None),
    )


@pytest.mark.parametrize(
    "arguments, argument",
    [
        ({"window": "soon"}, "window"),
        ({"window": "31d"}, "window"),
        ({"window": "0"}, "window"),
        ({"step": "15"}, "step"),
        ({"step": "-1"}, "step"),
        ({"window": "24h", "step": "10"}, "step"),
        ({"window": "7d", "step": "1m", "queue": "mail"}, "step"),
    ],
)
def test_refused_history(server: Server, arguments: dict[str, Any], argument: str) -> None:
    """What cannot be answered is refused, and the argument named."""
    answer = server.get("/api/queues/history", **arguments)
    assert (400, argument) == (answer.status_code, answer.json()["argument"])


def test_closed_history(serve: Serve) -> None:
    """The API's rules hold for it."""
    assert 401 == serve(open_api=False).get("/api/queues/history").status_code
