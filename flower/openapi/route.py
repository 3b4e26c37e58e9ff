"""What a reading route is, as far as its description goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
TIME: Schema = {
    "type": "string",
    "title": "time",
    "description": "Seconds since the epoch, ISO 8601, or YYYY-MM-DD HH:MM",
}
JSON = "application/json"


def whole(least: int | None = None, most: int | None = None) -> Schema:
    """A whole number from `least` to `most`."""
    bounds = {"minimum": least, "maximum": most}
    return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument in the address, the path or a header."""

    name: str
    help: str
    schema: Schema = field(default_factory=lambda: dict(TEXT))
    default: Any = None
    where: Literal["query", "path", "header"] = "query"
    example: Any = None
    """What the example request sends; None leaves it out."""


@dataclass(frozen=True, slots=True)
class Route:
    """A route that changes nothing. `schema` names the answer among the schemas, or is one."""

    path: str
    tag: str
    help: str
    schema: str | Schema
    parameters: tuple[Parameter, ...] = ()
    errors: tuple[int, ...] = ()
    """Statuses beside those of the login."""
    permission: str = "view"
    media: tuple[str, ...] = (JSON,)
    example: Any = None
