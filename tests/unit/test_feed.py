"""The feed of events: numbers, what is kept, and when nothing is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from flower import feed as module
from flower.feed import Feed, FeedFullError
from flower.state import State
from flower.store import Task, open_store
from tests import factories as make


@pytest.fixture
def state() -> Iterator[State]:
    state = State(open_store())
    yield state
    state.stop()


def uuids(reading: module.Reading) -> list[str]:
    return [event["uuid"] for _, event in reading.events]


async def test_batches_are_read_from_any_number(state: State) -> None:
    """A reading begins after the asked number, within a batch too, and ends where it must."""
    feed = Feed(state)
    feed.join()
    state.apply([make.received(uuid) for uuid in "abc"])
    state.apply([make.received(uuid) for uuid in "de"])
    assert ["c", "d"] == uuids(feed.read(2, 2))
    assert ([(5, 0)], []) == ([(reading.upto, reading.missed) for reading in [feed.read(3, 9)]], feed.read(5, 9).events)


async def test_whole_batches_go(state: State) -> None:
    """The oldest batches go when too much is kept; the newest stays, however large."""
    feed = Feed(state, kept=3)
    feed.join()
    state.apply([make.received(uuid) for uuid in "abc"])
    state.apply([make.received(uuid) for uuid in "defg"])
    reading = feed.read(0, 99)
    assert (3, ["d", "e", "f", "g"]) == (reading.missed, uuids(reading))


async def test_numbers_go_on_while_nothing_is_kept(state: State) -> None:
    """What came before anybody listened has numbers too, so that it can be told as missed."""
    feed = Feed(state)
    state.apply(make.success("a"))
    listener = feed.join(feed.id_of(1))
    assert (2, []) == ((reading := feed.read(listener.after, 9)).missed, reading.events)


@pytest.mark.parametrize("last_id", ["", "x", "0-1", "{life}-99", "{life}-\u0665", "{life}-" + "1" * 5000])
async def test_ids_of_another_life(state: State, last_id: str) -> None:
    """An id that this process cannot have given is one from before a restart."""
    feed = Feed(state)
    assert feed.join(last_id.format(life=feed.life)).restarted


async def test_bound(state: State) -> None:
    """Nobody more than the bound may listen, until one leaves."""
    feed = Feed(state, listeners_most=1)
    first = feed.join()
    with pytest.raises(FeedFullError):
        feed.join()
    feed.leave(first)
    assert feed.join().open


async def test_rest(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some time after the last listener left nothing is kept any more."""
    monkeypatch.setattr(module, "LINGER_SECONDS", 0.0)
    feed = Feed(state)
    feed.leave(feed.join())
    await asyncio.sleep(0.01)
    assert state.tap is None


async def test_return_in_time(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes back within that time finds everything."""
    feed = Feed(state)
    feed.leave(feed.join())
    state.apply([make.received("a")])
    listener = feed.join(feed.id_of(0))
    assert ["a"] == uuids(feed.read(listener.after, 9))


async def test_stopped(state: State) -> None:
    """A feed that was stopped ends its streams, and new ones at once."""
    feed = Feed(state)
    listener = feed.join()
    feed.stop()
    assert (False, True, False, None) == (listener.open, listener.woken.is_set(), feed.join().open, state.tap)


def test_formatted_sees_the_whole_task() -> None:
    """format_task sees the event's facts as those of its task, and what it leaves alone stays as it came."""

    def shout(task: Task) -> Task:
        task.result = f"{task.name}: {task.result}"
        task.extra = {**task.extra, "note": "***"}
        return task

    event = make.succeeded("a") | {"result": 3, "note": "secret", "more": [1]}
    told = module.formatted(event, Task.of({"uuid": "a", "name": "tasks.add"}), shout)
    assert event | {"result": "tasks.add: 3", "note": "***"} == told
