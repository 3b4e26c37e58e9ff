"""Who of those that a provider knows may come in: the `auth` option and the allowed groups."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flower.utils.authentication import authenticate


@dataclass(frozen=True, slots=True)
class People:
    """`pattern` is the `auth` option, empty where membership in one of the `allowed` groups is enough."""

    pattern: str = ""
    allowed: frozenset[str] = frozenset()

    def admits(self, email: str, groups: Collection[str] = ()) -> bool:
        """Whether somebody may come in. Without a pattern and groups nobody may."""
        if not self.pattern and not self.allowed:
            return False
        known = not self.pattern or authenticate(self.pattern, email)
        return known and (not self.allowed or not self.allowed.isdisjoint(groups))

    def first(self, emails: Sequence[str], groups: Collection[str] = ()) -> str | None:
        """The first of somebody's addresses under which they may come in."""
        return next((email for email in emails if self.admits(email, groups)), None)
