"""Message bodies to events."""

from __future__ import annotations

import base64
import binascii
import json
import pickle
import zlib
from typing import Any

import pytest

from flower.ingest.decode import Decoder, Event, plain_body
from tests import factories as make


def envelope(content: bytes, content_type: str = "application/json", **headers: Any) -> bytes:
    """What kombu publishes on a Redis channel."""
    properties = {"body_encoding": "base64", "delivery_tag": "t", "delivery_info": {"exchange": "celeryev"}}
    head = {"content-type": content_type, "content-encoding": "utf-8", "headers": headers, "properties": properties}
    return json.dumps({"body": base64.b64encode(content).decode(), **head}).encode()


def decoded(payload: bytes, accept: tuple[str, ...] = ("json",)) -> tuple[list[Event], int]:
    events: list[Event] = []
    decoder = Decoder(accept)
    decoder.envelope(payload, events)
    return events, decoder.malformed


@pytest.fixture(params=["pybase64", "binascii"], autouse=True)
def base64_decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test, with the optional library and without it."""
    if request.param == "binascii":
        monkeypatch.setattr("flower.ingest.decode.a2b_base64", binascii.a2b_base64)


def test_single_event() -> None:
    """One event in a message."""
    event = make.started("u")
    assert ([event], 0) == decoded(envelope(json.dumps(event).encode()))


def test_batch_of_events() -> None:
    """A list of events in a message, as prefork workers send them."""
    events = make.success("u")
    assert (events, 0) == decoded(envelope(json.dumps(events).encode()))


@pytest.mark.parametrize(
    "second",
    [envelope(b'{"uuid": "\\u0000"}'), envelope(b"[1],[2]"), envelope(b""), b"{", envelope(b"1", compression="x"), b""],
)
def test_messages_read_together_are_those_read_one_by_one(second: bytes) -> None:
    """What one of them needs, or lacks, does not touch the others."""
    payloads = [envelope(json.dumps(make.success("u")).encode()), second, envelope(json.dumps({}).encode())]
    together, single = Decoder(["json"]), Decoder(["json"])
    at_once: list[Event] = []
    one_by_one: list[Event] = []
    together.envelopes(payloads, at_once)
    for payload in payloads:
        single.envelope(payload, one_by_one)
    assert (one_by_one, single.malformed) == (at_once, together.malformed)


def test_lone_surrogate_is_let_through() -> None:
    """Python's JSON writes lone surrogates; the event is kept, the character is not."""
    events, malformed = decoded(envelope(b'{"type": "task-started", "uuid": "\\ud800"}'))
    assert ("?", 0) == (events[0]["uuid"], malformed)


def test_nul_is_replaced() -> None:
    """No database keeps a NUL, and search would stop at it."""
    assert "a\ufffdb" == decoded(envelope(b'{"type": "task-started", "uuid": "a\\u0000b"}'))[0][0]["uuid"]


def test_not_a_number_is_let_through() -> None:
    """Python's JSON writes NaN; the event is kept."""
    assert 1 == len(decoded(envelope(b'{"type": "worker-heartbeat", "freq": NaN}'))[0])


def test_compressed_message() -> None:
    """A compressed message is unpacked."""
    body = zlib.compress(json.dumps(make.started("u")).encode())
    assert "task-started" == decoded(envelope(body, compression="application/x-gzip"))[0][0]["type"]


def test_pickle_is_refused_unless_it_is_the_event_serializer() -> None:
    """Reading a pickle runs code: only who chose it for events gets it."""
    payload = envelope(pickle.dumps({"type": "task-started"}), "application/x-python-serialize")
    assert ([], 1) == decoded(payload)


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"body": "x"}', envelope(b"{"), envelope(b"\xff", "application/x-yaml")],
)
def test_garbage_is_counted(payload: bytes) -> None:
    """What cannot be read is counted, never raised."""
    assert ([], 1) == decoded(payload)


def test_first_failure_is_kept_for_the_log() -> None:
    """The log can tell what the first one was."""
    decoder = Decoder(["json"])
    decoder.envelope(b"{first", [])
    decoder.envelope(b"{second", [])
    assert "{first" in (decoder.first_failure or "")


def test_first_failure_in_clear() -> None:
    """Of an envelope it is told what is in it, where secrets can be seen and masked."""
    decoder = Decoder(["json"])
    decoder.envelope(envelope(b"{\"kwargs\": \"{'password': 'x'}\""), [])
    assert "'password'" in (decoder.first_failure or "").replace("\\", "")


def test_envelope_of_kombu_is_not_parsed() -> None:
    """The body is taken from the text of an envelope as kombu writes it."""
    assert b"W10=" == plain_body(envelope(b"[]"))


@pytest.mark.parametrize("change", [{"content_type": "application/x-yaml"}, {"compression": "application/x-gzip"}])
def test_other_envelopes_are_parsed(change: dict[str, str]) -> None:
    """What is not plain JSON goes the long way."""
    assert plain_body(envelope(b"[]", **change)) is None
