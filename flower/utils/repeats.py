"""Answers that are given again while nothing changed: who asks faster than tasks change costs next to nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

KEPT_SECONDS = 1.0
"""Numbers of many tasks may be those of a moment ago, and are not to grow older here."""
MOST = 16
LARGEST = 131_072
"""Bytes from which an answer is not kept."""

Answer = tuple[bytes, bool]
"""A body, and whether it is compressed."""


@dataclass(frozen=True, slots=True)
class _Kept:
    revision: int
    until: float
    answer: asyncio.Future[Answer]


class Repeats:
    """The last answers by what was asked. Belongs to the web loop."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, _Kept] = {}

    async def answer(self, key: Hashable, revision: int | None, make: Callable[[], Awaitable[Answer]]) -> Answer:
        """What `make` returns, or what it returned, or is about to, to somebody who asked at the same `revision`.

        So it is as if it were made now: what was begun at a revision has seen all that was written before it.
        """
        if revision is None:
            return await make()
        now = time.monotonic()
        kept = self._kept.get(key)
        if kept is None or kept.revision != revision or kept.until < now:
            kept = _Kept(revision, now + KEPT_SECONDS, asyncio.ensure_future(make()))
            if len(self._kept) >= MOST:
                self._kept.clear()
            self._kept[key] = kept
        try:
            answer = await asyncio.shield(kept.answer)
        except Exception:
            self._forget(key, kept)
            raise
        if len(answer[0]) >= LARGEST:
            self._forget(key, kept)
        return answer

    def _forget(self, key: Hashable, kept: _Kept) -> None:
        if self._kept.get(key) is kept:
            del self._kept[key]
