"""All clusters of the server on one page: which one is ill, and the way to it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from flower.health import Finding
from flower.site import Site
from flower.standing import Standing
from flower.utils.texts import say
from flower.views import BaseHandler, address
from flower.views.judgement import findings_of
from flower.web import NotFoundError

FINDINGS_MOST = 3
"""The overview of the cluster has the others."""
WORST_FIRST = ("bad", "warn", "unknown", "well")


@dataclass(frozen=True, slots=True)
class Row:
    """One cluster. `waiting` are the messages in its queues, None where nobody could count them.

    `findings` have the address of the page where something can be done.
    """

    name: str
    path: str
    standing: Standing
    waiting: int | None
    stored: int
    findings: list[tuple[Finding, str]]

    @property
    def kind(self) -> str:
        """How bad it is, with all that was found: that of the standing, or worse."""
        found = {self.standing.kind, *(finding.severity for finding, _ in self.findings)}
        return next(kind for kind in WORST_FIRST if kind in found)


class ClustersView(BaseHandler):
    """GET /clusters, and / where the server watches several."""

    of_cluster: ClassVar[bool] = False

    async def get(self) -> None:
        fleet = self.site.fleet
        if not fleet.sites:
            raise NotFoundError(f"Nothing is found at {self.request.path}")
        standings = fleet.standings()
        found = await asyncio.gather(*(findings_of(site) for site in fleet.sites.values()))
        rows = [
            row_of(site, standings[name], listed)
            for (name, site), listed in zip(fleet.sites.items(), found, strict=True)
        ]
        # The switch of another page is drawn anew here.
        tab = self.get_argument("tab", "")
        self.show("clusters.html", {"clusters": "clusters_list.html"}, title=say("clusters.title"), rows=rows, tab=tab)


def row_of(site: Site, standing: Standing, found: list[Finding]) -> Row:
    """What the page tells of a cluster."""
    report = site.cluster.queues.last
    counted = report is not None and report.error is None
    waiting = sum(queue.ready or 0 for queue in report.queues) if report is not None and counted else None
    findings = [(each, address(site.url_prefix, *each.where, **each.arguments)) for each in found[:FINDINGS_MOST]]
    return Row(site.name, f"{site.url_prefix}/", standing, waiting, site.cluster.store.tasks, findings)
