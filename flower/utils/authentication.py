"""Who may log in: the patterns of the `auth` option."""

from __future__ import annotations

import re

LOCAL_PART = r"[a-z0-9!#$%&'*+/=?^_`{|}~.\-]*"
ADDRESS = re.compile(r"[^\s@\[\]()\\]+@[^\s@\[\]()\\*]+")


def _addresses(pattern: str) -> list[str]:
    return [address.strip() for address in re.split(r"[|,]", pattern)]


def validate_auth_option(pattern: str) -> bool:
    """Whether it is an address, several with `|` between them, or one with one `.*` before its `@`; or several of these
    with commas between them.
    """
    return all(_valid(part.strip()) for part in pattern.split(","))


def _valid(part: str) -> bool:
    addresses = part.split("|")
    if not all(ADDRESS.fullmatch(address.strip()) for address in addresses):
        return False
    stars = part.count("*")
    return stars == 0 or (stars == 1 and len(addresses) == 1 and ".*" in part.partition("@")[0])


def authenticate(pattern: str, email: str) -> bool:
    """Whether the address matches the pattern, upper and lower case being the same.

    A pattern that `validate_auth_option` refuses matches nobody.
    """
    if not validate_auth_option(pattern):
        return False
    wanted = (re.escape(address).replace(r"\.\*", LOCAL_PART) for address in _addresses(pattern))
    # ASCII: otherwise the Kelvin sign would pass for a k.
    return any(re.fullmatch(address, email, re.IGNORECASE | re.ASCII) for address in wanted)
