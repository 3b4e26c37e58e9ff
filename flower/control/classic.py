"""What Flower 2.x took of the options of a task, made into what it did with it; for `--classic_api` only."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NEED_PYTHON = frozenset(
    ("producer", "publisher", "connection", "router", "result_cls", "declare", "event_dispatcher", "callbacks")
)
"""Options whose values are no JSON: in Flower 2.x a 500."""
EMPTY_IS_NONE = frozenset(("queue", "exchange", "routing_key", "shadow", "time_limit", "soft_time_limit", "link"))
TRUTHS = frozenset(("retry", "ignore_result", "add_to_parent"))
DELIVERY = {"transient": 1, "persistent": 2}
POLICY_MOST = {"max_retries": 10, "interval_start": 5, "interval_step": 5, "interval_max": 5}
"""How long a broker that is away is tried again: the answer waits meanwhile."""


def tolerated(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options, where Flower 2.x took more than is allowed here, as what it understood."""
    return {name: _understood(name, value) for name, value in given.items()}


def _understood(name: str, value: Any) -> Any:
    if name in EMPTY_IS_NONE and not value:
        return None
    if name in TRUTHS and value is not None:
        return bool(value)
    if name == "delivery_mode" and isinstance(value, str):
        return DELIVERY.get(value.lower(), value)
    if name == "retry_policy" and isinstance(value, dict):
        return {key: _at_most(POLICY_MOST[key], number) for key, number in value.items() if key in POLICY_MOST}
    if name == "priority" and not isinstance(value, bool):
        return _priority(value)
    if name == "retries" and isinstance(value, int):
        return max(0, value)
    return value


def _at_most(most: float, number: Any) -> Any:
    """The number between 0 and `most`; without one, `most`: None is Celery's word for never giving up."""
    if number is None:
        return most
    return min(max(number, 0), most) if isinstance(number, (int, float)) else number


def _priority(value: Any) -> Any:
    """A whole number that brokers can have, from a number or its text."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return value
    return int(min(max(number, 0), 255)) if math.isfinite(number) else value
