"""Takes secrets out of what comes in, before anything is kept of it: no store, search or stream can tell them."""

from __future__ import annotations

from typing import Any

from flower.ingest.views import KINDS, KNOWN
from flower.utils.redaction import TEXTS, Redactor

TOLD_BY = {
    type_: tuple(field for field in kind.fields if field in TEXTS)
    for type_, kind in KINDS.items()
    if type_ != "task-revoked"
}
"""Type of an event -> its fields that may hold secrets. Of all other events that is every field without a meaning."""

HARMLESS = KNOWN - {*TEXTS}


def hide_secrets(event: dict[str, Any], redactor: Redactor) -> None:
    """Mask the secrets in a decoded event, in place."""
    fields = TOLD_BY.get(event["type"])
    if fields is None:
        event.update(redactor.value({name: value for name, value in event.items() if name not in HARMLESS}))
        return
    for field in fields:
        value = event.get(field)
        if value.__class__ is str:
            told = redactor.text(value)
            if told is not value:
                event[field] = told
        elif value is not None:
            event[field] = redactor.value(value)


def without_secrets(view: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """A copy of the facts of a task with its secrets masked."""
    return {name: redactor.value(value) if name in (*TEXTS, "extra") else value for name, value in view.items()}
