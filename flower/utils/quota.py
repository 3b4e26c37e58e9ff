"""How many of a kind one user may hold at a time, so that one takes nothing from the others."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator


class QuotaError(Exception):
    """Too many are held already; the text says of what."""


class Quota:
    """What each user holds, by kind. Belongs to one thread."""

    def __init__(self) -> None:
        self._held: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def held(self, kind: str, who: str, most: int) -> Iterator[None]:
        """One more of the kind, until the block ends. Raises QuotaError."""
        key = (kind, who)
        if self._held[key] >= most:
            raise QuotaError(f"You have {most} {kind} open already: close one first")
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]
