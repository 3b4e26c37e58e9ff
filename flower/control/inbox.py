"""Results that come as messages: the RPC backend sends each to the queue that its task named."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu import Connection, Exchange, Queue
from kombu.utils.uuid import uuid

Meta = dict[str, Any]

KEPT = 10_000
"""Results that are remembered; the broker forgets a message once it was read."""
CONNECT_SECONDS = 2.0


class Inbox:
    """One queue for all results of tasks that were sent here. Any thread; one at a time."""

    def __init__(self, capp: Celery) -> None:
        self._capp = capp
        self._lock = threading.Lock()
        self._metas: OrderedDict[str, Meta] = OrderedDict()
        self._connection: Connection | None = None
        self._queue: Any = None
        self.address = uuid()

    def open(self) -> None:
        """Make the queue, so that no result is lost. Raises what the transport raises."""
        with self._lock:
            self._open()

    def read(self, uuids: Sequence[str]) -> dict[str, Meta]:
        """The results that came, of these tasks."""
        with self._lock:
            try:
                self._fetch()
            except Exception:
                self._close()
                raise
            return {task: self._metas[task] for task in uuids if task in self._metas}

    def _open(self) -> Any:
        if self._queue is None:
            connection = self._connection = self._capp.connection_for_read(connect_timeout=CONNECT_SECONDS)
            connection.ensure_connection(max_retries=1, interval_start=0, interval_step=0, interval_max=0)
            expires = self._capp.conf.result_expires
            seconds = expires.total_seconds() if hasattr(expires, "total_seconds") else expires
            queue = Queue(self.address, Exchange(""), self.address, durable=False, expires=seconds or None)
            queue = queue(connection.default_channel)
            queue.queue_declare()
            self._queue = queue
        return self._queue

    def _fetch(self) -> None:
        queue = self._open()
        accept = self._capp.conf.result_accept_content or self._capp.conf.accept_content
        while (message := queue.get(no_ack=True, accept=accept)) is not None:
            meta = message.payload
            self._metas[meta["task_id"]] = meta
            self._metas.move_to_end(meta["task_id"])
        while len(self._metas) > KEPT:
            self._metas.popitem(last=False)

    def _close(self) -> None:
        connection, self._connection, self._queue = self._connection, None, None
        if connection is not None:
            connection.collect()
