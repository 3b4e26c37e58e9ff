"""Waiting for results, with a backend of the test's own."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from flower.control import NoBackend
from flower.control.waiting import Poller

DONE = {"status": "SUCCESS", "result": 3}


class Shelf:
    """Records that a test puts there; `read` tells how many threads look."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Any]] = {}
        self.threads: set[int] = set()
        self.broken = False
        self.turns = threading.Semaphore(0)

    def read(self, uuids: list[str]) -> dict[str, dict[str, Any]]:
        self.threads.add(threading.get_ident())
        self.turns.release()
        if self.broken:
            raise NoBackend("gone")
        return {uuid: self.records[uuid] for uuid in uuids if uuid in self.records}


def never(_uuid: str) -> bool:
    return False


async def looked(shelf: Shelf, times: int) -> None:
    """Return after so many more looks."""
    for _ in range(times):
        assert await asyncio.to_thread(shelf.turns.acquire, timeout=5)


async def test_one_thread_for_all() -> None:
    """A hundred waiters take one thread, and each gets its own record."""
    shelf = Shelf()
    poller = Poller(shelf, never)
    waiting = [asyncio.ensure_future(poller.wait(str(number), 30)) for number in range(100)]
    await looked(shelf, 2)
    shelf.records = {str(number): {**DONE, "result": number} for number in range(100)}
    assert list(range(100)) == [(await call or {})["result"] for call in waiting]
    assert 1 == len(shelf.threads)


async def test_unfinished_record() -> None:
    """A record of a running task is no end."""
    shelf = Shelf()
    shelf.records = {"a": {"status": "STARTED"}}
    assert None is await Poller(shelf, never).wait("a", 0.05)


async def test_broken_backend() -> None:
    """A backend that fails for a while is asked again."""
    shelf = Shelf()
    shelf.broken = True
    waiting = asyncio.ensure_future(Poller(shelf, never).wait("a", 30))
    await looked(shelf, 2)
    shelf.records, shelf.broken = {"a": DONE}, False
    assert DONE == await waiting


async def test_cancelled() -> None:
    """Who goes away is forgotten, and the thread with the last."""
    shelf = Shelf()
    poller = Poller(shelf, never)
    waiting = asyncio.ensure_future(poller.wait("a", 30))
    await looked(shelf, 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert 0 == poller.waiting


async def test_seen_end_without_record(monkeypatch: Any) -> None:
    """A task that was seen to end and stored no result is waited for no longer."""
    monkeypatch.setattr("flower.control.waiting.GRACE_SECONDS", 0.0)
    assert None is await Poller(Shelf(), lambda uuid: uuid == "a").wait("a", 30)


async def test_failing_store() -> None:
    """A store that cannot be read does not end the waiting."""

    def fail(_uuid: str) -> bool:
        raise RuntimeError("no store")

    shelf = Shelf()
    waiting = asyncio.ensure_future(Poller(shelf, fail).wait("a", 30))
    await looked(shelf, 2)
    shelf.records = {"a": DONE}
    assert DONE == await waiting
