"""Okta accounts."""

from __future__ import annotations

from typing import Any

from flower.login.attempts import Attempt
from flower.login.provider import Client, Identity, Provider, ProviderFault, addresses, base_url, verified


class Okta(Provider):
    """https://developer.okta.com/docs/reference/api/oidc/"""

    label = "Okta"
    scope = "openid email"
    prompt_for_other = "login"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        base = client.values.get("oauth2_okta_base_url")
        if not base:
            raise ProviderFault(
                "auth_provider: Okta needs oauth2_okta_base_url, such as https://example.okta.com/oauth2/default"
            )
        self.base = base_url("oauth2_okta_base_url", base)

    async def endpoints(self) -> tuple[str, str]:
        return f"{self.base}/v1/authorize", f"{self.base}/v1/token"

    def scope_asked(self) -> str:
        return f"{self.scope} groups" if self.client.groups else self.scope

    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        user = await self.get(f"{self.base}/v1/userinfo", token["access_token"])
        groups = user.get("groups")
        return Identity(
            addresses(user.get("email")) if verified(user.get("email_verified")) else (),
            tuple(map(str, groups)) if isinstance(groups, list) else (),
        )
