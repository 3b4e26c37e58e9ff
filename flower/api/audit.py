"""`/api/audit`: who did what."""

from __future__ import annotations

from typing import Any

from flower.access import AUDIT
from flower.api import BaseApiHandler
from flower.audit import OUTCOMES
from flower.store.audit import AuditQuery
from flower.utils.arguments import ArgumentError, moment, one_of, within

LIMIT = 100
LIMIT_MOST = 1_000
OFFSET_MOST = 1_000_000


class ListAudit(BaseApiHandler):
    """GET /api/audit"""

    permission = AUDIT
    in_flower_2 = False

    async def get(self) -> None:
        """Commands and refused commands that match every given argument, newest first."""
        since, until = self._time("since"), self._time("until")
        if since is not None and until is not None and since > until:
            raise ArgumentError("Invalid since, it is later than until", "since")
        outcome = self.get_argument("outcome") or None
        query = AuditQuery(
            who=self.get_argument("who") or None,
            operation=self.get_argument("operation") or None,
            target=self.get_argument("target") or None,
            outcome=None if outcome is None else one_of("outcome", outcome, OUTCOMES),
            since=since,
            until=until,
            limit=within("limit", self.get_argument("limit", LIMIT, type=int), 0, LIMIT_MOST),
            offset=within("offset", self.get_argument("offset", 0, type=int), 0, OFFSET_MOST),
        )
        await self.reply(self._page, query)

    def _page(self, query: AuditQuery) -> dict[str, Any]:
        entries, total = self.cluster.audit.search(query)
        return {"audit": entries, "total": total, "offset": query.offset, "limit": query.limit}

    def _time(self, name: str) -> float | None:
        value = self.get_argument(name)
        return moment(name, value) if value else None
