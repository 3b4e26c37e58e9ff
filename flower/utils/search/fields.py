"""The table of search words: `field:value` for each field, and what a word alone looks through.

A new search word is one entry here; parsing, both evaluators and docs/search.md follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from flower.utils.search.nodes import Bound, Contains, OneOf, Pair, Prefix, Span, Term
from flower.utils.search.spans import duration_span, number_span, time_span
from flower.utils.search.text import ascii_lower

Kind = Literal["text", "state", "id", "pairs", "duration", "number", "time"]

WORD_COLUMNS = ("uuid", "name", "state", "worker", "args", "kwargs", "result", "exception", "traceback", "queue")
"""The columns through which a word without a field looks."""

KINDS: dict[Kind, str] = {
    "text": "any part of the text",
    "state": "a state, or several with commas between them",
    "id": "an id or the beginning of one, as it is written or in small letters",
    "pairs": "any part of the text, or key=value for an argument with exactly this value",
    "duration": "a duration such as >5, >=0.5s, <100ms, 1m or 1..5",
    "number": "a number such as 3, >3 or 1..5",
    "time": "a time such as 2026-11-21, >2026-11-21T10:00 or an age such as -1h (within) or <-1h (before)",
}
"""What each kind of field takes, for messages and documentation."""


@dataclass(frozen=True, slots=True)
class Field:
    """One search word: `example` is a value that it takes."""

    name: str
    kind: Kind
    column: str
    help: str
    example: str
    aliases: tuple[str, ...] = ()


FIELDS: tuple[Field, ...] = (
    Field("uuid", "id", "uuid", "The task with this id", "2b7a3a4e"),
    Field("name", "text", "name", "The name of the task", "tasks.add"),
    Field("state", "state", "state", "The state", "FAILURE,RETRY"),
    Field("worker", "text", "worker", "The worker that had the task last", "celery@worker1"),
    Field("queue", "text", "queue", "The queue to which the task was sent", "priority"),
    Field("args", "text", "args", "The positional arguments", "customer-42"),
    Field("kwargs", "pairs", "kwargs", "The keyword arguments", "customer=42"),
    Field("result", "text", "result", "The return value", "done"),
    Field("exception", "text", "exception", "The exception of the last failure", "KeyError", aliases=("exc",)),
    Field("traceback", "text", "traceback", "The traceback of the last failure", "views.py"),
    Field("runtime", "duration", "runtime", "How long the last attempt ran, in seconds", ">0.5"),
    Field("retries", "number", "retries", "How often the task was retried", ">=1"),
    Field("sent", "time", "sent", "When a client sent the task", ">2026-11-21"),
    Field("received", "time", "received", "When a worker received the task", "-1h"),
    Field("started", "time", "started", "When a worker began to run the task", "<-1d"),
    Field("succeeded", "time", "succeeded", "When the task succeeded", "2026-11-21T10:00"),
    Field("failed", "time", "failed", "When the task failed", "2026-11-20..2026-11-21"),
    Field("retried", "time", "retried", "When the task last asked to be retried", "-30m"),
    Field("revoked", "time", "revoked", "When the task was revoked", "-7d"),
    Field("root", "id", "root_id", "All tasks of the workflow that this task began", "2b7a3a4e"),
    Field("parent", "id", "parent_id", "The tasks that this task sent", "2b7a3a4e"),
)

BY_WORD: dict[str, Field] = {word: field for field in FIELDS for word in (field.name, *field.aliases)}


def word_term(text: str) -> Term:
    """The term of a word without a field."""
    return Contains("any", WORD_COLUMNS, text)


def field_term(field: Field, value: str, tz: tzinfo) -> Term:
    """The term of `field:value`; raises ValueError when the field takes no such value."""
    if field.kind == "pairs":
        key, equals, wanted = value.partition("=")
        if equals and key:
            return Pair(field.name, field.column, key, wanted)
    if field.kind in ("text", "pairs"):
        return Contains(field.name, (field.column,), value)
    if field.kind == "id":
        return Prefix(field.name, field.column, tuple(dict.fromkeys((value, ascii_lower(value)))))
    if field.kind == "state":
        states = tuple(dict.fromkeys(ascii_lower(part.strip()) for part in value.split(",") if part.strip()))
        if not states:
            raise ValueError(value)
        return OneOf(field.name, field.column, states)
    low, high = _span(field.kind, value, tz)
    return Span(field.name, field.column, low, high)


def _span(kind: Kind, value: str, tz: tzinfo) -> tuple[Bound | None, Bound | None]:
    if kind == "time":
        return time_span(value, tz)
    read: Callable[[str], tuple[Bound | None, Bound | None]] = duration_span if kind == "duration" else number_span
    return read(value)
