"""The event stream of the pages: what has changed, pushed as it happens."""

from __future__ import annotations

import asyncio
import contextlib

from tornado.iostream import StreamClosedError

from flower.live import END
from flower.views import BaseHandler

PATIENCE_SECONDS = 30.0
"""How long a browser may take to accept one message before its connection is closed."""


STREAMS_MOST = 500
"""Open pages of one user, or of one address where nobody logs in."""


class StreamHandler(BaseHandler):
    """GET /stream: server-sent events until the browser goes or the server stops."""

    _queue: asyncio.Queue[bytes] | None = None

    def head(self) -> None:
        """The headers of a stream, which has no end to wait for."""
        self._announce()

    async def get(self) -> None:
        with self.site.quota.held("pages", self.who, STREAMS_MOST):
            await self._follow()

    async def _follow(self) -> None:
        self._announce()
        # Compressed, a message could wait for the next one to fill a block.
        self._transforms = []
        self._queue = self.cluster.hub.subscribe()
        with contextlib.suppress(StreamClosedError, asyncio.TimeoutError):
            while (message := await self._queue.get()) != END and self.still_in():
                self.write(message)
                await asyncio.wait_for(self.flush(), PATIENCE_SECONDS)
        self._leave()

    def on_connection_close(self) -> None:
        self._leave()

    def _announce(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        # nginx collects answers unless told otherwise.
        self.set_header("X-Accel-Buffering", "no")

    def _leave(self) -> None:
        queue, self._queue = self._queue, None
        if queue is not None:
            self.cluster.hub.unsubscribe(queue)
            if queue.empty():
                queue.put_nowait(END)
