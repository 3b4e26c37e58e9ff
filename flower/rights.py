"""Who may ask for what, by route, told to people: the table of docs/security.md.

`python -m flower.rights` writes the table to stdout. Nothing is decided here: it is read from the handlers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tornado.routing import URLSpec

from flower import urls
from flower.access import LOWEST_ROLE, METRICS, PUBLIC
from flower.apikeys import ROLES
from flower.gate import SAFE_METHODS

WHO = ("nobody", *ROLES, "another site")
HEAD = ("address", "method", *WHO)
YES, LOGIN, NO = "yes", "401", "403"
NOT_READ = "cannot read"
"""Another site may have a browser ask, but its scripts are not shown the answer."""


@dataclass(frozen=True, slots=True)
class Right:
    """What one method of one route needs."""

    path: str
    method: str
    permission: str

    @property
    def role(self) -> str:
        """The least powerful role that has it."""
        return LOWEST_ROLE[self.permission]

    @property
    def open(self) -> bool:
        """Whether it needs no login; the metrics need one with metrics_auth only."""
        return self.permission in (PUBLIC, METRICS)

    @property
    def safe(self) -> bool:
        """Whether it changes nothing, so that a browser may be sent here by another site."""
        return self.method in SAFE_METHODS

    def cells(self) -> tuple[str, ...]:
        """What each of WHO gets."""
        least = 0 if self.open else ROLES.index(self.role)
        roles = [YES if ROLES.index(role) >= least else NO for role in ROLES]
        return (YES if self.open else LOGIN, *roles, NOT_READ if self.safe else NO)


def rights() -> list[Right]:
    """One for each route and each method that does something of its own; HEAD is as GET, OPTIONS is for everybody."""
    return [
        Right(readable(spec), method, spec.handler_class.permission)
        for spec in urls.handlers
        for method in methods_of(spec)
    ]


def methods_of(spec: URLSpec) -> list[str]:
    """The methods that a route answers, but HEAD and OPTIONS."""
    handler: Any = spec.handler_class
    names: list[str] = handler.allowed_methods(object.__new__(handler)).split(", ")
    own = [name for name in names if name not in ("HEAD", "OPTIONS")]
    return own or ["GET"]


def readable(spec: URLSpec) -> str:
    """The path of a route, with a star for what varies."""
    path = spec.regex.pattern.removesuffix("$").removesuffix("/?").replace("\\", "")
    return re.sub(r"\(.*?\)|\.\*", "*", path)


def table() -> str:
    """The table as Markdown."""
    lines = [f"| {' | '.join(HEAD)} |", f"| {' | '.join(['---'] * len(HEAD))} |"]
    lines += [f"| {' | '.join(cells)} |" for cells in _rows()]
    return "\n".join(lines) + "\n"


def _rows() -> Iterator[tuple[str, ...]]:
    for right in rights():
        yield (f"`{right.path}`", right.method, *right.cells())


if __name__ == "__main__":
    sys.stdout.write(table())
