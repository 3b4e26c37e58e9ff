"""Whether the process that used a file last was ended in order: each notes every second that it lives."""

from __future__ import annotations

import time

from flower.store.engine import Span, Writer

EVERY_SECONDS = 1.0
_NOTED = "SELECT number FROM counts WHERE name = 'alive'"
_NOTE = "INSERT INTO counts VALUES ('alive', ?) ON CONFLICT (name) DO UPDATE SET number = excluded.number"
_FORGET = "DELETE FROM counts WHERE name = 'alive'"


class Life:
    """The life of this process. In the writer's thread, and where the store is opened and closed."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._noted_at: float | None = None
        """By the monotonic clock; None until it was noted: who only looks into a file leaves no trace."""

    def before(self) -> Span | None:
        """From when until now nobody used the file, if who did before was killed."""
        noted = self._writer.execute(_NOTED).fetchone()
        now = time.time()
        return None if noted is None else (min(noted[0] / 1000, now), now)

    def attend(self) -> None:
        """Note that it lives, if that is due. Raises the writer's failures."""
        now = time.monotonic()
        if self._noted_at is None or now - self._noted_at >= EVERY_SECONDS:
            self._writer.execute(_NOTE, (int(time.time() * 1000),))
            self._noted_at = now

    def end(self) -> None:
        """It is ended in order. Raises the writer's failures."""
        if self._noted_at is not None:
            self._writer.execute(_FORGET)
            self._noted_at = None
