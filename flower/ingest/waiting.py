"""What was read from Redis and not yet decoded: whole chunks of bytes, within a bound.

Reading must be faster than Redis writes, which cuts off a subscriber that lets 32 MB pile up; decoding follows
behind. Beyond the bound the oldest messages are dropped, and counted by worker. Belongs to the events thread.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from flower.ingest.decode import Decoder, Event, plain_body

LIMIT_BYTES = 512 * 1024 * 1024
FEED_BYTES = 16_384
"""Given to the parser at a time: it moves what it has left after each message."""
MESSAGES_A_BATCH = 400
"""A few milliseconds of work: readers of the state wait no longer, and the socket is emptied in between."""
SHED_BYTES = 4 * 1024 * 1024
"""Dropped at a time, some milliseconds of work, so that the socket is emptied in between."""
HOST = b'"hostname": "'
TYPE = b'"type": "'
"""With the spaces that Python's JSON has: within a text its quotes would be escaped."""
START = b'"type": "task-started"'


@dataclass(slots=True)
class Dropped:
    """Events of one worker that found no room, and how many of them told that a task started."""

    events: int = 0
    starts: int = 0


class Waiting:
    """Chunks of one connection after the other, and what is made of them."""

    def __init__(self, limit: int = LIMIT_BYTES) -> None:
        self.limit = limit
        self.size = 0
        """Bytes that wait."""
        self.dropped: dict[str, Dropped] = {}
        """By worker, since it was last taken."""
        self._chunks: deque[bytes | None] = deque()
        self._chunk = b""
        self._at = 0
        self._make_parser: Callable[[], Any] | None = None
        self._parser: Any = None

    def attach(self, make_parser: Callable[[], Any]) -> None:
        """Chunks from now on are of a new connection."""
        self._make_parser = make_parser
        if self._parser is None:
            self._parser = make_parser()
        else:
            self._chunks.append(None)

    def add(self, data: bytes) -> None:
        self._chunks.append(data)
        self.size += len(data)
        if self.size > self.limit:
            self._shed()

    def take(self, decoder: Decoder) -> list[Event]:
        """The next events, none when no whole message waits. Raises ConnectionError for an error of Redis."""
        events: list[Event] = []
        decode = decoder.envelope
        for _ in range(MESSAGES_A_BATCH):
            reply = self._next()
            if reply is False:
                break
            if isinstance(reply, Exception):
                raise ConnectionError(str(reply))
            # The others answer the subscription and the question for a sign of life.
            if isinstance(reply, list) and len(reply) == 4:
                decode(reply[3], events)
        return events

    def take_dropped(self) -> dict[str, Dropped]:
        """What was dropped since the last call."""
        dropped, self.dropped = self.dropped, {}
        return dropped

    def _next(self) -> Any:
        """The next whole reply, False when there is none yet."""
        while (reply := self._parser.gets()) is False and self._feed():
            pass
        return reply

    def _feed(self) -> bool:
        """Give the parser the next piece, if there is one."""
        if self._at >= len(self._chunk):
            if not self._chunks:
                return False
            chunk = self._chunks.popleft()
            if chunk is None:
                # What the connection before did not end never will.
                assert self._make_parser is not None
                self._parser = self._make_parser()
                return True
            self._chunk, self._at = chunk, 0
        length = min(FEED_BYTES, len(self._chunk) - self._at)
        self._parser.feed(self._chunk, self._at, length)
        self._at += length
        self.size -= length
        if self._at >= len(self._chunk):
            self._chunk, self._at = b"", 0
        return True

    def _shed(self) -> None:
        """Drop the oldest messages, more than there are too many."""
        enough = min(self.size, self.limit) - SHED_BYTES
        while self.size > enough:
            reply = self._next()
            if reply is False:
                return
            if isinstance(reply, list) and len(reply) == 4:
                worker, dropped = told_by(reply[3])
                sum_ = self.dropped.setdefault(worker, Dropped())
                sum_.events += dropped.events
                sum_.starts += dropped.starts


def told_by(payload: bytes) -> tuple[str, Dropped]:
    """Who sent an envelope of kombu's, and how many events it has; one of nobody where that cannot be seen."""
    try:
        body = plain_body(payload)
        found = payload.index(HOST, len(body) if body else 0) + len(HOST) - 1
        worker = orjson.loads(payload[found : payload.index(b'"', found + 1) + 1])
        told = a2b_base64(body) if body else b""
    except ValueError:
        return "", Dropped(1)
    return worker, Dropped(told.count(TYPE) or 1, told.count(START))
