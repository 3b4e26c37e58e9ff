"""API keys: how they are written in an option or a file, and how they are recognised.

`python -m flower.apikeys new` makes a key, `python -m flower.apikeys hash` the form of an existing one that can be
stored without giving it away. A key is random, so one round of SHA-256 keeps it: a slow hash protects passwords that
can be guessed, and would be paid with every request.
"""

from __future__ import annotations

import getpass
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

ROLES = ("viewer", "operator", "admin")
"""From the least to the most powerful."""
DEFAULT_ROLE = ROLES[0]
SHORT = 16
"""Characters below which a key might be guessed."""

FORM = "name:key, name:key:role or name:sha256$salt$hash:role"
_HASH_MARK = "sha256$"
_HASH = re.compile(r"sha256\$([0-9a-f]{16,64})\$([0-9a-f]{64})")
_NAME = re.compile(r"[\w.@+-]{1,64}")


class KeyFault(ValueError):
    """A key cannot be used; the text says which and why, without the key."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A named key with a role; the key itself is not kept."""

    name: str
    role: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    short: bool = False

    def fits(self, key: bytes) -> bool:
        """Whether it is this key; the time taken does not tell how much of it is right."""
        return hmac.compare_digest(_digest(self.salt, key), self.digest)


def find(keys: Sequence[ApiKey], sent: bytes) -> ApiKey | None:
    """The key that was sent, in UTF-8 or Latin-1. Every key is compared, so that the time tells nothing."""
    key = _canonical(sent)
    found = [known for known in keys if known.fits(key)]
    return found[0] if found else None


def hashed(key: str) -> str:
    """The form of a key that can be stored."""
    salt = secrets.token_bytes(16)
    return f"{_HASH_MARK}{salt.hex()}${_digest(salt, key.encode()).hex()}"


def read(entries: Iterable[str]) -> list[ApiKey]:
    """The keys of `name:key[:role]` texts. Raises KeyFault for the first that is wrong."""
    keys: list[ApiKey] = []
    for number, entry in enumerate(entries, 1):
        key = _read(entry.strip(), number)
        if key.name in [known.name for known in keys]:
            raise KeyFault(f"there are two keys named {key.name!r}")
        keys.append(key)
    return keys


def lines(text: str) -> Iterator[str]:
    """The entries of a file: one a line; empty lines and those that begin with # are left out."""
    for line in text.splitlines():
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield entry


def _read(entry: str, number: int) -> ApiKey:
    name, _, rest = entry.partition(":")
    if not _NAME.fullmatch(name) or not rest:
        # What stands before the colon may be a key without its name, and is not repeated.
        raise KeyFault(f"entry {number} must be {FORM}; a name has up to 64 letters, digits and _.@+-")
    key, colon, role = rest.rpartition(":")
    if not colon:
        key, role = rest, DEFAULT_ROLE
    if role not in ROLES:
        raise KeyFault(f"the role of the key {name!r} must be one of {', '.join(ROLES)}")
    if not key or not key.isprintable() or " " in key:
        raise KeyFault(f"the key {name!r} must not be empty nor have blanks")
    if not key.startswith(_HASH_MARK):
        salt = secrets.token_bytes(16)
        return ApiKey(name, role, salt, _digest(salt, key.encode()), len(key) < SHORT)
    match = _HASH.fullmatch(key)
    if match is None:
        raise KeyFault(f"the key {name!r} must be stored as sha256$salt$hash, made by: python -m flower.apikeys hash")
    return ApiKey(name, role, bytes.fromhex(match[1]), bytes.fromhex(match[2]))


def _canonical(sent: bytes) -> bytes:
    """In UTF-8: programs send Latin-1 too."""
    try:
        sent.decode()
    except UnicodeDecodeError:
        return sent.decode("latin-1").encode()
    return sent


def _digest(salt: bytes, key: bytes) -> bytes:
    return hashlib.sha256(salt + key).digest()


def main(arguments: Sequence[str]) -> int:
    """`new` or `hash`; a key is never taken from the command line, where others can see it."""
    if list(arguments) == ["new"]:
        key = secrets.token_urlsafe(32)
        sys.stdout.write(f"key, shown once:  {key}\nto be stored:     {hashed(key)}\n")
        return 0
    if list(arguments) == ["hash"]:
        key = (getpass.getpass("Key: ") if sys.stdin.isatty() else sys.stdin.readline()).strip()
        if len(key) < SHORT or " " in key:
            sys.stderr.write(f"A key has at least {SHORT} characters and no blanks; make one with: new\n")
            return 2
        sys.stdout.write(f"{hashed(key)}\n")
        return 0
    sys.stderr.write("Usage: python -m flower.apikeys new | hash (reads the key from the terminal or stdin)\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
