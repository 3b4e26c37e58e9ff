"""Events straight from a Redis subscription.

kombu makes the connection (any URL form, TLS, ACL user, Sentinel, socket) and names the topic; the bytes
are then read here, because a kombu message costs ten times what decoding the event does. A process of its own
(`flower.ingest.pump`) empties the socket: Redis cuts off a subscriber that lets 32 MB pile up. It is put between when
the connection stands, and TLS is spoken through it: nothing changes in who is trusted.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import deque
from typing import Any

import hiredis
from celery import Celery
from kombu import Connection

from flower.ingest import pump
from flower.ingest.decode import Decoder, Event

READ_BYTES = 262_144
FEED_BYTES = 8_192
"""Given to the parser at once: after each message it moves all that it has left."""
PUMPED_BYTES, BACKLOG_BYTES = 1024 * 1024, 32 * 1024 * 1024
"""Held here at most, with and without a pump; the rest waits in the pump, or in Redis."""
MESSAGES_A_BATCH = 400
"""A few milliseconds of work: readers of the state wait no longer, and the socket is emptied in between."""
PING_AFTER_SECONDS, ANSWER_SECONDS = 10.0, 5.0
"""After so long a silence Redis is asked for a sign of life, and for which it may owe one."""
PUMP_ENDS_SECONDS = 1.0
"""Between what it handed on last and its end."""
SELECTOR: type[selectors.BaseSelector] = getattr(selectors, "PollSelector", selectors.SelectSelector)
"""select(2) takes no descriptor above 1023, and each page that is open has one; poll(2) needs none of its own."""


class RedisReceiver:
    """One subscription to the events of all workers. Belongs to the events thread."""

    def __init__(self, capp: Celery, connection: Connection, decoder: Decoder, backlog: int = 0) -> None:
        self._decoder = decoder
        channel = connection.default_channel
        self._pool = channel.client.connection_pool
        self._connection = self._pool.get_connection()
        self._connection.connect()
        self._connection.send_command("PSUBSCRIBE", *topics(channel, capp.conf.event_exchange))
        self._socket: socket.socket = self._connection._sock
        self._pump: subprocess.Popen[bytes] | None = None
        pumps = backlog > 0 and os.name == "posix"
        if pumps:
            self._put_pump_between(backlog)
        self._most = PUMPED_BYTES if pumps else BACKLOG_BYTES
        self._socket.setblocking(False)
        self._reader = hiredis.Reader()
        self._backlog: deque[bytes] = deque()
        self._backlog_size = 0
        self._fed = 0
        """Bytes of the first in the backlog that the parser has."""
        self._ended = False
        """Whether all that there was has been read."""
        self._heard = time.monotonic()
        self._asked: float | None = None
        """When it was asked for a sign of life, if nothing came since."""
        self.more = False

    def receive(self, timeout: float) -> list[Event]:
        """The next events, at the latest after `timeout` seconds. Raises OSError when the connection is lost."""
        if not self._backlog and not self.more and not self._pending_tls():
            self._wait(timeout)
        self._drain()
        self._check_life()
        payloads: list[bytes] = []
        for _ in range(MESSAGES_A_BATCH):
            reply = self._next_reply()
            if isinstance(reply, list) and len(reply) == 4:
                payloads.append(reply[3])
            elif reply is False:
                break
            elif isinstance(reply, Exception):
                raise ConnectionError(str(reply))
            # The others answer the subscription and the question for a sign of life.
        self.more = len(payloads) == MESSAGES_A_BATCH
        if self._ended and not payloads:
            raise ConnectionError(self._end())
        events: list[Event] = []
        self._decoder.envelopes(payloads, events)
        return events

    def close(self) -> None:
        if self._pump is not None:
            self._pump.kill()
            self._pump.wait()
        self._connection.disconnect()
        self._pool.release(self._connection)

    def _put_pump_between(self, backlog: int) -> None:
        """From now on a pump empties the socket, and holds so many bytes.

        What speaks to Redis keeps its descriptor, which becomes our end of the pump's.
        """
        descriptor = self._socket.fileno()
        mine, its = socket.socketpair()
        with mine, its, socket.socket(fileno=os.dup(descriptor)) as source:
            ends = (source.fileno(), its.fileno())
            # Nothing in it comes from outside.
            command = (sys.executable, "-I", "-S", pump.__file__, *map(str, ends), str(backlog))
            self._pump = subprocess.Popen(command, pass_fds=ends, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
            os.dup2(mine.fileno(), descriptor, inheritable=False)

    def _end(self) -> str:
        """Why nothing comes any more."""
        if self._pump is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._pump.wait(PUMP_ENDS_SECONDS)
                if code:
                    how = signal.strsignal(-code) if code < 0 else f"exit code {code}"
                    return f"The process that receives from Redis for this server ended: {how}"
        return "Redis closed the connection"

    def _wait(self, timeout: float) -> None:
        with SELECTOR() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.select(timeout)

    def _next_reply(self) -> Any:
        """The next whole reply, False when there is none yet."""
        while (reply := self._reader.gets()) is False and self._backlog:
            data = self._backlog[0]
            self._reader.feed(data, self._fed, min(FEED_BYTES, len(data) - self._fed))
            self._fed += FEED_BYTES
            if self._fed >= len(data):
                self._backlog.popleft()
                self._backlog_size -= len(data)
                self._fed = 0
        return reply

    def _pending_tls(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _drain(self) -> None:
        while self._backlog_size < self._most:
            try:
                data = self._socket.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            if not data:
                self._ended = True
                return
            self._backlog.append(data)
            self._backlog_size += len(data)
            self._hear()
        # However long it takes to make room: it is not known to be silent.
        self._hear()

    def _hear(self) -> None:
        self._heard, self._asked = time.monotonic(), None

    def _check_life(self) -> None:
        """Ask for a sign of life after a silence: a lost peer does not close the connection."""
        now = time.monotonic()
        if self._asked is None and now - self._heard > PING_AFTER_SECONDS:
            self._asked = now
            self._socket.send(b"*1\r\n$4\r\nPING\r\n")
        elif self._asked is not None and now - self._asked > ANSWER_SECONDS:
            raise ConnectionError(f"Redis has not answered for {now - self._heard:.0f} s")


def topics(channel: Any, exchange: str) -> list[str]:
    """The patterns under which kombu publishes this exchange's messages to the channel's database."""
    pattern = f"{channel.keyprefix_fanout}{exchange}" + ("/*" if channel.fanout_patterns else "")
    return [f"{channel.global_keyprefix or ''}{pattern}"]
