"""What random input is made of."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import strategies as st

from tests import factories as make
from tests.hostile import SHORT

TEXTS = st.sampled_from([*SHORT.values(), "", "a", "celery@w1"]) | st.text(max_size=30)
NUMBERS = st.integers() | st.floats() | st.sampled_from([2**63, -(2**64), 10**400, 1e308, 1e-320, True])


class Nested(list[Any]):
    """A list in a list; told by its depth, for it cannot be written down."""

    depth = 0

    def __repr__(self) -> str:
        return f"nested({self.depth})"


def nested(depth: int) -> Nested:
    """A list in a list, so deep."""
    value: list[Any] = []
    for _ in range(depth - 1):
        value = [value]
    outer = Nested([value])
    outer.depth = depth
    return outer


VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
) | st.sampled_from([50, 200, 300, 900, 1000, 3000]).map(nested)

KNOWN: list[make.Event] = [
    *(make.heartbeat(kind=f"worker-{kind}") for kind in ("online", "heartbeat", "offline", "moved")),
    make.sent("a"),
    *make.success("a"),
    *make.failure("b"),
    make.retried("a"),
    make.revoked("a"),
    make.event("task-rejected", 4.0, uuid="a"),
    make.event("task-progress", 5.0, uuid="a", step=1),
]


@st.composite
def changed(draw: st.DrawFn) -> Any:
    """An event with some of its facts replaced, left out or added."""
    event = dict(draw(st.sampled_from(KNOWN)))
    for name in draw(st.lists(st.sampled_from([*event, "queue", "name", "password"]) | TEXTS, max_size=3)):
        event[name] = draw(VALUES)
    for name in draw(st.lists(st.sampled_from([*event]), max_size=1)):
        del event[name]
    return event


EVENTS = changed() | VALUES
BATCHES = st.lists(EVENTS, max_size=5)


def envelope(body: bytes, kind: str = "application/json") -> bytes:
    """As kombu's virtual transports write a message."""
    facts = {"body": base64.b64encode(body).decode(), "content-encoding": "utf-8", "content-type": kind, "headers": {}}
    delivery = {"exchange": "celeryev", "routing_key": "task.multi"}
    properties = {"body_encoding": "base64", "delivery_info": delivery, "delivery_tag": "1", "delivery_mode": 2}
    return json.dumps({**facts, "properties": properties}).encode()


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """What may lie in the broker: messages, damaged ones, anything."""
    body = draw(st.binary(max_size=40) | EVENTS.map(_written) | BATCHES.map(_written))
    kinds = ("application/json", "application/x-python-serialize", "application/x-yaml", "application/data", "\ud800")
    whole = bytearray(envelope(body, draw(st.sampled_from(kinds))))
    for at in draw(st.lists(st.integers(0, len(whole) - 1), max_size=3)):
        whole[at] = draw(st.integers(0, 255))
    return bytes(whole[: draw(st.integers(0, len(whole)))]) if draw(st.booleans()) else bytes(whole)


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value).encode()
    except RecursionError:
        return b"[" * 5000
