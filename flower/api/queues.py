"""`/api/queues/length`: how much waits in each queue."""

from __future__ import annotations

from typing import Any

from flower.api import BaseApiHandler
from flower.queues import QueueReport
from flower.utils.broker import BrokerError


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
