"""GitHub accounts, those of an Enterprise server too."""

from __future__ import annotations

from typing import Any

from flower.login.attempts import Attempt
from flower.login.provider import Client, Identity, Provider, addresses, base_url

PUBLIC = "github.com"


class Github(Provider):
    """https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps"""

    label = "GitHub"
    scope = "user:email"
    needs_redirect_uri = False

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        domain = client.values.get("github_oauth_domain") or PUBLIC
        self.base = base_url("github_oauth_domain", domain)
        self.api = "https://api.github.com" if domain == PUBLIC else f"{self.base}/api/v3"

    async def endpoints(self) -> tuple[str, str]:
        return f"{self.base}/login/oauth/authorize", f"{self.base}/login/oauth/access_token"

    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        found = await self.get(f"{self.api}/user/emails", token["access_token"], per_page=100)
        rows = [row for row in found if isinstance(row, dict) and row.get("verified") is True]
        rows.sort(key=lambda row: row.get("primary") is not True)
        return Identity(addresses(*(row.get("email") for row in rows)))
