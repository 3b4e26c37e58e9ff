"""Who sends a request: what the headers prove, and the cookies that remember who logged in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, cast

import tornado.web

from flower.access import ForbiddenError, FormTooLongError, ThrottledError, User
from flower.login.sessions import HOUR, Session
from flower.site import Site
from flower.utils.throttle import source_of

SESSION_COOKIE = "flower_session"
CLASSIC_COOKIE = "user"
"""The cookie of Flower 2.x: classes written for it set and clear it to log somebody in and out."""
HOST_PREFIX = "__Host-"
"""Browsers take a cookie of such a name only by TLS and from this very host (RFC 6265bis, 4.1.3.2)."""
DAY = 24 * HOUR
FORM_BYTES = 262_144


class Visitor(tornado.web.RequestHandler):
    """A request and who sent it."""

    _slowed: ThrottledError | None = None
    _form_too_long = False

    @cached_property
    def site(self) -> Site:
        """The site of the cluster that the address names, as the proxy shows it."""
        return self._whole.seen_by(self.request.headers).at(self.request.path)

    @property
    def _whole(self) -> Site:
        return cast(Site, self.application.settings["site"])

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """The address of a file, below the path that the proxy tells."""
        return self.site.root.removeprefix(self._whole.root) + super().static_url(path, include_host, **kwargs)

    async def _execute(self, transforms: Any, *args: bytes, **kwargs: bytes) -> None:
        """Look at a hashed password first: `prepare` and everything behind it ask who it is and do not wait."""
        try:
            await self.site.gate.learn(self.request)
        except ThrottledError as error:
            self._slowed = error
        if len(self.request.body) > FORM_BYTES and self._sends_form():
            # It would be taken apart before anybody asks who sent it, which takes seconds.
            self.request.body, self._form_too_long = b"", True
            del self.request.headers["Content-Type"]
        await super()._execute(transforms, *args, **kwargs)

    def _sends_form(self) -> bool:
        kind = self.request.headers.get("Content-Type", "").lower()
        return kind.startswith(("application/x-www-form-urlencoded", "multipart/"))

    def check_size(self) -> None:
        """Raise FormTooLongError for a form that was not looked at."""
        if self._form_too_long:
            raise FormTooLongError(f"A form has at most {FORM_BYTES} bytes")

    @property
    def who(self) -> str:
        """The user, or the network where nobody logs in: who is counted as one."""
        user: User | None = self.current_user
        return f"{user.kind}:{user.name}" if user and user.name else source_of(self.request.remote_ip or "")

    def get_current_user(self) -> User | None:
        """Who sent the request, if they proved it. Raises ThrottledError."""
        if self._slowed is not None:
            raise self._slowed
        return self.site.gate.user(self.request, self._session)

    def still_in(self) -> bool:
        """Whether who sent the request has not been logged out since: for answers that take long."""
        user: User | None = self.current_user
        logins = self.site.logins
        return user is None or not user.session or logins is None or logins.sessions.alive(user.session)

    def _session(self) -> Session | None:
        """The session of the browser, if it goes on."""
        logins = self.site.logins
        if logins is None:
            return None
        days = logins.sessions.lifetime / DAY
        return logins.sessions.find(self.get_signed_cookie(self.cookie_name(SESSION_COOKIE), max_age_days=days))

    def log_in(self, email: str, groups: Sequence[str] = ()) -> None:
        """Begin a session. Raises ForbiddenError if this address may not log in."""
        logins = self.site.logins
        if logins is None or self.site.access.member(email, groups, "") is None:
            raise ForbiddenError(f"{email} may not log in here")
        # What was known before must not live on beside it.
        self.log_out()
        session = logins.sessions.begin(email, groups)
        self.keep_cookie(SESSION_COOKIE, session.packed(), logins.sessions.lifetime / HOUR)
        self.current_user = self.site.access.member(email, groups, session.id)

    def log_out(self) -> None:
        """End the session of the browser, also for whoever has a copy of its cookie."""
        session, logins = self._session(), self.site.logins
        if session is not None and logins is not None:
            logins.sessions.end(session.id)
        self.drop_cookie(SESSION_COOKIE)

    # -- cookies

    @property
    def by_tls(self) -> bool:
        """Whether the browser came by TLS, as far as that is known."""
        logins = self.site.logins
        return self.request.protocol == "https" or bool(logins and logins.secure)

    def cookie_name(self, name: str) -> str:
        """The name of a cookie of ours: one that only TLS can set, where there is TLS."""
        return f"{HOST_PREFIX}{name}" if self.by_tls else name

    @property
    def cookie_path(self) -> str:
        return "/" if self.by_tls else self.site.root or "/"

    def keep_cookie(self, name: str, value: str, hours: float) -> None:
        """Set a signed cookie that no script can read and no other site sends."""
        self.set_signed_cookie(
            self.cookie_name(name),
            value,
            expires_days=hours / 24,
            path=self.cookie_path,
            httponly=True,
            samesite="Lax",
            secure=self.by_tls,
        )

    def drop_cookie(self, name: str) -> None:
        """Forget a cookie."""
        super().clear_cookie(self.cookie_name(name), path=self.cookie_path, secure=self.by_tls)

    def set_secure_cookie(self, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """As Tornado's; setting `user` logs somebody in, as in Flower 2.x."""
        if name == CLASSIC_COOKIE:
            self.log_in(value.decode() if isinstance(value, bytes) else str(value))
        else:
            super().set_signed_cookie(name, value, *args, **{"httponly": True, "samesite": "Lax", **kwargs})

    def set_signed_cookie(self, name: str, value: Any, *args: Any, **kwargs: Any) -> None:
        """As Tornado's; setting `user` logs somebody in, as in Flower 2.x."""
        self.set_secure_cookie(name, value, *args, **kwargs)

    def clear_cookie(self, name: str, *args: Any, **kwargs: Any) -> None:
        """As Tornado's; clearing `user` logs somebody out, as in Flower 2.x."""
        if name == CLASSIC_COOKIE:
            self.log_out()
        else:
            super().clear_cookie(name, *args, **kwargs)
