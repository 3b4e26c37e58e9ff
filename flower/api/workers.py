"""`/api/workers`: what is known of the workers, from their events and from asking them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from flower.api import BaseApiHandler
from flower.utils import shapes
from flower.web import NotFoundError


class ListWorkers(BaseApiHandler):
    """GET /api/workers"""

    permission = "view"

    async def get(self) -> None:
        """`refresh` asks the workers first, `status` gives only who is alive, `workername` only one worker."""
        refresh = self.get_argument("refresh", False, type=bool)
        status = self.get_argument("status", False, type=bool)
        name = self.get_argument("workername") or None
        if refresh:
            await asyncio.gather(*self.cluster.inspector.inspect(name))
        if status:
            await self.reply(self._statuses, None if self.classic else name)
        elif self.classic:
            await self.reply(self._inspected, name)
        else:
            await self.reply(self._workers, name)

    def _seen(self) -> dict[str, dict[str, Any]]:
        """The workers known from events."""
        now = time.time()
        state = self.cluster.state
        with state.lock:
            return {
                name: {**worker.as_dict(), "status": worker.status(now), "lost": worker.lost, "losses": worker.losses}
                for name, worker in state.workers.items()
            }

    def _statuses(self, name: str | None) -> dict[str, bool]:
        seen = {worker: facts["status"] for worker, facts in self._seen().items()}
        if name is None:
            return seen
        if name not in seen:
            raise NotFoundError(f"Unknown worker {name!r}")
        return {name: seen[name]}

    def _inspected(self, name: str | None) -> dict[str, dict[str, Any]]:
        """As in Flower 2.x: only what the workers answered when they were last asked."""
        workers = self._facts()
        if name is None:
            return workers
        if name not in workers:
            raise NotFoundError(f"Unknown worker {name!r}")
        return {name: workers[name]}

    def _facts(self) -> dict[str, dict[str, Any]]:
        """What the workers answered, with their tasks as they may be shown."""
        shown = self.site.shown
        return {worker: shown.facts(worker, facts) for worker, facts in list(self.cluster.inspector.workers.items())}

    def _workers(self, name: str | None) -> dict[str, dict[str, Any]]:
        now = time.time()
        seen = self._seen()
        inspector = self.cluster.inspector
        inspected = self._facts()
        names = sorted(seen.keys() | inspected.keys())
        if name is not None:
            if name not in names:
                raise NotFoundError(f"Unknown worker {name!r}")
            names = [name]
        return {
            worker: shapes.worker(seen.get(worker), inspected.get(worker, {}), inspector.failures.get(worker), now)
            for worker in names
        }
