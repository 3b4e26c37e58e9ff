"""`/api/queues/...`: how much waits in each queue, and how much did."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

from flower.api import BaseApiHandler
from flower.api.stats import seconds
from flower.backlog import POINTS, columns_of, query_for, steps_of
from flower.queues import QueueReport
from flower.store.depths import RETENTION_SECONDS, SAMPLE_SECONDS, DepthQuery
from flower.utils.arguments import ArgumentError
from flower.utils.broker import BrokerError

WINDOW = "1h"
POINTS_MOST = 1_500
"""Points of one queue; of all queues together at most POINTS each."""


class GetQueueLengths(BaseApiHandler):
    """GET /api/queues/length"""

    permission = "view"

    async def get(self) -> None:
        """Queue names and the number of their messages, null where the broker did not tell."""
        report = await self.cluster.queues.read()
        if report.error is not None:
            raise BrokerError(report.error)
        await self.reply(_classic if self.classic else _lengths, report)


def _lengths(report: QueueReport) -> dict[str, Any]:
    return {queue.name: queue.messages for queue in report.queues}


def _classic(report: QueueReport) -> dict[str, Any]:
    queues = [{"name": queue.name, "messages": queue.messages, **queue.info} for queue in report.queues]
    return {"active_queues": queues}


class GetQueueHistory(BaseApiHandler):
    """GET /api/queues/history"""

    permission = "view"

    async def get(self) -> None:
        """How deep queues were, in steps of a window that ends now."""
        now = time.time()
        await self.reply(self._answer, self._query(now), now)

    def _query(self, now: float) -> DepthQuery:
        queue = self.get_argument("queue") or None
        window = seconds("window", self.get_argument("window") or WINDOW)
        if window > RETENTION_SECONDS:
            raise ArgumentError(
                f"Invalid window, depths are kept for {RETENTION_SECONDS // 86_400} days", argument="window"
            )
        text = self.get_argument("step")
        step = seconds("step", text) if text else None
        if step is not None and step % SAMPLE_SECONDS:
            raise ArgumentError(f"Invalid step {text!r}, expected a multiple of {SAMPLE_SECONDS} seconds", "step")
        most = POINTS_MOST if queue else POINTS
        if step is not None and window / step > most:
            what = "" if queue else " of all queues"
            raise ArgumentError(
                f"Invalid step, it makes {window // step} points and at most {most}{what} are told", "step"
            )
        return query_for(now - window, now, step, queue)

    def _answer(self, query: DepthQuery, now: float) -> dict[str, Any]:
        found = self.cluster.store.depths_of(query, now)
        return {
            "from": int(query.start),
            "to": now,
            "step": query.step,
            "at": steps_of(query),
            "queues": [{"queue": name, **asdict(columns_of(points, query))} for name, points in found.items()],
        }
