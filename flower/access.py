"""Who may do what: the rules, without HTTP.

The permissions are a closed list, so that a handler cannot ask for one that nobody grants. Belongs to the web loop.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from flower import apikeys
from flower.apikeys import ROLES, ApiKey
from flower.control import OPERATIONS
from flower.login.people import People
from flower.login.roles import Roles
from flower.passwords import Passwords
from flower.utils.throttle import Throttle

PUBLIC = "public"
METRICS = "metrics"
VIEW = "view"
AUDIT = "audit"

VIEWER, OPERATOR, ADMIN = ROLES

PERMISSIONS: dict[str, str] = {
    PUBLIC: "Needs no login: health check, static files, logging in and out, the answer to an unknown address",
    METRICS: "Read the metrics; needs a login with metrics_auth only",
    VIEW: "See workers, tasks, queues and results",
    AUDIT: "See who did what",
    **{operation.name: operation.help for operation in OPERATIONS if operation.method != "GET"},
}
"""Every permission that a handler can state, and what it lets a user do: each operation is one of its own."""

LOWEST_ROLE: dict[str, str] = {
    PUBLIC: VIEWER,
    METRICS: VIEWER,
    VIEW: VIEWER,
    AUDIT: OPERATOR,
    **{operation.name: operation.role for operation in OPERATIONS if operation.method != "GET"},
}
"""Permission -> the least powerful role that has it."""

READ_ONLY_PERMISSIONS = frozenset({PUBLIC, METRICS, VIEW, AUDIT})
"""What is still allowed with `--read_only`."""

API_CLOSED = "FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication"
PAGES_CLOSED = "Only API keys are set up, and they do not open the pages in a browser: set basic_auth for that"


class UnauthenticatedError(Exception):
    """Access denied"""


class ForbiddenError(Exception):
    """You may not do this"""


class UriTooLongError(Exception):
    """The address is too long"""


class FormTooLongError(Exception):
    """The form is too long"""


class ThrottledError(Exception):
    """Too many failed logins. `seconds` is how long to wait."""

    def __init__(self, seconds: int, why: str = "Too many failed logins from this address") -> None:
        super().__init__(f"{why}, try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class User:
    """Who asks. `name` is empty where nobody has to log in; `kind` says what they proved it with.

    `session` is the id of the session of who logged in through a provider.
    """

    name: str = ""
    role: str = ADMIN
    kind: Literal["anybody", "user", "key"] = "anybody"
    session: str = ""


ANYBODY = User()


@dataclass(frozen=True, slots=True)
class Login:
    """What was sent to prove who asks: `user:password` or an API key, and from which address."""

    kind: Literal["user", "key"]
    secret: bytes
    address: str = ""


class Access:
    """The rules of one server, fixed at start.

    There are users with a password, `keys` for programs, `people` who log in through a provider, and those whom
    a trusted proxy names (`proxied`). With none of them the pages are open to everybody, and the API only if
    `open_api` says so. With keys alone the pages are closed.
    """

    def __init__(
        self,
        credentials: Sequence[str] | Passwords = (),
        open_api: bool = False,
        read_only: bool = False,
        keys: Sequence[ApiKey] = (),
        throttle: Throttle | None = None,
        *,
        roles: Roles | None = None,
        people: People | None = None,
        proxied: bool = False,
        metrics_auth: bool = False,
    ) -> None:
        self.passwords = credentials if isinstance(credentials, Passwords) else Passwords(credentials)
        self.people = people
        self._roles = roles or Roles()
        self._proxied = proxied
        self._metrics_auth = metrics_auth
        self._keys = tuple(keys)
        self._open_api = open_api
        self._throttle = throttle or Throttle()
        self.read_only = read_only

    @property
    def login_needed(self) -> bool:
        """Whether a user must prove who they are."""
        return self.takes_passwords or self.takes_keys or self.people is not None or self._proxied

    @property
    def takes_passwords(self) -> bool:
        """Whether there are users with a password."""
        return len(self.passwords) > 0

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
        self.slow_down(login)
        user = self._known(login.secret) if login.kind == "user" else self._holder(login.secret)
        if user is None:
            self._throttle.count(login.address, login.secret)
        return user

    def slow_down(self, login: Login) -> None:
        """Raise ThrottledError after too many failures from one address."""
        seconds = self._throttle.wait(login.address, login.secret)
        if seconds:
            raise ThrottledError(seconds)

    def named(self, name: str, groups: Collection[str] = ()) -> User:
        """Somebody whom a trusted proxy names."""
        return User(name, self._roles.of(name, groups), "user")

    def member(self, email: str, groups: Collection[str], session: str) -> User | None:
        """Who logged in through the provider, as long as they are still among those who may."""
        if self.people is None or not self.people.admits(email, groups):
            return None
        return User(email, self._roles.of(email, groups), "user", session)

    def _known(self, credentials: bytes) -> User | None:
        name = self.passwords.known(credentials)
        return None if name is None else self.named(name)

    def _holder(self, sent: bytes) -> User | None:
        key = apikeys.find(self._keys, sent)
        return None if key is None else User(key.name, key.role, "key")

    def require(self, permission: str, user: User | None, api: bool = False) -> None:
        """Return if the user has the permission, else raise UnauthenticatedError or ForbiddenError."""
        if self.open_to_all(permission):
            return
        if api and self.api_closed:
            raise UnauthenticatedError(API_CLOSED)
        if user is None:
            others = self.takes_passwords or self.people is not None or self._proxied
            closed = not api and self.takes_keys and not others
            raise UnauthenticatedError(PAGES_CLOSED if closed else "Access denied")
        if self.read_only and permission not in READ_ONLY_PERMISSIONS:
            raise ForbiddenError("Read only mode is enabled")
        least = LOWEST_ROLE[permission]
        if ROLES.index(user.role) < ROLES.index(least):
            raise ForbiddenError(f"The {user.kind} {user.name} is {user.role}, {permission} needs {least}")

    def open_to_all(self, permission: str) -> bool:
        """Whether it needs no login."""
        return permission == PUBLIC or (permission == METRICS and not self._metrics_auth)

    def may(self, permission: str, user: User | None, api: bool = False) -> bool:
        """Whether `require` would let the user through: what a page asks before it draws a button."""
        try:
            self.require(permission, user, api)
        except (UnauthenticatedError, ForbiddenError):
            return False
        return True
