"""What operations know of the watched cluster. On the web loop, but where it says otherwise."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from flower.cluster import Cluster
from flower.control import Context, Seen, task_names
from flower.control.context import REPLY_SECONDS
from flower.shown import Shown
from flower.store import FINAL_STATES, Task, TaskQuery
from flower.utils.search import And, Not, OneOf, Query, parse_query

SETTLED_SECONDS = 6.0
"""A pool tends to its processes every five seconds: until then a worker has not become what it was told to be."""
FINAL = Not(OneOf("state", "state", tuple(sorted(state.lower() for state in FINAL_STATES))))


class ClusterContext(Context):
    """The context of operations on the cluster that the server watches."""

    def __init__(self, cluster: Cluster, timeout: float, shown: Shown) -> None:
        super().__init__(cluster.capp, max(timeout, REPLY_SECONDS))
        self.cluster = cluster
        self._shown = shown

    def worker(self, name: str) -> Seen | None:
        state = self.cluster.state
        with state.lock:
            worker = state.workers.get(name)
            if worker is not None:
                alive = worker.status(time.time())
                return Seen(name, alive, worker.offline, worker.last_seen, worker.pid)
        return Seen(name) if name in self.cluster.inspector.workers else None

    def live_workers(self) -> list[str] | None:
        state, now = self.cluster.state, time.time()
        with state.lock:
            return sorted(name for name, worker in state.workers.items() if worker.status(now))

    def registered(self) -> dict[str, set[str]]:
        live = set(self.live_workers() or ())
        facts = list(self.cluster.inspector.workers.items())
        return {name: task_names(known.get("registered")) for name, known in facts if name in live}

    def refresh(self, workers: Sequence[str]) -> None:
        names = sorted(workers)
        if names:
            self.cluster.inspector.inspect(names)
            asyncio.get_running_loop().call_later(SETTLED_SECONDS, self._refresh_again, names)

    def _refresh_again(self, names: list[str]) -> None:
        if not self.pools.closed:
            self.cluster.inspector.inspect(names)

    async def task(self, uuid: str) -> Mapping[str, Any] | None:
        return await self.call(self.pools.reading, self.cluster.state.task, uuid)

    def told(self, task: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._shown.task(Task(task))

    def record(self, answer: dict[str, Any], task: Mapping[str, Any]) -> dict[str, Any]:
        return self._shown.record(answer, Task.of(dict(task)))

    async def states(self, uuids: Sequence[str]) -> dict[str, str]:
        return await self.call(self.pools.reading, self._states, uuids)

    def _states(self, uuids: Sequence[str]) -> dict[str, str]:
        tasks = ((uuid, self.cluster.state.task(uuid)) for uuid in uuids)
        return {uuid: str(task["state"]) for uuid, task in tasks if task is not None}

    async def search(self, criteria: Mapping[str, str], limit: int) -> list[str]:
        search = parse_query(criteria.get("search"))
        query = TaskQuery(
            name=criteria.get("name"),
            state=criteria.get("state"),
            worker=criteria.get("worker"),
            search=Query(And((search.root, FINAL)), search.now, search.text),
            limit=limit,
        )
        return await self.call(self.pools.reading, self._search, query)

    def _search(self, query: TaskQuery) -> list[str]:
        self.cluster.state.flush()
        return [str(task["uuid"]) for task in islice(self.cluster.store.iterate(query), query.limit)]

    async def queues(self) -> set[str]:
        report = await self.cluster.queues.read()
        return {queue.name for queue in report.queues}

    def recount(self) -> None:
        self.cluster.queues.expire()

    async def adopt(self, task: Mapping[str, Any]) -> None:
        await self.call(self.pools.reading, self.cluster.state.note, dict(task))

    def hears(self) -> bool:
        return bool(self.cluster.events.connected)

    def ended(self, uuid: str) -> bool:
        """In the thread that waits for results. A task in memory needs no look into the store."""
        state = self.cluster.state
        with state.lock:
            known = state.open_tasks.get(uuid)
            if known is not None:
                return known["state"] in FINAL_STATES
        task = state.task(uuid)
        return task is not None and task["state"] in FINAL_STATES
