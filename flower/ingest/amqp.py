"""Events straight from RabbitMQ's frames.

kombu makes the connection and the queue, and says that it consumes; the bytes are then read here, many messages at
once, because py-amqp's per-message work costs ten times what decoding the event does. Frames that are no plain events
(heartbeats, the end of a channel, other content types) are handed to py-amqp, which does with them what it always does.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, ClassVar

from celery import Celery
from kombu import Connection

from flower.ingest.decode import Decoder, Event
from flower.ingest.kombu import KombuReceiver

READ_BYTES = 262_144
FRAME = Struct(">BHI")
"""Type, channel and size, before the payload; one byte follows it."""
FRAME_END = 0xCE
METHOD, HEADER, BODY = 1, 2, 3
DELIVER = b"\x00\x3c\x00\x3c"
"""basic.deliver, with which a message begins."""
SIZE, PROPERTIES = slice(4, 12), 12
"""In a header: the bytes of the body, and the flags of the properties."""
JSON = b"\x10application/json"
"""A content type, the first of the properties."""


def is_readable(connection: Connection) -> bool:
    """Whether its bytes can be read besides the library that made it: py-amqp's can, those of others cannot."""
    transport = getattr(connection.connection, "transport", None)
    return all(hasattr(transport, name) for name in ("having_timeout", "_read_buffer"))


class Plain:
    """What the decoder wants of a message of plain JSON."""

    content_type = "application/json"
    headers: ClassVar[dict[str, Any]] = {}
    body = b""


class AmqpReceiver(KombuReceiver):
    """A queue of our own on RabbitMQ. Belongs to the events thread."""

    def __init__(self, capp: Celery, connection: Connection, decoder: Decoder, backlog: int = 0) -> None:
        super().__init__(capp, connection, decoder, backlog)
        self._amqp: Any = connection.connection
        self._rest = b""
        """The beginning of a frame."""
        self._deliver = b""
        """The method of a message whose header has not come."""
        self._parts: list[bytes] = []
        self._missing = 0
        """Bytes of the body of a plain message that have not come."""
        self._message: Any = Plain()

    def receive(self, timeout: float) -> list[Event]:
        """The next events, at the latest after `timeout` seconds. Raises what py-amqp raises on loss, or OSError."""
        self._beat()
        data = self._read(timeout)
        self.more = len(data) >= READ_BYTES
        if data:
            data = self._rest + data
            self._rest = data[self._take(data) :]
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        # What waits for the answer to a last question reads on where we ended.
        self._amqp.transport._read_buffer = self._rest + self._amqp.transport._read_buffer
        super().close()

    def _read(self, timeout: float) -> bytes:
        """What has come; first what py-amqp read beyond the answer that it waited for."""
        transport = self._amqp.transport
        data = bytes(transport._read_buffer)
        transport._read_buffer = b""
        if not data:
            try:
                with transport.having_timeout(timeout) as socket:
                    data = socket.recv(READ_BYTES)
            except TimeoutError:
                return b""
            if not data:
                raise ConnectionError("RabbitMQ closed the connection")
        # By this it knows that the broker lives.
        self._amqp.bytes_recv += 1
        return data

    def _take(self, data: bytes) -> int:
        """Take in the whole frames; where the next one begins."""
        at, end = 0, len(data)
        while end - at > FRAME.size:
            kind, channel, size = FRAME.unpack_from(data, at)
            start = at + FRAME.size
            at = start + size + 1
            if at > end:
                return start - FRAME.size
            if data[at - 1] != FRAME_END:
                raise ConnectionError("RabbitMQ sent what is no frame")
            self._frame(kind, channel, data[start : at - 1])
        return at

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        if kind == BODY and self._missing:
            self._body(payload)
        elif kind == METHOD and payload.startswith(DELIVER):
            self._deliver = payload
        elif kind == HEADER and self._deliver:
            self._header(channel, payload)
        else:
            self._amqp.on_inbound_frame((kind, channel, payload))

    def _header(self, channel: int, payload: bytes) -> None:
        """Begin a message; one that is not plain is py-amqp's, and so are the frames of its body."""
        method, self._deliver = self._deliver, b""
        size = int.from_bytes(payload[SIZE], "big")
        if size and payload.startswith(JSON, PROPERTIES + 2) and payload[PROPERTIES] & 0x80 and b"compr" not in payload:
            self._missing = size
        else:
            self._amqp.on_inbound_frame((METHOD, channel, method))
            self._amqp.on_inbound_frame((HEADER, channel, payload))

    def _body(self, payload: bytes) -> None:
        self._missing -= len(payload)
        if self._missing or self._parts:
            self._parts.append(payload)
            if self._missing:
                return
            payload = b"".join(self._parts)
            self._parts.clear()
        self._message.body = payload
        self._decoder.message(self._message, self._events)
