"""Message bodies to events. JSON by orjson; whatever it refuses gets a second, slower chance."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Sequence
from typing import Any

import orjson
from kombu.message import Message
from kombu.serialization import prepare_accept_content
from kombu.transport import virtual

try:
    from pybase64 import b64decode as a2b_base64
except ImportError:  # optional, as hiredis is; this one takes four times as long
    from binascii import a2b_base64  # type: ignore[assignment]

Event = dict[str, Any]

NUL = b"\\u0000"
"""The only way to write it in JSON."""

EXCERPT_MOST = 200
"""Characters of a message that are told in the log."""

BODY_FIRST = b'{"body": "'
JSON_TYPE = b'"content-type": "application/json"'
BASE64 = b'"body_encoding": "base64"'
"""How the envelopes of kombu's virtual transports begin, and what tells that their body is plain JSON."""


class Decoder:
    """Turns bodies into events; what cannot be read is counted in `malformed`, never raised."""

    def __init__(self, accept: Collection[str]) -> None:
        self._accept = prepare_accept_content(accept)
        self.malformed = 0
        self.first_failure: str | None = None

    def envelopes(self, payloads: Sequence[bytes], events: list[Event]) -> None:
        """Add the events in these envelopes: parsed at once, which costs half as much as one by one, if all can be."""
        contents = together(payloads)
        if contents is None:
            for payload in payloads:
                self.envelope(payload, events)
        else:
            for content in contents:
                self._add(content, events)

    def envelope(self, payload: bytes, events: list[Event]) -> None:
        """Add the events in an envelope of kombu's virtual transports."""
        try:
            body = plain_body(payload)
            if body is not None:
                self._add(json_of(a2b_base64(body)), events)
                return
            message = orjson.loads(payload)
            if (
                message["content-type"] == "application/json"
                and message["properties"].get("body_encoding") == "base64"
                and "compression" not in message["headers"]
            ):
                self._add(json_of(a2b_base64(message["body"])), events)
            else:
                self._add(virtual.Message(message, channel=_NoChannel, accept=self._accept).decode(), events)
        except Exception as error:  # noqa: BLE001 - the payload may be anything, and so may what a codec raises
            self._refuse(payload, error)

    def message(self, message: Message, events: list[Event]) -> None:
        """Add the events of a message that kombu received."""
        try:
            if message.content_type == "application/json" and not message.headers.get("compression"):
                self._add(json_of(message.body), events)
            else:
                message.accept = self._accept
                self._add(message.decode(), events)
        except Exception as error:  # noqa: BLE001 - as above
            self._refuse(message.body, error)

    def _add(self, content: Any, events: list[Event]) -> None:
        if content.__class__ is list:
            events.extend(content)
        else:
            events.append(content)

    def _refuse(self, payload: bytes | str, error: Exception) -> None:
        self.malformed += 1
        if self.first_failure is None:
            self.first_failure = f"{error!r} in {_excerpt(payload)!r}"


def _excerpt(payload: bytes | str) -> bytes | str:
    """The beginning, for the log; in clear, where secrets can be told from the rest."""
    if isinstance(payload, bytes):
        with contextlib.suppress(ValueError):
            payload = a2b_base64(plain_body(payload) or b"") or payload
    return payload[:EXCERPT_MOST]


def plain_body(payload: bytes) -> bytes | None:
    """The base64 text of an envelope as kombu writes it, without parsing the rest; None for any other.

    kombu puts the body first, and base64 has no quotes.
    """
    end = payload.find(b'"', len(BODY_FIRST))
    if end < 0 or not payload.startswith(BODY_FIRST):
        return None
    plain = payload.find(JSON_TYPE, end) > 0 and payload.find(BASE64, end) > 0 and payload.find(b"compression", end) < 0
    return payload[len(BODY_FIRST) : end] if plain else None


def together(payloads: Sequence[bytes]) -> list[Any] | None:
    """What is in these envelopes; None when one of them is not plain or needs a second look."""
    bodies = [body for payload in payloads if (body := plain_body(payload)) is not None]
    if len(bodies) < len(payloads):
        return None
    try:
        text = b",".join(map(a2b_base64, bodies))
        contents: list[Any] = orjson.loads(b"[%b]" % text)
    except ValueError:
        return None
    # A body that is not one value might still fit in between the others.
    return contents if len(contents) == len(payloads) and NUL not in text else None


def json_of(body: bytes | str) -> Any:
    """The JSON value. NaN and huge numbers, which Celery can send, are let through.

    A lone surrogate becomes `?` and a NUL the replacement character: databases take neither.
    """
    if isinstance(body, str):
        body = body.encode("utf-8", "replace")
    if NUL in body:
        body = body.replace(NUL, b"\\ufffd")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        value = json.loads(body.decode("utf-8", "replace"))
        return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


class _NoChannel:
    """What kombu's message wants of its channel when it is only decoded."""

    body_encoding = "base64"

    @staticmethod
    def decode_body(body: Any, encoding: str | None = None) -> Any:
        return a2b_base64(body) if encoding == "base64" else body
