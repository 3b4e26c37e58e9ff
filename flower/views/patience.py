"""Pages that do not wait for what takes long: it goes on, and who comes back for it gets it. On the loop's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

KEPT_SECONDS = 30.0
KEPT_MOST = 16


class Patience(Generic[T]):
    """Readings that took longer than the first who asked waited."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, asyncio.Future[T]] = {}

    async def read(self, key: Hashable, ask: Callable[[], Awaitable[T]], seconds: float | None) -> T | None:
        """What `ask` finds, or what is being found for that key; None when it takes longer than `seconds`."""
        reading = self._kept.pop(key, None) or asyncio.ensure_future(ask())
        await asyncio.wait([reading], timeout=seconds)
        if reading.done():
            return reading.result()
        while len(self._kept) >= KEPT_MOST:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = reading
        reading.add_done_callback(_seen)
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget, key, reading)
        return None

    def _forget(self, key: Hashable, reading: asyncio.Future[T]) -> None:
        if self._kept.get(key) is reading:
            del self._kept[key]


def _seen(reading: asyncio.Future[Any]) -> None:
    """An error is told to who comes back; if nobody does, it is of no use."""
    if not reading.cancelled():
        reading.exception()
