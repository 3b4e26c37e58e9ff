"""`/api/events`: every event as it comes, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import re

from tornado.iostream import StreamClosedError

from flower.api import BaseApiHandler
from flower.feed import Event, Listener, Pick, formatted, is_task_event, task_of, uuid_of
from flower.store import StoreError, Task
from flower.utils.arguments import ArgumentError
from flower.utils.json import dumps
from flower.utils.search import parse_query

EVENTS_AT_ONCE = 500
"""Events looked at in one go: what a search needs for them keeps a thread busy for some milliseconds."""
BYTES_AT_ONCE = 262_144
"""A client has to take one message before it gets the next: what it does not take is not held for it."""
PACE_SECONDS = 0.1
"""Between two messages, which collect what came meanwhile."""
HEARTBEAT_SECONDS = 15.0
PATIENCE_SECONDS = 30.0
"""How long a client may take to accept one message before its connection is closed."""

STREAMS_MOST = 20
"""Streams of one user, or of one address where nobody logs in: fewer than there are for all."""

OPENING = b"retry: 2000\n\n"


class StreamEvents(BaseApiHandler):
    """GET /api/events"""

    permission = "view"
    in_flower_2 = False
    _listener: Listener | None = None

    def head(self) -> None:
        """The headers of a stream, which has no end to wait for."""
        self._announce()

    async def get(self) -> None:
        """Events from now on, or from where `last_id` or the header Last-Event-ID says, until the client goes."""
        with self.site.quota.held("event streams", self.who, STREAMS_MOST):
            await self._follow(self._pick())

    async def _follow(self, pick: Pick) -> None:
        listener = self._listener = self.cluster.feed.join(self._last_id())
        self._announce()
        # Compressed, an event could wait for the next one to fill a block.
        self._transforms = []
        try:
            with contextlib.suppress(StreamClosedError, asyncio.TimeoutError, StoreError):
                await self._send(OPENING)
                while listener.open and self.still_in():
                    await self._tell(listener, pick)
        finally:
            self.cluster.feed.leave(listener)

    def on_connection_close(self) -> None:
        if self._listener is not None:
            self.cluster.feed.leave(self._listener)

    def _announce(self) -> None:
        self.set_header("Content-Type", "text/event-stream; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")
        # nginx collects answers unless told otherwise.
        self.set_header("X-Accel-Buffering", "no")

    # -- what is asked for

    def _pick(self) -> Pick:
        search = self.get_argument("search") or None
        return Pick(
            types=self._types(),
            task=self.get_argument("task") or None,
            worker=self.get_argument("worker") or None,
            search=None if search is None else parse_query(search),
        )

    def _types(self) -> tuple[str, ...]:
        given = [part.strip() for part in (self.get_argument("type") or "").split(",")]
        types = tuple(part for part in given if part)
        for type_ in types:
            if not re.fullmatch(r"(task|worker)-[^*]*\*?", type_):
                raise ArgumentError(
                    f"Invalid type {type_!r}, expected types of events such as task-failed, worker-* or task-succe*",
                    "type",
                )
        return types

    def _last_id(self) -> str | None:
        given: str | None = self.get_argument("last_id")
        if given and not re.fullmatch(r"[0-9a-f]{1,16}-[0-9]{1,18}", given):
            raise ArgumentError(f"Invalid last_id {given!r}, expected the id of an event", "last_id")
        # A browser that comes back sends the header beside the address that it was first given.
        return self.request.headers.get("Last-Event-ID") or given or None

    # -- telling

    async def _tell(self, listener: Listener, pick: Pick) -> None:
        """Send what is new, or wait for it."""
        listener.woken.clear()
        message, all_told = await self.run(self._message, listener, pick)
        if message:
            await self._send(message)
        if not all_told:
            return
        try:
            await asyncio.wait_for(listener.woken.wait(), HEARTBEAT_SECONDS)
        except asyncio.TimeoutError:
            # The id lets a client with few events of its own go on from here.
            await self._send(f"id: {self.cluster.feed.id_of(listener.after)}\n: still here\n\n".encode())
        else:
            await asyncio.sleep(PACE_SECONDS if listener.open else 0)

    async def _send(self, message: bytes) -> None:
        self.write(message)
        await asyncio.wait_for(self.flush(), PATIENCE_SECONDS)

    def _message(self, listener: Listener, pick: Pick) -> tuple[bytes, bool]:
        """What is new, as text, and whether that is all; in a thread."""
        feed = self.cluster.feed
        reading = feed.read(listener.after, EVENTS_AT_ONCE)
        parts = []
        if listener.restarted:
            parts.append(_missed(feed.id_of(listener.after), None, "The server was restarted since this event"))
        elif reading.missed:
            gone = feed.id_of(listener.after + reading.missed)
            parts.append(_missed(gone, reading.missed, "These events are no longer kept"))
        tasks: dict[str, Task] = {}

        def look(event: Event) -> Task:
            uuid = uuid_of(event)
            if uuid not in tasks:
                tasks[uuid] = task_of(self.cluster.state, event)
            return tasks[uuid]

        listener.after, listener.restarted = reading.upto, False
        size = 0
        for number, event in reading.events:
            if pick.wants(event, lambda event: self.site.shown.redacted(look(event))):
                hidden = bool(self.site.shown) and is_task_event(event)
                shown = formatted(event, look(event), self.format_task) if hidden else event
                parts.append(b"id: %b\ndata: %b\n\n" % (feed.id_of(number).encode(), dumps(shown)))
                size += len(parts[-1])
            if size > BYTES_AT_ONCE:
                listener.after = number
                return b"".join(parts), False
        return b"".join(parts), len(reading.events) < EVENTS_AT_ONCE


def _missed(id_: str, count: int | None, reason: str) -> bytes:
    return b"id: %b\nevent: missed\ndata: %b\n\n" % (id_.encode(), dumps({"count": count, "reason": reason}))
