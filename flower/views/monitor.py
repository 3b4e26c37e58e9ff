"""`/metrics` and `/healthcheck`: for machines that watch, without login unless one is asked for."""

from __future__ import annotations

import asyncio
import time
import zlib
from collections.abc import Iterable, Mapping

from flower.cluster import Cluster
from flower.metrics.together import format_of, merged
from flower.site import Site
from flower.utils.exposition import wants_openmetrics
from flower.web import BaseHandler

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
            openmetrics = wants_openmetrics(accept)
            content_type = format_of(openmetrics)
            texts = await texts_of(self.site.shown_sites, content_type)
            body = await self.run(_together, texts, openmetrics, packed)
        else:
            body, content_type = await self.run(_rendered, self.cluster, accept, packed)
        self.set_header("Content-Type", content_type)
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept, Accept-Encoding")
        self.finish(body)

    def compute_etag(self) -> str | None:
        """None: no two answers are the same, and hashing some megabytes would hold up the loop."""
        return None


async def texts_of(sites: Iterable[Site], accept: str) -> dict[str, str]:
    """The metrics of each cluster by its name. One that takes long, since its store hangs, is left out."""
    now, asked = time.monotonic(), {}
    for site in sites:
        since, asking = site.kept.get(("metrics", accept), (0.0, None))
        if asking is None or asking.done():
            since, asking = now, asyncio.wrap_future(site.executor.submit(site.cluster.metrics.render, accept))
            site.kept["metrics", accept] = since, asking
        asked[site.name] = since, asking
    waiting = {asking for since, asking in asked.values() if now - since < PATIENCE_SECONDS}
    if waiting:
        await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
    return {name: asking.result()[0].decode() for name, (_, asking) in asked.items() if asking.done()}


def _together(texts: Mapping[str, str], openmetrics: bool, packed: bool) -> bytes:
    body = merged(texts, openmetrics)
    return compressed([body]) if packed else body


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
