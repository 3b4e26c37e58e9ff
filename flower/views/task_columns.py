"""The columns of the list of tasks: which there are, and which a visitor sees."""

from __future__ import annotations

from typing import Any, NamedTuple

from flower.store import COLUMNS
from flower.utils.texts import say

DEFAULT_COLUMNS = ("name", "uuid", "state", "received", "runtime", "worker")
COLUMNS_COOKIE = "flower_columns"
"""The columns that the visitor chose last, with dots between them."""


class TaskColumn(NamedTuple):
    """A column of the table of tasks; `slug` is its word in the `tasks_columns` option."""

    slug: str
    label: str
    kind: str
    help: str


LABELS = {name: say(f"tasks.column.{name}") for name in ("kwargs", "args")}
"""Shorter than in the column table, for a head of a table."""

TASK_COLUMNS: tuple[TaskColumn, ...] = tuple(
    TaskColumn(column.name, LABELS.get(column.name, column.label), column.kind, column.help)
    for column in COLUMNS
    if column.kind != "json" and column.name not in ("clock", "custom", "custom_state")
)
KNOWN = {column.slug: column for column in TASK_COLUMNS}


def known_columns(wanted: Any) -> list[TaskColumn]:
    """The columns that a text with commas, or slugs, name, in their order; unknown ones are left out."""
    slugs = wanted.split(",") if isinstance(wanted, str) else list(wanted or ())
    return [KNOWN[slug] for slug in dict.fromkeys(str(slug).strip() for slug in slugs) if slug in KNOWN]


def visible_task_columns(wanted: Any) -> list[TaskColumn]:
    """The columns that a `tasks_columns` value names; the default ones when none is known."""
    return known_columns(wanted) or [KNOWN[slug] for slug in DEFAULT_COLUMNS]
