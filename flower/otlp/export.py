"""Sends the metrics from a thread of its own, so that nobody waits for a collector."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from flower.utils.families import Family

logger = logging.getLogger(__name__)


class ExportError(Exception):
    """Metrics cannot be exported."""


class Sender(Protocol):
    """Who knows the collector."""

    seconds: float
    """The time from one sending to the next."""

    def send(self, families: Sequence[Family]) -> None:
        """Send all of them; may take long. Raises ExportError."""

    def close(self) -> None:
        """Let `send` return soon. Any thread."""


def open_sender(url: str, instance: str, labels: Mapping[str, str]) -> Sender | None:
    """The sender to an OTLP/HTTP collector, for which OpenTelemetry's own variables hold; None when they forbid it.

    `instance` tells this server from others, `labels` are added to those of every metric. Raises ExportError.
    """
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        logger.warning("No metrics are exported: OTEL_SDK_DISABLED is true")
        return None
    try:
        from flower.otlp.sdk import HttpSender
    except ImportError as error:
        raise ExportError(f"needs OpenTelemetry's packages: pip install 'flower[otel]' ({error})") from None
    return HttpSender(url, instance, labels)


class Export(threading.Thread):
    """Sends what `collect` gives, at once and then at every interval of its sender.

    `failing_since` (seconds since the epoch) and `failure` are None while it arrives. The log tells the first failure
    and the end of it.
    """

    def __init__(self, collect: Callable[[], Sequence[Family]], sender: Sender) -> None:
        super().__init__(name="flower-otlp", daemon=True)
        self._collect = collect
        self._sender = sender
        self._ending = threading.Event()
        self.failing_since: float | None = None
        self.failure: str | None = None

    def run(self) -> None:
        """Until `stop`."""
        while not self._ending.is_set():
            self._export()
            self._ending.wait(self._sender.seconds)

    def stop(self) -> None:
        """End soon, without waiting for it."""
        self._ending.set()
        self._sender.close()

    def _export(self) -> None:
        try:
            self._sender.send(self._collect())
        except Exception as error:  # noqa: BLE001 the thread must not die, and whatever went wrong is told
            self._failed(str(error) if isinstance(error, ExportError) else f"{type(error).__name__}: {error}")
        else:
            if self.failing_since is not None:
                logger.info("Metrics can be exported again")
            self.failing_since = self.failure = None

    def _failed(self, reason: str) -> None:
        if self._ending.is_set():
            return
        self.failure = reason
        if self.failing_since is None:
            self.failing_since = time.time()
            logger.warning("Metrics cannot be exported: %s", reason)
