"""/api/stats: what happened in a span of time."""

from __future__ import annotations

import time

import pytest

from tests import factories as make
from tests.api.conftest import Serve, Server


def busy(server: Server) -> Server:
    """Two tasks that succeeded, one that failed, one that was sent."""
    now = time.time()
    server.feed(
        make.success("a"),
        make.success("b", name="tasks.mul", host="celery@w2"),
        make.failure("c"),
        make.sent("d", name="tasks.mul"),
        now=now,
    )
    return server


def groups(server: Server, key: str, **arguments: str) -> dict[str, dict[str, int]]:
    return {group[key]: group["states"] for group in server.json("/api/stats", **arguments)["groups"]}


def test_by_name(server: Server) -> None:
    """Each name has the number of tasks that entered each state, the busiest first."""
    done = {"RECEIVED": 2, "STARTED": 2, "SUCCESS": 1, "FAILURE": 1}
    found = groups(busy(server), "name")
    assert {"tasks.add": done, "tasks.mul": {"RECEIVED": 1, "STARTED": 1, "SUCCESS": 1, "PENDING": 1}} == found
    assert ["tasks.add", "tasks.mul"] == list(found)


def test_by_worker(server: Server) -> None:
    """Each worker has its own."""
    found = groups(busy(server), "worker", by="worker", name="tasks.add")
    assert {"celery@w1": {"RECEIVED": 2, "STARTED": 2, "SUCCESS": 1, "FAILURE": 1}} == found


def test_by_state(server: Server) -> None:
    """By state there is one number a state."""
    answer = busy(server).json("/api/stats", by="state")
    assert {"RECEIVED": 3, "STARTED": 3, "SUCCESS": 2, "FAILURE": 1, "PENDING": 1} == {
        group["state"]: group["count"] for group in answer["groups"]
    }


def test_figures(server: Server) -> None:
    """Percentiles, averages and the share of failures are told."""
    total = busy(server).json("/api/stats", name="tasks.mul")["total"]
    half, second = pytest.approx(0.5, rel=0.02), pytest.approx(1.0, rel=0.02)
    assert {"count": 1, "mean": half, "p50": half, "p95": half, "p99": half} == total["runtime"]
    assert (1, second, 0.0) == (total["waiting"]["count"], total["waiting"]["p50"], total["failure_share"])


def test_rates(server: Server) -> None:
    """Rates are a second of the time since something could be counted."""
    answer = busy(server).json("/api/stats", window="24h")
    covered = max(1.0, answer["to"] - answer["since"])
    assert pytest.approx(2 / covered) == answer["total"]["rates"]["SUCCESS"]


def test_series(server: Server) -> None:
    """With a step there is a series over the window."""
    answer = busy(server).json("/api/stats", window="1h", step="5m")
    assert 12 <= len(answer["series"]) <= 14
    assert 2 == sum(point["states"].get("SUCCESS", 0) for point in answer["series"])


def test_no_series(server: Server) -> None:
    """Without a step there is none."""
    assert server.json("/api/stats")["series"] is None


def test_nothing_yet(server: Server) -> None:
    """A server that saw nothing has no numbers, and says that it has not counted."""
    answer = server.json("/api/stats")
    assert ([], {}, None, None) == (
        answer["groups"],
        answer["total"]["states"],
        answer["since"],
        answer["total"]["runtime"]["p50"],
    )


def test_span(server: Server) -> None:
    """From and to leave out what was before and after."""
    busy(server)
    assert {} == groups(server, "name", to=str(time.time() - 3600))
    assert 2 == len(groups(server, "name", **{"from": str(time.time() - 60)}))


@pytest.mark.parametrize(
    "arguments, named",
    [
        ({"window": "soon"}, "window"),
        ({"window": "0"}, "window"),
        ({"window": "31d"}, "window"),
        ({"window": "1h", "from": "2026-11-21"}, "window"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2999-01-01"}, "from"),
        ({"from": "2020-01-01"}, "from"),
        ({"to": "1e300"}, "to"),
        ({"to": "-5"}, "to"),
        ({"step": "7"}, "step"),
        ({"step": "x"}, "step"),
        ({"step": "1m", "window": "30d"}, "step"),
        ({"by": "queue"}, "by"),
    ],
)
def test_wrong_arguments(server: Server, arguments: dict[str, str], named: str) -> None:
    """A wrong argument is a 400 that names it."""
    answer = server.get("/api/stats", **arguments)
    told = answer.json()
    assert (400, f"Invalid {named}", named) == (answer.status_code, told["error"][: len(named) + 8], told["argument"])


@pytest.mark.parametrize("window", ["5m", "1h", "24h", "7d", "2w", "300"])
def test_windows(server: Server, window: str) -> None:
    """Windows are durations, up to what is kept."""
    assert 200 == server.get("/api/stats", window=window).status_code


def test_needs_the_right_to_see(serve: Serve) -> None:
    """The statistics are behind the gate."""
    assert 401 == serve(open_api=False).get("/api/stats").status_code
