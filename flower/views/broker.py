"""The broker and its queues."""

from __future__ import annotations

from flower.views import BaseHandler


class BrokerView(BaseHandler):
    """GET /broker: every queue, consumed or not."""

    tab = "broker"

    async def get(self) -> None:
        report = await self.cluster.queues.read()
        self.show(
            "broker.html",
            {"queues": "broker_queues.html"},
            title="Broker",
            report=report,
            detailed=any(queue.ready is not None or queue.unacked is not None for queue in report.queues),
            idle=any(queue.idle_since for queue in report.queues),
        )
