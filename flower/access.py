"""Who may do what: the rules, without HTTP.

The permissions are a closed list, so that a handler cannot ask for one that nobody grants. Belongs to the web loop.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flower import apikeys
from flower.apikeys import ROLES, ApiKey
from flower.control import OPERATIONS
from flower.utils.throttle import Throttle

PUBLIC = "public"
VIEW = "view"
AUDIT = "audit"

VIEWER, OPERATOR, ADMIN = ROLES

PERMISSIONS: dict[str, str] = {
    PUBLIC: "Needs no login: health check, metrics, static files, the answer to an unknown address",
    VIEW: "See workers, tasks, queues and results",
    AUDIT: "See who did what",
    **{operation.name: operation.help for operation in OPERATIONS if operation.method != "GET"},
}
"""Every permission that a handler can state, and what it lets a user do: each operation is one of its own."""

LOWEST_ROLE: dict[str, str] = {
    PUBLIC: VIEWER,
    VIEW: VIEWER,
    AUDIT: OPERATOR,
    **{operation.name: operation.role for operation in OPERATIONS if operation.method != "GET"},
}
"""Permission -> the least powerful role that has it."""

READ_ONLY_PERMISSIONS = frozenset({PUBLIC, VIEW, AUDIT})
"""What is still allowed with `--read_only`."""

API_CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
PAGES_CLOSED = "Only API keys are set up, and they do not open the pages in a browser: set basic_auth for that"


class UnauthenticatedError(Exception):
    """Access denied"""


class ForbiddenError(Exception):
    """You may not do this"""


class ThrottledError(Exception):
    """Too many failed logins. `seconds` is how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many failed logins from this address, try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `name` is empty where nobody has to log in; `kind` says what they proved it with."""

    name: str = ""
    role: str = ADMIN
    kind: Literal["anybody", "user", "key"] = "anybody"


ANYBODY = User()


@dataclass(frozen=True, slots=True)
class Login:
    """What was sent to prove who asks: `user:password` or an API key, and from which address."""

    kind: Literal["user", "key"]
    secret: bytes
    address: str = ""


class Access:
    """The rules of one server, fixed at start.

    `credentials` are `user:password` texts, whose users may do everything. With neither these nor `keys` the
    pages are open to everybody, and the API only if `open_api` says so. With keys alone the pages are closed.
    """

    def __init__(
        self,
        credentials: Sequence[str] = (),
        open_api: bool = False,
        read_only: bool = False,
        keys: Sequence[ApiKey] = (),
        throttle: Throttle | None = None,
    ) -> None:
        self._digests = [digest for text in credentials for digest in _digests(text)]
        self._keys = tuple(keys)
        self._open_api = open_api
        self._throttle = throttle or Throttle()
        self.read_only = read_only

    @property
    def login_needed(self) -> bool:
        """Whether a user must prove who they are."""
        return self.takes_passwords or self.takes_keys

    @property
    def takes_passwords(self) -> bool:
        """Whether there are users with a password."""
        return bool(self._digests)

    @property
    def takes_keys(self) -> bool:
        """Whether there are API keys."""
        return bool(self._keys)

    @property
    def api_closed(self) -> bool:
        """Whether the API answers nobody: no login is set up and it was not opened."""
        return not self.login_needed and not self._open_api

    def user(self, login: Login | None) -> User | None:
        """Who logged in, ANYBODY if nobody has to, None if it is wrong or missing.

        Raises ThrottledError, and looks at nothing, after too many failures from one address.
        """
        if not self.login_needed:
            return ANYBODY
        if login is None:
            return None
        seconds = self._throttle.wait(login.address, login.secret)
        if seconds:
            raise ThrottledError(seconds)
        user = self._known(login.secret) if login.kind == "user" else self._holder(login.secret)
        if user is None:
            self._throttle.count(login.address, login.secret)
        return user

    def _known(self, credentials: bytes) -> User | None:
        sent = hashlib.sha256(credentials).digest()
        # Every entry is compared, so that the time taken tells nothing about which one came close.
        known = [hmac.compare_digest(sent, digest) for digest in self._digests]
        if not any(known):
            return None
        return User(credentials.partition(b":")[0].decode("utf-8", "replace"), ADMIN, "user")

    def _holder(self, sent: bytes) -> User | None:
        key = apikeys.find(self._keys, sent)
        return None if key is None else User(key.name, key.role, "key")

    def require(self, permission: str, user: User | None, api: bool = False) -> None:
        """Return if the user has the permission, else raise UnauthenticatedError or ForbiddenError."""
        if permission == PUBLIC:
            return
        if api and self.api_closed:
            raise UnauthenticatedError(API_CLOSED)
        if user is None:
            closed = not api and self.takes_keys and not self.takes_passwords
            raise UnauthenticatedError(PAGES_CLOSED if closed else "Access denied")
        if self.read_only and permission not in READ_ONLY_PERMISSIONS:
            raise ForbiddenError("Read only mode is enabled")
        least = LOWEST_ROLE[permission]
        if ROLES.index(user.role) < ROLES.index(least):
            raise ForbiddenError(f"The {user.kind} {user.name} is {user.role}, {permission} needs {least}")

    def may(self, permission: str, user: User | None, api: bool = False) -> bool:
        """Whether `require` would let the user through: what a page asks before it draws a button."""
        try:
            self.require(permission, user, api)
        except (UnauthenticatedError, ForbiddenError):
            return False
        return True


def _digests(credentials: str) -> list[bytes]:
    """Fingerprints of both spellings in use: browsers send UTF-8, curl and requests often Latin-1."""
    spellings = {credentials.encode("utf-8")}
    with contextlib.suppress(UnicodeEncodeError):
        spellings.add(credentials.encode("latin-1"))
    return [hashlib.sha256(spelling).digest() for spelling in sorted(spellings)]
