"""GitLab accounts, those of a server of one's own too, and their groups."""

from __future__ import annotations

from typing import Any

from flower.login.attempts import Attempt
from flower.login.provider import Client, Identity, Provider, addresses, base_url

PUBLIC = "gitlab.com"
PAGES_MOST = 50
"""Pages of 100 groups; who is in more has to be admitted by address."""


class GitLab(Provider):
    """https://docs.gitlab.com/api/oauth2/"""

    label = "GitLab"
    scope = "read_api"

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.base = base_url("gitlab_oauth_domain", client.values.get("gitlab_oauth_domain") or PUBLIC)
        self.level = int(client.values.get("gitlab_min_access_level") or 0)
        self.allowed = frozenset(client.values.get("gitlab_auth_allowed_groups") or ())

    async def endpoints(self) -> tuple[str, str]:
        return f"{self.base}/oauth/authorize", f"{self.base}/oauth/token"

    async def identity(self, token: dict[str, Any], attempt: Attempt) -> Identity:
        access = token["access_token"]
        user = await self.get(f"{self.base}/api/v4/user", access)
        # Without confirmed_at the address is what somebody typed, not what they can read mail at.
        emails = addresses(user.get("email")) if user.get("confirmed_at") else ()
        groups = await self._groups(access) if self.allowed or self.client.groups else ()
        return Identity(emails, groups)

    async def _groups(self, access: str) -> tuple[str, ...]:
        """Full paths of the groups in which the user has the access level."""
        found: list[str] = []
        page = "1"
        for _ in range(PAGES_MOST):
            answer = await self.answer(
                f"{self.base}/api/v4/groups", access, min_access_level=self.level, per_page=100, page=page
            )
            found += [str(group.get("full_path")) for group in self.parsed(answer)]
            page = answer.headers.get("X-Next-Page", "")
            if not page:
                break
        return tuple(found)
