"""Logging in and out."""

from __future__ import annotations

import logging
import time
from typing import Any, ClassVar
from urllib.parse import urlsplit

from flower.access import PUBLIC
from flower.audit import DONE
from flower.login import attempts
from flower.login.attempts import MINUTES, Attempt
from flower.login.faults import LoginFault, refusal
from flower.login.github import Github
from flower.login.gitlab import GitLab
from flower.login.google import Google
from flower.login.logins import Logins
from flower.login.oidc import Oidc
from flower.login.okta import Okta
from flower.login.provider import Identity, Provider
from flower.login.sessions import mark_of
from flower.problems import Problem
from flower.utils.authentication import authenticate, validate_auth_option
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.web import NotFoundError

__all__ = [
    "GitLabLoginHandler",
    "GithubLoginHandler",
    "GoogleAuth2LoginHandler",
    "LoginHandler",
    "LogoutHandler",
    "OAuth2LoginHandler",
    "OidcLoginHandler",
    "OktaLoginHandler",
    "authenticate",
    "get_next_url",
    "is_safe_redirect",
    "validate_auth_option",
]

logger = logging.getLogger(__name__)

LOGIN, LOGOUT = "login", "logout"
"""What the audit calls them; the target is the mark of the session."""
ATTEMPT_COOKIE = "flower_login"
NEXT_MOST = 2_000
CODE = b"code"


class LoginHandler(BaseHandler):
    """GET /login where no login provider is set up."""

    permission = PUBLIC

    def get(self) -> None:
        raise NotFoundError("There is nothing to log in to: no login provider is set up")


class OAuth2LoginHandler(BaseHandler):
    """GET /login: to the provider and, with what it sends along, back again."""

    permission = PUBLIC
    provider_class: ClassVar[type[Provider]]

    async def get(self) -> None:
        """Send the browser to the provider, or let in who comes back from there."""
        self.set_header("Cache-Control", "no-store")
        try:
            if any(self.get_argument(name) is not None for name in ("code", "state", "error")):
                await self._arrive()
            elif self.current_user is not None:
                self.redirect(get_next_url(self))
            else:
                await self._depart()
        except LoginFault as fault:
            self._refuse(fault)

    @property
    def _logins(self) -> Logins:
        logins = self.site.logins
        if logins is None:
            raise NotFoundError("There is nothing to log in to: no login provider is set up")
        return logins

    @property
    def _provider(self) -> Provider:
        provider = self._logins.provider
        if provider is None:
            raise NotFoundError("There is nothing to log in to: no login provider is set up")
        return provider

    async def _depart(self) -> None:
        attempt = self._logins.attempts.begin(get_next_url(self))
        address = await self._provider.address(attempt, self.get_argument("other", False, type=bool))
        self._hold([*self._held(), attempt])
        self.redirect(address)

    async def _arrive(self) -> None:
        state, code, error = (self.get_argument(name) or "" for name in ("state", "code", "error"))
        attempt = self._logins.attempts.take(self._held(), state)
        self._hold([other for other in self._held() if other.state != attempt.state])
        self._next = attempt.next
        if error or not code:
            # What a provider is said to have said is told only to who was sent there from here.
            raise refusal(self._provider.label, error or "no code", self.get_argument("error_description") or "")
        if not self._provider.comes_from(self.get_argument("iss")):
            raise LoginFault("Another login provider than the one that was asked sent you back", 403)
        self._enter(await self._identify(code, attempt))
        self.redirect(attempt.next)

    async def _identify(self, code: str, attempt: Attempt) -> Identity:
        """Who came back. Codes that fail cost the provider work, and are slowed down."""
        throttle, address = self._logins.throttle, self.request.remote_ip or ""
        seconds = throttle.wait(address, CODE)
        if seconds:
            raise LoginFault(f"Too many logins from your address failed, try again in {seconds} s", 429)
        try:
            return await self._provider.identify(code, attempt)
        except LoginFault:
            throttle.count(address, CODE)
            raise

    def _enter(self, identity: Identity) -> None:
        email = self._logins.people.first(identity.emails, identity.groups)
        if email is None:
            raise LoginFault(f"{identity.emails[0]} may not log in here", 403)
        self.log_in(email, [group for group in identity.groups if group in self._logins.groups])
        self.audit(LOGIN, self._mark, {"provider": self._provider.label}, DONE, Problem(200, ""), 0.0)

    @property
    def _mark(self) -> str:
        user = self.current_user
        return mark_of(user.session) if user is not None else ""

    _next = ""

    def _refuse(self, fault: LoginFault) -> None:
        """A page that says what went wrong and lets one try again."""
        problem = Problem(fault.status, str(fault))
        logger.warning("A login from %s failed: %s", self.request.remote_ip, fault)
        self.cluster.audit.refused(None, LOGIN, None, fault.status, str(fault), self.request.remote_ip or "")
        self.set_status(fault.status)
        # Refused by us, they are let choose another account; the provider would send the same one back at once.
        other = "1" if fault.status == 403 else ""
        again = self.path("login", next=self._next or get_next_url(self), other=other)
        self.show("login_failed.html", title=say("login.title.failed"), problem=problem, again=again)

    # -- the attempts of this browser

    def _held(self) -> list[Attempt]:
        return attempts.unpack(self.get_signed_cookie(self.cookie_name(ATTEMPT_COOKIE), max_age_days=1))

    def _hold(self, held: list[Attempt]) -> None:
        if held:
            self.keep_cookie(ATTEMPT_COOKIE, attempts.pack(held), MINUTES / 60)
        else:
            self.drop_cookie(ATTEMPT_COOKIE)


class GoogleAuth2LoginHandler(OAuth2LoginHandler):
    """Google accounts."""

    provider_class = Google


class GithubLoginHandler(OAuth2LoginHandler):
    """GitHub accounts, those of an Enterprise server too."""

    provider_class = Github


class GitLabLoginHandler(OAuth2LoginHandler):
    """GitLab accounts, those of a server of one's own too."""

    provider_class = GitLab


class OktaLoginHandler(OAuth2LoginHandler):
    """Okta accounts."""

    provider_class = Okta


class OidcLoginHandler(OAuth2LoginHandler):
    """Accounts of any OpenID Connect provider."""

    provider_class = Oidc


class LogoutHandler(BaseHandler):
    """/logout: the browser is no longer known to Flower."""

    permission = PUBLIC

    def get(self) -> None:
        """Ask first, where there is a session: a link of another site must not end it."""
        user = self.current_user
        if user is not None and user.session:
            self.show("logout.html", title=say("login.title.ask"), done=False)
        else:
            self.post()

    def post(self) -> None:
        """End the session."""
        user, began = self.current_user, time.monotonic()
        self.log_out()
        if user is not None and user.session:
            self.audit(LOGOUT, mark_of(user.session), {}, DONE, Problem(200, ""), time.monotonic() - began)
        self.current_user = None if self.site.logins else user
        self.show("logout.html", title=say("login.title.out"), done=True)


def is_safe_redirect(target: str) -> bool:
    """Whether it leads to a page of this server: one slash at the front, and nothing that a browser reads as a host."""
    if not target.startswith("/") or target.startswith("//") or len(target) > NEXT_MOST:
        return False
    if "\\" in target or not target.isprintable():
        return False
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def get_next_url(handler: Any) -> str:
    """Where somebody wanted to go who had to log in first; the first page if that leads elsewhere."""
    target = handler.get_argument("next", default="") or ""
    home: str = handler.path("")
    return target if is_safe_redirect(target) and not target.startswith(handler.path("login")) else home
