"""Logging in and out."""

from __future__ import annotations

from flower.access import PUBLIC
from flower.utils.authentication import authenticate, validate_auth_option
from flower.views import BaseHandler
from flower.web import NotFoundError

__all__ = ["LoginHandler", "LogoutHandler", "authenticate", "validate_auth_option"]


class LoginHandler(BaseHandler):
    """Where a login provider would be asked, were one set up."""

    permission = PUBLIC

    def get(self) -> None:
        raise NotFoundError("There is nothing to log in to: no login provider is set up")


class LogoutHandler(BaseHandler):
    """Forget who the browser belongs to."""

    permission = PUBLIC

    def get(self) -> None:
        self.clear_cookie("user")
        self.show("logout.html", title="Logged out")
