"""Whether a store can be used at the moment."""

from __future__ import annotations

import logging
from datetime import datetime

from flower.store.engine import Span

logger = logging.getLogger(__name__)


class Condition:
    """`failing_since` (seconds since the epoch) and `failure` are None while it can be written.

    Written by the saver's thread, read by all.
    """

    def __init__(self) -> None:
        self.failing_since: float | None = None
        self.failure: str | None = None
        self.interrupted: Span | None = None
        """When nobody wrote it, after a process that was not ended in order."""

    def interrupt(self, span: Span | None) -> None:
        """Say so once."""
        if span is not None and self.interrupted is None:
            since, until = (datetime.fromtimestamp(at).astimezone().isoformat(" ", "seconds") for at in span)
            logger.warning("The server was not ended in order: nothing was heard from %s to %s", since, until)
            self.interrupted = span

    def fail(self, error: Exception, now: float) -> None:
        """It cannot be opened or written, since `now` unless it is known for longer."""
        if self.failing_since is None:
            logger.error("The store cannot be written (%s); events are kept in memory meanwhile", error)
            self.failing_since = now
        self.failure = str(error)

    def recover(self) -> None:
        """It was written."""
        if self.failing_since is not None:
            logger.info("The store can be written again")
            self.failing_since = self.failure = None
