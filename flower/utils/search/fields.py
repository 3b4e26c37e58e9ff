"""The table of search words: `field:value` for each field, and what a word alone looks through.

A new search word is one entry here; parsing, both evaluators and docs/search.md follow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, get_args

from flower.utils.search.nodes import Bound, Contains, OneOf, Pair, Prefix, Span, Term
from flower.utils.search.spans import duration_span, number_span, time_span
from flower.utils.search.text import ascii_lower
from flower.utils.texts import say

Kind = Literal["text", "state", "id", "pairs", "duration", "number", "time"]

WORD_COLUMNS = ("uuid", "name", "state", "worker", "args", "kwargs", "result", "exception", "traceback", "queue")
"""The columns through which a word without a field looks."""

KINDS: dict[Kind, str] = {kind: say(f"search.takes.{kind}") for kind in get_args(Kind)}
"""What each kind of field takes, for messages and documentation."""


@dataclass(frozen=True, slots=True)
class Field:
    """One search word: `example` is a value that it takes."""

    name: str
    kind: Kind
    column: str
    example: str
    aliases: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        return say(f"search.field.{self.name}")


FIELDS: tuple[Field, ...] = (
    Field("uuid", "id", "uuid", "2b7a3a4e"),
    Field("name", "text", "name", "tasks.add"),
    Field("state", "state", "state", "FAILURE,RETRY"),
    Field("worker", "text", "worker", "celery@worker1"),
    Field("queue", "text", "queue", "priority"),
    Field("args", "text", "args", "customer-42"),
    Field("kwargs", "pairs", "kwargs", "customer=42"),
    Field("result", "text", "result", "done"),
    Field("exception", "text", "exception", "KeyError", aliases=("exc",)),
    Field("traceback", "text", "traceback", "views.py"),
    Field("runtime", "duration", "runtime", ">0.5"),
    Field("retries", "number", "retries", ">=1"),
    Field("sent", "time", "sent", ">2026-11-21"),
    Field("received", "time", "received", "-1h"),
    Field("started", "time", "started", "<-1d"),
    Field("succeeded", "time", "succeeded", "2026-11-21T10:00"),
    Field("failed", "time", "failed", "2026-11-20..2026-11-21"),
    Field("retried", "time", "retried", "-30m"),
    Field("revoked", "time", "revoked", "-7d"),
    Field("root", "id", "root_id", "2b7a3a4e"),
    Field("parent", "id", "parent_id", "2b7a3a4e"),
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
