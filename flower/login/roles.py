"""Who has which role: the `roles` option."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from flower.apikeys import ROLES
from flower.utils.authentication import authenticate, validate_auth_option

FORM = "role:address, role:name or role:group:name, the role one of " + ", ".join(ROLES)
GROUP_MARK = "group:"


class RoleFault(ValueError):
    """An entry cannot be used; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for a group, for the e-mail addresses of a pattern, or for the one name."""

    role: str
    who: str
    group: bool = False

    def fits(self, name: str, groups: Collection[str]) -> bool:
        """Whether somebody with this name, in these groups, has it."""
        if self.group:
            return self.who in groups
        return authenticate(self.who, name) if "@" in self.who else self.who == name


class Roles:
    """Without entries everybody who gets in is an admin, with them a viewer unless one says more."""

    def __init__(self, entries: Sequence[str] = ()) -> None:
        self._grants = [_grant(entry, number) for number, entry in enumerate(entries, 1)]

    @property
    def groups(self) -> frozenset[str]:
        """The groups that matter."""
        return frozenset(grant.who for grant in self._grants if grant.group)

    def of(self, name: str, groups: Collection[str] = ()) -> str:
        """The most powerful role of somebody."""
        if not self._grants:
            return ROLES[-1]
        found = [grant.role for grant in self._grants if grant.fits(name, groups)]
        return max(found, key=ROLES.index, default=ROLES[0])


def _grant(entry: str, number: int) -> Grant:
    role, _, who = entry.partition(":")
    role, who = role.strip(), who.strip()
    group = who.startswith(GROUP_MARK)
    who = who[len(GROUP_MARK) :].strip() if group else who
    if role not in ROLES or not who:
        raise RoleFault(f"entry {number} must be {FORM}")
    if not group and "@" in who and not validate_auth_option(who):
        raise RoleFault(f"{who!r} must be an address, or a pattern such as .*@example.com")
    return Grant(role, who, group)
