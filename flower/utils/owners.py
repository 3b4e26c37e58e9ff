"""Users and groups of this machine."""

from __future__ import annotations

import grp
import pwd

UNCHANGED = -1


def owner_of(text: str) -> tuple[int, int]:
    """`USER`, `USER:GROUP` or `:GROUP` as numbers for `os.chown`. Raises ValueError for one that does not exist."""
    user, _, group = text.partition(":")
    try:
        return pwd.getpwnam(user).pw_uid if user else UNCHANGED, grp.getgrnam(group).gr_gid if group else UNCHANGED
    except KeyError as error:
        raise ValueError(str(error)) from None


def is_owner(text: str) -> bool:
    """Whether user and group exist on this machine."""
    try:
        return owner_of(text) != (UNCHANGED, UNCHANGED)
    except ValueError:
        return False
