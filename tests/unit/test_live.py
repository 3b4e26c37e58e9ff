"""The hub: one message for all, only when something changed, only while somebody listens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from flower.live import BACKLOG, END, HEARTBEAT, HEARTBEAT_SECONDS, STALE_SECONDS, Hub, condition
from flower.state import State
from flower.store import open_store
from tests import factories as make

UP = {"connected": True, "since": 100.0, "failure": None}


@pytest.fixture
def state() -> Iterator[State]:
    made = State(open_store())
    yield made
    made.stop()


@pytest.fixture
def hub(state: State) -> Hub:
    return Hub(state, lambda: dict(UP))


def told(message: bytes) -> dict[str, Any]:
    """The data of a server-sent event."""
    assert message.endswith(b"\n\n")
    line = next(line for line in message.split(b"\n") if line.startswith(b"data: "))
    return dict(json.loads(line[6:]))


def drain(queue: asyncio.Queue[bytes]) -> list[bytes]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


async def test_the_first_message_is_the_present_state(hub: Hub, state: State) -> None:
    """Who subscribes is told at once where things are."""
    hub.start()
    state.apply(make.success("u"), make.T0)
    message = told(hub.subscribe().get_nowait())
    assert (1, 1, make.T0) == (message["tasks"], message["new"], message["last_event_at"])


async def test_a_change_is_one_message_for_all(hub: Hub, state: State) -> None:
    """All listeners get the very same bytes, once."""
    hub.start()
    queues = [hub.subscribe() for _ in range(3)]
    hub.tick(0.0)
    for queue in queues:
        drain(queue)
    state.apply(make.success("u"), make.T0)
    state.flush()
    hub.tick(1.0)
    hub.tick(2.0)
    messages = [drain(queue) for queue in queues]
    assert ([1, 1, 1], 1) == ([len(each) for each in messages], len({id(each[0]) for each in messages}))


async def test_silence_is_broken_by_a_heartbeat(hub: Hub) -> None:
    """Without changes a comment keeps the connection, every 15 seconds."""
    hub.start()
    queue = hub.subscribe()
    hub.tick(0.0)
    drain(queue)
    hub.tick(HEARTBEAT_SECONDS - 1)
    hub.tick(HEARTBEAT_SECONDS)
    hub.tick(HEARTBEAT_SECONDS + 1)
    assert [HEARTBEAT] == drain(queue)


async def test_a_listener_that_does_not_read_is_dropped(hub: Hub, state: State) -> None:
    """A full queue is ended; the others go on."""
    hub.start()
    slow, quick = hub.subscribe(), hub.subscribe()
    for number in range(BACKLOG + 1):
        state.apply([make.heartbeat()])
        hub.tick(float(number))
        drain(quick)
    assert ([END], 1, 1) == (drain(slow), hub.listeners, hub.dropped)


async def test_nothing_is_computed_while_nobody_listens(hub: Hub) -> None:
    """The clock runs only between the first subscription and the last farewell."""
    hub.start()
    before = hub._timer
    queue = hub.subscribe()
    during = hub._timer is not None
    hub.unsubscribe(queue)
    assert (None, True, None) == (before, during, hub._timer)


async def test_stop_ends_every_stream(hub: Hub) -> None:
    """After stop each queue ends, also one that comes later."""
    hub.start()
    queue = hub.subscribe()
    hub.stop()
    assert ([END], [END], 0) == (drain(queue), drain(hub.subscribe()), hub.listeners)


async def test_facts_are_a_change(hub: Hub) -> None:
    """What a worker told when it was asked makes pages refresh."""
    before = hub.revisions()["facts"]
    hub.learned("w", "stats", {})
    assert before + 1 == hub.revisions()["facts"]


async def test_losses_are_a_change_by_magnitude(hub: Hub, state: State) -> None:
    """The first dropped event changes the notices, the fourth after the fifth does not."""
    told = []
    for count in (0, 1, 4, 5):
        state.totals["dropped"] = count
        told.append(hub.revisions()["notices"])
    assert (3, told[2]) == (len(set(told)), told[3])


@pytest.mark.parametrize(
    "connection, last_event_at, expected",
    [
        (UP, 995.0, ("live", 100.0, None)),
        (UP, None, ("quiet", 100.0, None)),
        (UP, 1000.0 - STALE_SECONDS - 1, ("stale", 1000.0 - STALE_SECONDS - 1, None)),
        ({**UP, "since": 999.0}, 10.0, ("live", 999.0, None)),
        ({"connected": False, "since": 50.0, "failure": "refused"}, 995.0, ("unreachable", 50.0, "refused")),
        ({"connected": False, "since": 50.0, "failure": None}, None, ("connecting", 50.0, None)),
    ],
)
def test_condition(connection: dict[str, Any], last_event_at: float | None, expected: tuple[Any, ...]) -> None:
    """The sign of every page: live, quiet, stale, unreachable or connecting, since when and why."""
    found = condition(connection, last_event_at, 1000.0)
    assert expected == (found["kind"], found["since"], found["reason"])
