"""The clusters that one server watches: `/api/clusters`."""

from __future__ import annotations

from typing import Any

from flower.api import BaseApiHandler
from flower.site import Site
from flower.standing import Standing
from flower.web import NotFoundError


class ListClusters(BaseApiHandler):
    """GET /api/clusters"""

    permission = "view"
    in_flower_2 = False

    async def get(self) -> None:
        """Every cluster, its address and how it stands; 404 where the server watches only one."""
        fleet = self.site.fleet
        if not fleet.sites:
            raise NotFoundError("This server watches one cluster: it was started without --clusters")
        standings = fleet.standings()
        self.write({"clusters": [_shape(site, standings[name]) for name, site in fleet.sites.items()]})


def _shape(site: Site, standing: Standing) -> dict[str, Any]:
    return {
        "name": site.name,
        "path": site.url_prefix,
        "state": standing.word,
        "since": standing.since,
        "reason": standing.reason or None,
        "workers": standing.workers,
        "online": standing.online,
        "running": standing.running,
    }
