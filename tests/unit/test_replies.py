"""Replies of workers, made to fit."""

from __future__ import annotations

from typing import Any

import pytest

from flower.utils.coercion import TOO_DEEP
from flower.utils.replies import SHAPES, UNFIT, fitting
from flower.views.facts import facts_of

UNFIT_VALUES: list[Any] = [
    None,
    True,
    7,
    "text",
    "a\ud800",
    [],
    {},
    [1, "x", {}, [], None],
    {"a": 1},
    [{"name": ["x"]}],
]


@pytest.mark.parametrize("question", SHAPES)
@pytest.mark.parametrize("value", UNFIT_VALUES, ids=repr)
def test_any_reply_can_be_shown(question: str, value: Any) -> None:
    """Whatever comes as a reply, or as a part of one, the page of the worker can be made of it."""
    names = ("name", "id", "pool", "broker", "total", "autoscaler", "rusage", "request", "delivery_info", "worker_pid")
    parts = {**dict.fromkeys(names, value), "id": "a"}
    for reply in (value, parts, [parts], {"pool": parts}, [{"request": parts}], [{"id": "a", "delivery_info": parts}]):
        told = fitting(question, reply)
        assert told == UNFIT or facts_of({question: told}) is not None


def test_what_fits_stays() -> None:
    """A reply as workers send it is the same object."""
    reply = {"uptime": 3, "pool": {"processes": [1]}, "total": {"tasks.add": 1}, "rusage": {"utime": 0.5}}
    conf = {"timezone": "UTC"}
    assert (reply, True) == (fitting("stats", reply), fitting("conf", conf) is conf)


@pytest.mark.parametrize(
    "question, reply, told",
    [
        ("stats", [], UNFIT),
        ("pool_grow", "ok", "ok"),
        ("query_task", {"a": ["active", {"id": "a"}], "b": ["active", "x"], "c": 1}, {"a": ["active", {"id": "a"}]}),
        ("pool_grow", {"ok": "pool will grow"}, {"ok": "pool will grow"}),
        ("active", {"error": "no\ud800"}, {"error": "no?"}),
        ("active_queues", [{"name": "a"}, {"name": 1}, {"name": ""}, {}, "b"], [{"name": "a"}]),
        ("scheduled", [{"eta": "now"}, {"request": {"id": "a", "name": 5}}], [{"request": {"id": "a"}}]),
        ("revoked", ["a", 1, None, "b\udfff"], ["a", "b?"]),
        ("conf", {"a": {1, 2}, 3: b"x"}, {"a": [1, 2], "3": "b'x'"}),
    ],
)
def test_what_does_not_is_left_out(question: str, reply: Any, told: Any) -> None:
    """Of other shapes the part that makes sense is kept."""
    assert told == fitting(question, reply)


def test_deep() -> None:
    """What is nested too deeply is cut."""
    value: Any = "end"
    for _ in range(2000):
        value = [value]
    told = fitting("conf", {"a": value})
    while isinstance(told, (dict, list)):
        told = told["a"] if isinstance(told, dict) else told[0]
    assert TOO_DEEP == told
