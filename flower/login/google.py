"""Google accounts."""

from __future__ import annotations

from typing import Any, ClassVar

from flower.login.attempts import Attempt
from flower.login.provider import Identity, Provider, addresses, verified


class Google(Provider):
    """https://developers.google.com/identity/protocols/oauth2/web-server"""

    label = "Google"
    scope = "profile email"
    prompt_for_other = "select_account"
    authorize_url: ClassVar[str] = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: ClassVar[str] = "https://oauth2.googleapis.com/token"  # noqa: S105 an address
    user_url: ClassVar[str] = "https://www.googleapis.com/userinfo/v2/me"

    async def endpoints(self) -> tuple[str, str]:
        return self.authorize_url, self.token_url

    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        user = await self.get(self.user_url, token["access_token"])
        return Identity(addresses(user.get("email")) if verified(user.get("verified_email")) else ())
