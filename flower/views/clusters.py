"""All clusters of the server on one page: which one is ill, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from flower.site import Site
from flower.standing import Standing
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.web import NotFoundError


@dataclass(frozen=True, slots=True)
class Row:
    """One cluster. `waiting` are the messages in its queues, None where nobody could count them."""

    name: str
    path: str
    standing: Standing
    waiting: int | None
    stored: int


class ClustersView(BaseHandler):
    """GET /clusters, and / where the server watches several."""

    of_cluster: ClassVar[bool] = False

    async def get(self) -> None:
        fleet = self.site.fleet
        if not fleet.sites:
            raise NotFoundError(f"Nothing is found at {self.request.path}")
        standings = fleet.standings()
        rows = [row_of(site, standings[name]) for name, site in fleet.sites.items()]
        # The switch of another page is drawn anew here.
        tab = self.get_argument("tab", "")
        self.show("clusters.html", {"clusters": "clusters_list.html"}, title=say("clusters.title"), rows=rows, tab=tab)


def row_of(site: Site, standing: Standing) -> Row:
    """What the page tells of a cluster."""
    report = site.cluster.queues.last
    counted = report is not None and report.error is None
    waiting = sum(queue.ready or 0 for queue in report.queues) if report is not None and counted else None
    return Row(site.name, f"{site.url_prefix}/", standing, waiting, site.cluster.store.tasks)
