"""Passwords of users who log in with HTTP Basic: in clear, or hashed with scrypt, bcrypt or argon2.

`python -m flower.passwords` asks for a password and prints the form of it that can be stored. A hash is slow on
purpose (tens of milliseconds), so what was found right is remembered, under a key that ends with the process.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module

Check = Callable[[bytes], bool]

SCRYPT_COST = 2**15
SCRYPT_BLOCK = 8
SCRYPT_LANES = 1
SCRYPT_COST_MOST = 2**20
SCRYPT_BLOCK_MOST = 32
SCRYPT_LANES_MOST = 16
BCRYPT_BYTES = 72
"""What bcrypt looks at; htpasswd drops the rest as we do."""
REMEMBERED_MOST = 1_000

FORM = "user:password or user:hash, the hash made by: python -m flower.passwords"
_SCRYPT = re.compile(r"scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/=]{8,128})\$([A-Za-z0-9+/=]{16,256})")
_BCRYPT = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_ARGON2 = re.compile(r"\$argon2(?:id|i|d)\$(?:v=\d+\$)?m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_HASH = re.compile(r"scrypt\$|\$2[abxy]\$|\$argon2")
_WEAK = re.compile(r"\$apr1\$|\$1\$|\$5\$|\$6\$|\{S?SHA\}")


class PasswordFault(ValueError):
    """A user cannot be taken; the text says which and why, without the password."""


@dataclass(frozen=True, slots=True)
class HashedUser:
    """A user whose password is not known, only how to check it."""

    name: str
    check: Check = field(repr=False)


class Passwords:
    """The users of one server. `known` is quick; `check` is slow and belongs into a thread."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._clear: list[tuple[bytes, str]] = []
        self._hashed: list[HashedUser] = []
        self._count = 0
        self._pepper = secrets.token_bytes(32)
        self._remembered: dict[bytes, str] = {}
        for number, entry in enumerate(entries, 1):
            self._take(entry, number)

    def __len__(self) -> int:
        return self._count

    def _take(self, entry: str, number: int) -> None:
        name, _, word = entry.partition(":")
        if not name or not word:
            raise PasswordFault(f"entry {number} must be {FORM}")
        if _WEAK.match(word):
            raise PasswordFault(f"the password of {name!r} is hashed in a way that is too weak, use: htpasswd -B")
        self._count += 1
        if _HASH.match(word):
            self._hashed.append(HashedUser(name, _checker(name, word)))
            return
        # Both spellings in use: browsers send UTF-8, curl and requests often Latin-1.
        self._clear += [(hashlib.sha256(spelling).digest(), name) for spelling in _spellings(entry)]

    def known(self, credentials: bytes) -> str | None:
        """The name of the user who has this `user:password`, as far as it can be told at once."""
        sent = hashlib.sha256(credentials).digest()
        # Every entry is compared, so that the time taken tells nothing about which one came close.
        found = [name for digest, name in self._clear if hmac.compare_digest(sent, digest)]
        return found[0] if found else self._remembered.get(self._fingerprint(credentials))

    def slow(self, credentials: bytes) -> bool:
        """Whether only `check` can tell."""
        return bool(self._hashed) and b":" in credentials and self.known(credentials) is None

    def check(self, credentials: bytes) -> None:
        """Compare with the hashed passwords and remember who it is. Any thread."""
        for text in _readings(credentials):
            name, _, word = text.partition(":")
            users = [user for user in self._hashed if user.name == name]
            # A name that nobody has takes as long as one that somebody has.
            found = [user.check(word.encode()) for user in users or self._hashed[:1]]
            if users and any(found):
                if len(self._remembered) >= REMEMBERED_MOST:
                    self._remembered.clear()
                self._remembered[self._fingerprint(credentials)] = name
                return

    def _fingerprint(self, credentials: bytes) -> bytes:
        return hmac.digest(self._pepper, credentials, "sha256")


def hashed(password: str) -> str:
    """The form of a password that can be stored."""
    salt = secrets.token_bytes(16)
    digest = _scrypt(password.encode(), salt, SCRYPT_COST, SCRYPT_BLOCK, SCRYPT_LANES)
    parts = [str(SCRYPT_COST), str(SCRYPT_BLOCK), str(SCRYPT_LANES), _base64(salt), _base64(digest)]
    return "$".join(["scrypt", *parts])


def lines(text: str) -> Iterator[str]:
    """The entries of a file, as htpasswd makes it: one a line, without the empty ones and those that begin with #."""
    return (line for line in text.splitlines() if line.strip() and not line.startswith("#"))


def _checker(name: str, stored: str) -> Check:
    for pattern, build in ((_SCRYPT, _scrypt_check), (_BCRYPT, _bcrypt_check), (_ARGON2, _argon2_check)):
        if pattern.fullmatch(stored):
            try:
                return build(stored)
            except ModuleNotFoundError as error:
                raise PasswordFault(
                    f"the password of {name!r} needs the package {error.name}: pip install 'flower[passwords]'"
                ) from None
            except ValueError:
                break
    raise PasswordFault(f"the hash of the password of {name!r} cannot be read: it is cut, or of an unknown form")


def _scrypt_check(stored: str) -> Check:
    _, cost, block, lanes, salt, digest = stored.split("$")
    limits = (int(cost), SCRYPT_COST_MOST), (int(block), SCRYPT_BLOCK_MOST), (int(lanes), SCRYPT_LANES_MOST)
    if any(not 1 <= given <= most for given, most in limits) or int(cost) < 2 or int(cost) & (int(cost) - 1):
        raise ValueError("out of bounds")
    try:
        key, wanted = base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    return lambda word: hmac.compare_digest(_scrypt(word, key, int(cost), int(block), int(lanes), len(wanted)), wanted)


def _bcrypt_check(stored: str) -> Check:
    bcrypt = import_module("bcrypt")

    def check(word: bytes) -> bool:
        # bcrypt has no word for NUL: what it cannot hash is nobody's password.
        return b"\0" not in word and bool(bcrypt.checkpw(word[:BCRYPT_BYTES], stored.encode()))

    return check


def _argon2_check(stored: str) -> Check:
    argon2 = import_module("argon2")
    hasher = argon2.PasswordHasher()

    def check(word: bytes) -> bool:
        try:
            return bool(hasher.verify(stored, word))
        except argon2.exceptions.VerificationError:
            return False

    return check


def _scrypt(word: bytes, salt: bytes, cost: int, block: int, lanes: int, length: int = 32) -> bytes:
    memory = 128 * block * (cost + lanes + 2) + 2**20
    return hashlib.scrypt(word, salt=salt, n=cost, r=block, p=lanes, maxmem=memory, dklen=length)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _spellings(text: str) -> list[bytes]:
    spellings = {text.encode("utf-8", "surrogatepass")}
    if all(ord(letter) < 256 for letter in text):
        spellings.add(text.encode("latin-1"))
    return sorted(spellings)


def _readings(sent: bytes) -> list[str]:
    """What the bytes may say."""
    try:
        return list(dict.fromkeys([sent.decode(), sent.decode("latin-1")]))
    except UnicodeDecodeError:
        return [sent.decode("latin-1")]


def main(arguments: Sequence[str]) -> int:
    """Ask for a password; it is never taken from the command line, where others can see it."""
    if arguments:
        sys.stderr.write("Usage: python -m flower.passwords (reads the password from the terminal or stdin)\n")
        return 2
    word = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not word or (sys.stdin.isatty() and getpass.getpass("Again: ") != word):
        sys.stderr.write("The password is empty, or not the same twice\n")
        return 2
    sys.stdout.write(f"{hashed(word)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
