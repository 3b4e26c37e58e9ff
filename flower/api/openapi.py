"""`/api/openapi.json`: what the API is, for machines."""

from __future__ import annotations

from flower.api import BaseApiHandler
from flower.openapi import document


class OpenApi(BaseApiHandler):
    """GET /api/openapi.json"""

    permission = "view"
    in_flower_2 = False

    async def get(self) -> None:
        """The description of this server's API."""
        await self.reply(document, self.site.url_prefix)
