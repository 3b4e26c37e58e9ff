"""Whether any task was written since: for who would find the same again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator


class Revision:
    """A number that the writer's thread changes before and after it writes tasks; any thread reads it."""

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._number = 0

    @property
    def number(self) -> int | None:
        """The same as before if no task was written; None while it cannot be told.

        That is in the middle of writing, and always where other processes write too.
        """
        number = self._number
        return None if self._shared or number % 2 else number

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Tasks are written within."""
        self._number += 1
        try:
            yield
        finally:
            self._number += 1
