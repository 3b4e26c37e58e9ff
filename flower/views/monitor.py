"""`/metrics` and `/healthcheck`: for machines that watch, without login unless one is asked for."""

from __future__ import annotations

import gzip

from flower.cluster import Cluster
from flower.web import BaseHandler

COMPRESSION = 1
"""The text repeats itself: more effort makes it a tenth smaller, and takes three times as long."""


class Metrics(BaseHandler):
    """GET /metrics"""

    permission = "metrics"

    async def get(self) -> None:
        """The metrics in the text format that the client asks for.

        `metrics_auth` protects it, and so does `tornado.web.authenticated` around `Metrics.get`, as in Flower 2.x.
        """
        headers = self.request.headers
        packed = "gzip" in headers.get("Accept-Encoding", "")
        body, content_type = await self.run(_rendered, self.cluster, headers.get("Accept", ""), packed)
        self.set_header("Content-Type", content_type)
        if packed:
            self.set_header("Content-Encoding", "gzip")
        self.set_header("Vary", "Accept, Accept-Encoding")
        self.finish(body)

    def compute_etag(self) -> str | None:
        """None: no two answers are the same, and hashing some megabytes would hold up the loop."""
        return None


def _rendered(cluster: Cluster, accept: str, packed: bool) -> tuple[bytes, str]:
    """The metrics, and their content type. Compressing some megabytes would hold up the loop."""
    body, content_type = cluster.metrics.render(accept)
    return gzip.compress(body, COMPRESSION) if packed else body, content_type


class Healthcheck(BaseHandler):
    """GET /healthcheck"""

    permission = "public"
    any_host = True

    async def get(self) -> None:
        """`OK` while the server lives; with `ready`, 503 and the reasons when it cannot do its work."""
        problems = troubles(self.cluster) if self.get_argument("ready", False, type=bool) else []
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        if problems:
            self.set_status(503)
        self.finish("\n".join(problems) or "OK")


def troubles(cluster: Cluster) -> list[str]:
    """Why events cannot be received or kept at the moment."""
    found = []
    if not cluster.events.connected:
        found.append(f"broker: {cluster.events.failure or 'not connected yet'}")
    if cluster.store.failing_since is not None:
        found.append(f"store: {cluster.store.failure}")
    return found
