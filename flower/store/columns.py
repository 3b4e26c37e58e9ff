"""The columns of a task: one table from which schema, merging, JSON, pages and docs follow.

Times are float seconds since the epoch. `merge` names the rule by which two partial views of
one task become one (see `flower.store.merge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "time", "seconds", "integer", "json"]
Rule = Literal["key", "derived", "latest", "described", "sent", "ended", "broken", "placed", "staged", "noted", "union"]


@dataclass(frozen=True, slots=True)
class Column:
    """One fact about a task.

    Rules: `latest` keeps the greatest value; `union` keeps all; `described`, `sent`, `ended`,
    `broken`, `placed`, `staged` and `noted` keep what came with the newest event of their group.
    """

    name: str
    kind: Kind
    rule: Rule
    label: str
    help: str
    classic: bool = True
    """Whether Flower 2.x shows it in its API."""


COLUMNS: tuple[Column, ...] = (
    Column("uuid", "text", "key", "UUID", "Unique identifier of the task"),
    Column("name", "text", "described", "Name", "Name under which the task is registered"),
    Column("state", "text", "derived", "State", "Where the task is in its life"),
    Column("received", "time", "latest", "Received", "When a worker received the task"),
    Column("sent", "time", "latest", "Sent", "When a client sent the task"),
    Column("started", "time", "latest", "Started", "When a worker began to run the task"),
    Column("rejected", "time", "latest", "Rejected", "When a worker rejected the task"),
    Column("succeeded", "time", "latest", "Succeeded", "When the task succeeded"),
    Column("failed", "time", "latest", "Failed", "When the task failed"),
    Column("retried", "time", "latest", "Retried", "When the task last asked to be retried"),
    Column("revoked", "time", "latest", "Revoked", "When the task was revoked"),
    Column("args", "text", "described", "Arguments", "Positional arguments, as text made by the sender"),
    Column("kwargs", "text", "described", "Keyword arguments", "Keyword arguments, as text made by the sender"),
    Column("eta", "text", "described", "ETA", "Earliest time to run, ISO 8601"),
    Column("expires", "text", "described", "Expires", "Latest time to run, ISO 8601"),
    Column("retries", "integer", "latest", "Retries", "How often the task was retried"),
    Column("worker", "text", "placed", "Worker", "The worker that had the task last"),
    Column("result", "text", "ended", "Result", "Return value, as text made by the worker"),
    Column("exception", "text", "broken", "Exception", "The exception of the last failed attempt"),
    Column("timestamp", "time", "latest", "Timestamp", "Time of the newest event"),
    Column("runtime", "seconds", "ended", "Runtime", "How long the last attempt ran"),
    Column("traceback", "text", "broken", "Traceback", "The traceback of the last failed attempt"),
    Column("exchange", "text", "sent", "Exchange", "Exchange to which the task was sent"),
    Column("routing_key", "text", "sent", "Routing key", "Routing key with which the task was sent"),
    Column("clock", "integer", "latest", "Clock", "Logical clock of the newest event"),
    Column("client", "text", "sent", "Client", "The process that sent the task"),
    Column("root_id", "text", "described", "Root", "The task that began the workflow"),
    Column("parent_id", "text", "described", "Parent", "The task that sent this one"),
    Column("queue", "text", "sent", "Queue", "Queue to which the task was sent", classic=False),
    Column("priority", "integer", "sent", "Priority", "Priority of the message", classic=False),
    Column("custom", "time", "latest", "Custom state at", "When a custom event set the state", classic=False),
    Column("custom_state", "text", "staged", "Custom state", "The state that a custom event set", classic=False),
    Column("extra", "json", "noted", "More", "Fields of events that have no column", classic=False),
    Column("attempts", "json", "union", "Attempts", "Superseded moments of a repeated task", classic=False),
)

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}

FINAL_STATES = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
"""States that no later event but a better one changes (`flower.store.merge.state_of`)."""

TASK_STATES: list[str] = ["PENDING", "RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED", "REJECTED"]
