"""The columns of a task: one table from which schema, merging, JSON, pages and docs follow.

Times are float seconds since the epoch. `merge` names the rule by which two partial views of
one task become one (see `flower.store.merge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flower.utils.texts import say

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
    classic: bool = True
    """Whether Flower 2.x shows it in its API."""

    @property
    def label(self) -> str:
        return say(f"columns.{self.name}")

    @property
    def help(self) -> str:
        return say(f"columns.{self.name}.help")


COLUMNS: tuple[Column, ...] = (
    Column("uuid", "text", "key"),
    Column("name", "text", "described"),
    Column("state", "text", "derived"),
    Column("received", "time", "latest"),
    Column("sent", "time", "latest"),
    Column("started", "time", "latest"),
    Column("rejected", "time", "latest"),
    Column("succeeded", "time", "latest"),
    Column("failed", "time", "latest"),
    Column("retried", "time", "latest"),
    Column("revoked", "time", "latest"),
    Column("args", "text", "described"),
    Column("kwargs", "text", "described"),
    Column("eta", "text", "described"),
    Column("expires", "text", "described"),
    Column("retries", "integer", "latest"),
    Column("worker", "text", "placed"),
    Column("result", "text", "ended"),
    Column("exception", "text", "broken"),
    Column("timestamp", "time", "latest"),
    Column("runtime", "seconds", "ended"),
    Column("traceback", "text", "broken"),
    Column("exchange", "text", "sent"),
    Column("routing_key", "text", "sent"),
    Column("clock", "integer", "latest"),
    Column("client", "text", "sent"),
    Column("root_id", "text", "described"),
    Column("parent_id", "text", "described"),
    Column("queue", "text", "sent", classic=False),
    Column("priority", "integer", "sent", classic=False),
    Column("custom", "time", "latest", classic=False),
    Column("custom_state", "text", "staged", classic=False),
    Column("extra", "json", "noted", classic=False),
    Column("attempts", "json", "union", classic=False),
)

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
BY_NAME: dict[str, Column] = {column.name: column for column in COLUMNS}

FINAL_STATES = frozenset({"SUCCESS", "FAILURE", "REVOKED"})
"""States that no later event but a better one changes (`flower.store.merge.state_of`)."""

TASK_STATES: list[str] = ["PENDING", "RECEIVED", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED", "REJECTED"]
