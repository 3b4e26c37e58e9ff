"""How well a cluster is, for the pages that say so. On the loop's thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from flower.cluster import Cluster
from flower.health import Finding, Health, Known, judge
from flower.queues import QueueReport
from flower.site import Site
from flower.store import StoreError
from flower.store.rollup_rows import Cell
from flower.views.patience import Patience
from flower.views.trends import Reading, read, read_window

logger = logging.getLogger(__name__)

RECENT = {"window": "5m"}
"""The window that failures are judged by."""
PATIENCE_SECONDS = 0.3
STANDING = ("broker", "store", "silence")
"""Findings that the standing of a cluster tells in its own words."""


def health_of(cluster: Cluster, report: QueueReport | None, recent: Mapping[str, Cell], now: float) -> Health:
    """The cluster's health by all that is known of it."""
    state, store, export = cluster.state, cluster.store, cluster.export
    with state.lock:
        workers = list(state.workers.values())
    return judge(
        Known(
            now=now,
            started_at=state.started_at,
            condition=cluster.hub.condition(now),
            workers=workers,
            facts=cluster.inspector.workers,
            report=report,
            recent=recent,
            totals=state.totals,
            last_event_at=state.last_event_at,
            store_failing_since=store.failing_since,
            store_failure=store.failure,
            interrupted=store.interrupted,
            export_failing_since=export.failing_since if export else None,
            export_failure=export.failure if export else None,
        )
    )


async def findings_of(site: Site) -> list[Finding]:
    """What is wrong within a cluster, the worst first, beside what its standing tells.

    Nobody waits for its broker, and not for long for its store: what that does not tell in time is left out.
    """
    cluster, now = site.cluster, site.cluster.state.clock()
    patience: Patience[Reading] = site.kept.setdefault("recent", Patience())
    window = read_window(RECENT.get, now)
    ask = partial(_in_thread, site, partial(read, cluster.store, window, cluster.state.started_at))
    try:
        reading = await patience.read("recent", ask, PATIENCE_SECONDS)
    except StoreError as error:
        logger.warning("What happened lately in cluster %s is not known: %s", site.name, error)
        reading = None
    recent = reading.stats.groups if reading is not None else {}
    found = health_of(cluster, cluster.queues.last, recent, now).findings
    return [finding for finding in found if finding.severity != "note" and finding.slug not in STANDING]


async def _in_thread(site: Site, call: partial[Reading]) -> Reading:
    return await asyncio.get_running_loop().run_in_executor(site.executor, call)
