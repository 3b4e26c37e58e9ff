"""Who may do what: the rules, without HTTP.

The permissions are a closed list, so that a handler cannot ask for one that nobody grants.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

PUBLIC = "public"
VIEW = "view"
CONTROL = "control"

PERMISSIONS: dict[str, str] = {
    PUBLIC: "Needs no login: health check, metrics, static files, the answer to an unknown address",
    VIEW: "See workers, tasks, queues and results",
    CONTROL: "Command workers and tasks",
}
"""Every permission that a handler can state, and what it lets a user do."""

READ_ONLY_PERMISSIONS = frozenset({PUBLIC, VIEW})
"""What is still allowed with `--read_only`."""

API_CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"


class UnauthenticatedError(Exception):
    """Access denied"""


class ForbiddenError(Exception):
    """You may not do this"""


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `name` is empty where nobody has to log in."""

    name: str = ""


ANYBODY = User()


class Access:
    """The rules of one server, fixed at start.

    `credentials` are `user:password` texts. Without any the pages are open to everybody, and
    the API only if `open_api` says so.
    """

    def __init__(self, credentials: Sequence[str] = (), open_api: bool = False, read_only: bool = False) -> None:
        self._digests = [digest for text in credentials for digest in _digests(text)]
        self._open_api = open_api
        self.read_only = read_only

    @property
    def login_needed(self) -> bool:
        """Whether a user must prove who they are."""
        return bool(self._digests)

    @property
    def api_closed(self) -> bool:
        """Whether the API answers nobody: no login is set up and it was not opened."""
        return not self.login_needed and not self._open_api

    @property
    def open_to_all(self) -> bool:
        """Whether anybody may read everything, other web sites included."""
        return not self.login_needed and self._open_api

    def user(self, credentials: bytes | None) -> User | None:
        """The user whose `user:password` bytes were sent, ANYBODY if no login is needed, else None."""
        if not self.login_needed:
            return ANYBODY
        if credentials is None:
            return None
        sent = hashlib.sha256(credentials).digest()
        # Every entry is compared, so that the time taken tells nothing about which one came close.
        known = [hmac.compare_digest(sent, digest) for digest in self._digests]
        return User(credentials.partition(b":")[0].decode("utf-8", "replace")) if any(known) else None

    def require(self, permission: str, user: User | None, api: bool = False) -> None:
        """Return if the user has the permission, else raise UnauthenticatedError or ForbiddenError."""
        if permission == PUBLIC:
            return
        if api and self.api_closed:
            raise UnauthenticatedError(API_CLOSED)
        if user is None:
            raise UnauthenticatedError("Access denied")
        if self.read_only and permission not in READ_ONLY_PERMISSIONS:
            raise ForbiddenError("Read only mode is enabled")

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
