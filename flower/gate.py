"""The gate of one server: who sent a request, and whether it may pass; what it refuses is audited.

It stands beside the door: it reads the headers of a request and knows nothing of handlers.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    User,
)
from flower.audit import Audit
from flower.utils import headers
from flower.utils.origins import Origins

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CHALLENGES = {"user": 'Basic realm="flower", charset="UTF-8"', "key": 'Bearer realm="flower"'}


@dataclass(frozen=True, slots=True)
class Gate:
    """The rules, the sites that may use the API, and the book of what was refused."""

    access: Access
    origins: Origins
    audit: Audit

    def user(self, request: HTTPServerRequest) -> User | None:
        """Who sent it, if they proved it. Raises ThrottledError."""
        return self.access.user(login_of(request))

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


def login_of(request: HTTPServerRequest) -> Login | None:
    """What the Authorization header holds."""
    authorization = request.headers.get("Authorization", "")
    address = request.remote_ip or ""
    token = headers.bearer_token(authorization)
    if token is not None:
        return Login("key", token, address)
    credentials = headers.basic_credentials(authorization)
    return None if credentials is None else Login("user", credentials, address)
