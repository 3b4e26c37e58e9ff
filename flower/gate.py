"""The gate of one server: who sent a request, and whether it may pass; what it refuses is audited.

It stands beside the door: it reads the headers of a request and knows nothing of handlers.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from tornado.httputil import HTTPServerRequest

from flower.access import (
    ANYBODY,
    PERMISSIONS,
    READ_ONLY_PERMISSIONS,
    Access,
    ForbiddenError,
    Login,
    ThrottledError,
    UnauthenticatedError,
    UriTooLongError,
    User,
)
from flower.audit import Audit
from flower.login.logins import Logins
from flower.login.proxy import TrustedProxy
from flower.login.sessions import Session
from flower.utils import headers
from flower.utils.hosts import Hosts, name_of
from flower.utils.origins import Origins
from flower.utils.rules import UNIX

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CHECKS_AT_ONCE = 2
"""Hashed passwords that are looked at at a time: each keeps a processor busy and takes 32 MB."""
CHECKS_WAITING = 20
BUSY_SECONDS = 5
HOST_MOST = 255
URI_MOST = 16_384
CHALLENGES = {"user": 'Basic realm="flower", charset="UTF-8"', "key": 'Bearer realm="flower"'}


class Checks:
    """Looks at hashed passwords, in threads and not too many at a time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._turn = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._waiting = 0

    async def run(self, check: Callable[[bytes], None], credentials: bytes) -> None:
        """Raises ThrottledError where too many wait."""
        if self._waiting >= CHECKS_WAITING:
            raise ThrottledError(BUSY_SECONDS, "Too many logins are looked at")
        self._waiting += 1
        try:
            async with self._turn:
                await asyncio.get_running_loop().run_in_executor(self._executor, check, credentials)
        finally:
            self._waiting -= 1


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules, the sites that may use the API, and the book of what was refused."""

    access: Access
    origins: Origins
    audit: Audit
    checks: Checks
    hosts: Hosts = field(default_factory=Hosts)
    proxy: TrustedProxy = field(default_factory=TrustedProxy)
    logins: Logins | None = None

    def user(self, request: HTTPServerRequest, session: Callable[[], Session | None]) -> User | None:
        """Who sent it, if they proved it; `session` finds that of its cookie. Raises ThrottledError."""
        access, login = self.access, login_of(request)
        if not access.login_needed:
            return ANYBODY
        proxied = self.proxy.user(request.headers, peer_of(request)) if self.proxy else None
        if proxied is not None:
            return access.named(*proxied)
        if access.people is None or (login is not None and login.kind == "key" and access.takes_keys):
            return access.user(login)
        # With passwords and a provider both are needed, as in Flower 2.x.
        if access.takes_passwords and access.user(login) is None:
            return None
        found = session()
        return None if found is None else access.member(found.name, found.groups, found.id)

    def check_address(self, request: HTTPServerRequest, any_host: bool = False) -> None:
        """Raise ForbiddenError where somebody else's name leads here, UriTooLongError for a very long one."""
        if len(request.uri or "") > URI_MOST:
            raise UriTooLongError(f"The address is longer than {URI_MOST} characters")
        if not any_host and not self.hosts.allows(request.host):
            name = name_of(request.host)[:HOST_MOST]
            raise ForbiddenError(f"This server is not to be asked as {name!r}; --allowed_hosts={name} would allow it")

    async def learn(self, request: HTTPServerRequest) -> None:
        """Look at a hashed password where one was sent: what is slow is done before it is asked for."""
        login, passwords = login_of(request), self.access.passwords
        if login is None or login.kind != "user" or not passwords.slow(login.secret):
            return
        self.access.slow_down(login)
        await self.checks.run(passwords.check, login.secret)

    def asks_for_session(self, request: HTTPServerRequest) -> bool:
        """Whether logging in through the provider is what is missing."""
        access, login = self.access, login_of(request)
        if access.people is None or not access.takes_passwords:
            return access.people is not None
        return login is not None and login.kind == "user" and access.passwords.known(login.secret) is not None

    def admit(
        self, request: HTTPServerRequest, user: User | None, permission: str, api: bool, target: str | None
    ) -> None:
        """Return if the request may pass; a browser's question what it may send asks for nobody.

        Raises UnauthenticatedError or ForbiddenError.
        """
        asking = request.method == "OPTIONS"
        try:
            self._refuse_foreign(request, user, api)
            self.access.require(permission, ANYBODY if asking else user, api)
        except (ForbiddenError, UnauthenticatedError) as error:
            if not asking:
                self.refused(request, user, permission, target, error)
            raise

    def refused(
        self, request: HTTPServerRequest, user: User | None, permission: str, target: str | None, error: Exception
    ) -> None:
        """Note that a command was not let through."""
        if permission in PERMISSIONS and permission not in READ_ONLY_PERMISSIONS:
            status = {UnauthenticatedError: 401, ThrottledError: 429}.get(type(error), 403)
            self.audit.refused(user, permission, target, status, str(error), request.remote_ip or "")

    def challenges(self, request: HTTPServerRequest, api: bool) -> list[str]:
        """What a 401 says about how to log in."""
        takes = {"user": self.access.takes_passwords, "key": self.access.takes_keys and api}
        sent = login_of(request)
        wrong = ', error="invalid_token"' if sent is not None and sent.kind == "key" else ""
        return [text + (wrong if kind == "key" else "") for kind, text in CHALLENGES.items() if takes[kind]]

    def _refuse_foreign(self, request: HTTPServerRequest, user: User | None, api: bool) -> None:
        """A browser that was sent here by another site may read what it is shown, never command.

        Unless the site is a named one and its script sends an API key, which no browser does by itself.
        """
        if request.method in SAFE_METHODS:
            return
        sent = request.headers
        why = headers.foreign(sent.get("Sec-Fetch-Site"), sent.get("Origin"), request.host)
        if why is None:
            return
        login = login_of(request)
        with_key = self.access.takes_keys and login is not None and login.kind == "key"
        if not (api and with_key and self.origins.named(sent.get("Origin"))):
            raise ForbiddenError(why)


def peer_of(request: HTTPServerRequest) -> str:
    """The address at the other end of the connection, whatever its headers say; UNIX over the socket file."""
    context = getattr(request.connection, "context", None)
    if getattr(context, "address_family", None) == socket.AF_UNIX:
        return UNIX
    address = getattr(context, "address", None)
    return str(address[0]) if isinstance(address, tuple) and address else ""


def login_of(request: HTTPServerRequest) -> Login | None:
    """What the Authorization header holds."""
    authorization = request.headers.get("Authorization", "")
    address = request.remote_ip or ""
    token = headers.bearer_token(authorization)
    if token is not None:
        return Login("key", token, address)
    credentials = headers.basic_credentials(authorization)
    return None if credentials is None else Login("user", credentials, address)
