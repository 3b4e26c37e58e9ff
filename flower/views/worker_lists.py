"""The long lists of a worker's page: searched, and shown page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = ("active", "reserved", "scheduled", "revoked", "processed", "limits", "queues")
FINDS = {
    "find": "tasks",
    "limits_find": "limits",
    "config_find": "config",
}
"""Argument that searches -> the part of the page that it searches."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of a list: `total` entries there are, `found` match, `first` and `last` of those are shown."""

    kind: str
    tab: str
    shown: list[Any]
    total: int
    found: int
    page: int
    pages: int
    limit: int

    @property
    def first(self) -> int:
        return (self.page - 1) * self.limit + 1 if self.found else 0

    @property
    def last(self) -> int:
        return min(self.found, self.page * self.limit)


def listing(
    kind: str, tab: str, entries: Sequence[Any] | None, text: str, page: int, limit: int, names: Callable[[Any], str]
) -> Listing | None:
    """The page of the entries whose `names` hold every word of `text`; None for a list that was not told."""
    if entries is None:
        return None
    words = text.casefold().split()
    found = [entry for entry in entries if all(word in names(entry).casefold() for word in words)] if words else entries
    pages = max(1, -(-len(found) // limit))
    page = min(page, pages)
    shown = list(found[(page - 1) * limit : page * limit])
    return Listing(kind, tab, shown, len(entries), len(found), page, pages, limit)
