"""Answers about a whole list, kept for a moment: everybody who pages through it asks for them again."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import replace
from typing import Generic, TypeVar

from flower.store.query import TaskQuery

T = TypeVar("T")

KEPT = 32
KEPT_SECONDS = 2.0
KEPT_FOLD = 20.0
"""Numbers are kept so many times as long as they took: counting never takes more than a twentieth of a core."""


def filters_of(query: TaskQuery) -> TaskQuery:
    """The filters alone, without order and page."""
    plain = TaskQuery()
    return replace(query, sort_by=plain.sort_by, descending=plain.descending, limit=plain.limit, offset=plain.offset)


class Kept(Generic[T]):
    """The last answers, for all who look at the same tasks, whatever their order and page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[TaskQuery, tuple[float, T]] = OrderedDict()

    def get(self, query: TaskQuery) -> T | None:
        """The answer if it was found just now."""
        with self._lock:
            until, answer = self._kept.get(filters_of(query), (0.0, None))
        return answer if time.monotonic() < until else None

    def put(self, query: TaskQuery, answer: T, cost: float) -> None:
        """Keep what took `cost` seconds to find."""
        with self._lock:
            key = filters_of(query)
            self._kept[key] = (time.monotonic() + max(KEPT_SECONDS, KEPT_FOLD * cost), answer)
            self._kept.move_to_end(key)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
