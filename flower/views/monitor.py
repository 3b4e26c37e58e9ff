"""`/metrics` and `/healthcheck`: for machines that watch, without login unless one is asked for."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Iterable
from typing import TypeVar

from flower.cluster import Cluster
from flower.metrics import Metrics as ClusterMetrics
from flower.metrics import protobuf, together
from flower.site import Site
from flower.utils.exposition import OPENMETRICS, PROMETHEUS, PROTOBUF, wants_openmetrics, wants_protobuf
from flower.web import BaseHandler

logger = logging.getLogger(__name__)
T = TypeVar("T")

COMPRESSION = 1
"""The text repeats itself: more effort makes it a tenth smaller, and takes three times as long."""
GZIP = 16 + zlib.MAX_WBITS

PATIENCE_SECONDS = 1.0
"""How long the scrape of several clusters waits for one of them, the first time that it takes long."""


class Metrics(BaseHandler):
    """GET /metrics"""

    permission = "metrics"

    async def get(self) -> None:
        """The metrics in the text format that the client asks for.

        `metrics_auth` protects it, and so does `tornado.web.authenticated` around `Metrics.get`, as in Flower 2.x.
        """
        headers = self.request.headers
        accept, packed = headers.get("Accept", ""), "gzip" in headers.get("Accept-Encoding", "")
        if self.site.fleet.sites:
            body, content_type = await self._of_several(accept, packed)
        else:
            body, content_type = await self.run(_rendered, self.cluster, accept, packed)
        self.set_header("Content-Type", content_type)
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept, Accept-Encoding")
        self.finish(body)

    async def _of_several(self, accept: str, packed: bool) -> tuple[bytes, str]:
        """The metrics of all clusters, or of the one that the address names, and their content type."""
        sites = self.site.shown_sites
        if self.cluster.metrics.native and wants_protobuf(accept):
            families = await told_by(sites, PROTOBUF, lambda metrics: metrics.families())
            return await self.run(_packed, lambda: protobuf.encode(together.families(families)), packed), PROTOBUF
        kind = OPENMETRICS if wants_openmetrics(accept) else PROMETHEUS
        texts = await told_by(sites, kind, lambda metrics: metrics.render(kind)[0].decode())
        return await self.run(_packed, lambda: together.text(texts, kind == OPENMETRICS), packed), kind

    def compute_etag(self) -> str | None:
        """None: no two answers are the same, and hashing some megabytes would hold up the loop."""
        return None


async def told_by(sites: Iterable[Site], kind: str, read: Callable[[ClusterMetrics], T]) -> dict[str, T]:
    """What is read of each cluster, by its name. One that fails or takes long, since its store hangs, is left out."""
    now, asked = time.monotonic(), {}
    for site in sites:
        since, asking = site.kept.get(("metrics", kind), (0.0, None))
        if asking is None or asking.done():
            since, asking = now, asyncio.wrap_future(site.executor.submit(read, site.cluster.metrics))
            site.kept["metrics", kind] = since, asking
        asked[site.name] = since, asking
    waiting = {asking for since, asking in asked.values() if now - since < PATIENCE_SECONDS}
    if waiting:
        await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
    done = {name: asking for name, (_, asking) in asked.items() if asking.done()}
    for name, asking in done.items():
        if asking.exception() is not None:
            logger.error("The metrics of cluster %s cannot be told", name, exc_info=asking.exception())
    return {name: asking.result() for name, asking in done.items() if asking.exception() is None}


def _packed(pieces: Callable[[], Iterable[bytes]], packed: bool) -> bytes:
    return compressed(pieces()) if packed else b"".join(pieces())


def _rendered(cluster: Cluster, accept: str, packed: bool) -> tuple[bytes, str]:
    """The metrics, and their content type. Compressing some megabytes would hold up the loop."""
    pieces, content_type = cluster.metrics.pieces(accept)
    return compressed(pieces) if packed else b"".join(pieces), content_type


def compressed(pieces: Iterable[bytes]) -> bytes:
    """One gzip file of all of them, of which one is in memory at a time."""
    packer = zlib.compressobj(COMPRESSION, wbits=GZIP)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


class Healthcheck(BaseHandler):
    """GET /healthcheck"""

    permission = "public"
    any_host = True

    async def get(self) -> None:
        """`OK` while the server lives; with `ready`, 503 and the reasons when it cannot do its work.

        Of several clusters one must be ready; which ones are not is told.
        """
        ready = self.get_argument("ready", False, type=bool)
        found = {site.name: troubles(site.cluster) for site in self.site.shown_sites} if ready else {}
        # One that cannot be watched must not take those away that can.
        if found and all(found.values()):
            self.set_status(503)
        told = [f"{name}: {trouble}" if name else trouble for name, each in found.items() for trouble in each]
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish("\n".join(told if self.get_status() == 503 else ["OK", *told]))


def troubles(cluster: Cluster) -> list[str]:
    """Why events cannot be received or kept at the moment."""
    found = []
    if not cluster.events.connected:
        found.append(f"broker: {cluster.events.failure or 'not connected yet'}")
    if cluster.store.failing_since is not None:
        found.append(f"store: {cluster.store.failure}")
    return found
