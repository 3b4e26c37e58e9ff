"""What the result backend keeps of a task, for reading, and in words when it keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flower.control.waiting import READY
from flower.utils.template import format_duration
from flower.utils.texts import say
from flower.views.payload import Payload, of_value


@dataclass(frozen=True, slots=True)
class Record:
    """`words` tell what the answer means; `value` and `traceback` are there when the backend has them."""

    words: str
    kind: str = ""
    state: str = ""
    value: Payload | None = None
    traceback: str | None = None
    done: str | None = None


def record_of(answer: Mapping[str, Any], expires: Any) -> Record:
    """The answer of `flower.control.results.result`, which is as it may be shown."""
    state = str(answer.get("state"))
    if not answer.get("stored"):
        return Record(_nothing(answer, state, expires), "warn", state if answer.get("known") else "")
    if state not in READY:
        return Record(say("record.unfinished", state=state), "", state)
    words = say(f"record.kept.{state.lower()}")
    return Record(words, "", state, of_value(answer.get("result")), answer.get("traceback"), answer.get("date_done"))


def _nothing(answer: Mapping[str, Any], state: str, expires: Any) -> str:
    """Why there may be no record."""
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    kept = " " + say("record.span", span=_words(float(seconds))) if seconds else ""
    if answer.get("expired"):
        return say("record.expired") + kept
    if not answer.get("known"):
        return say("record.unknown") + kept
    if state in READY:
        return say("record.ignored")
    return say("record.open")


def _words(seconds: float) -> str:
    for size, name in ((86_400.0, "days"), (3_600.0, "hours")):
        if seconds >= 2 * size and seconds % size == 0:
            return say(f"record.span.{name}", number=seconds / size)
    return format_duration(seconds)
