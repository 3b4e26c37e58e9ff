"""The corpus: inputs that once broke something, made small."""

from __future__ import annotations

from typing import Any

from tests import factories as make
from tests.fuzz.values import nested

FOUND: list[tuple[str, Any]] = [
    ("state", [make.received("a", args=nested(1000))]),
    ("state", [make.event("task-progress", 1.0, uuid="a", step=nested(1000))]),
    ("state", [make.received("a") | {"uuid": nested(1000)}]),
    ("state", [nested(1000)]),
    ("state", [make.retried("a", exception="\ud800")]),
    ("state", [make.received("a", name=nested(1000))]),
    ("redactor", "password={{7*7}}{% raw 7*7 %}"),
    ("replies", ("active", [{"id": "a", "delivery_info": "text"}])),
    ("replies", ("active_queues", [{}, "text", {"name": []}])),
    ("replies", ("stats", {"pool": "text", "total": {"a": "b"}})),
    ("replies", ("scheduled", [{"request": "text"}])),
    ("replies", ("conf", {"a\ud800": {"b": "\udfff"}})),
]
"""(name of the target, its input)."""
