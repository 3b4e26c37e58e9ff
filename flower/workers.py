"""The workers of a cluster: a bounded table that knows what changed."""

from __future__ import annotations

from typing import Any

from flower.worker import Worker

Facts = dict[str, dict[str, Any]]


class Workers(dict[str, Worker]):
    """Workers by name; at most `limit`, the one that was silent for longest makes room.

    Guarded by the lock of the state that holds it.
    """

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit
        self._appeared: dict[str, None] = {}
        self._changed: set[str] = set()
        self._gone: set[str] = set()

    def recall(self, known: Facts) -> None:
        """Take in who was known before; of those that were heard of since then, nothing."""
        for name, facts in known.items():
            if name not in self:
                self[name] = Worker.restore(name, facts)

    def hear(self, type_: str, host: str, event: dict[str, Any], now: float) -> None:
        """Take in a `worker-*` event."""
        worker = self._known(host)
        if type_ != "worker-offline" and not worker.status(now):
            self._appeared[host] = None
        worker.hear(type_.removeprefix("worker-"), event, now)
        worker.count(type_, 1)

    def count(self, type_: str, host: str, number: int, now: float) -> None:
        """Count so many task events of one type."""
        worker = self._known(host)
        worker.count(type_, number)
        worker.last_seen = now

    def appeared(self) -> list[str]:
        """Who came online since the last call."""
        names, self._appeared = list(self._appeared), {}
        return names

    def forget_silent(self, seconds: float, now: float) -> list[str]:
        """Drop who is offline and was not heard of for so long; returns the names."""
        silent = [worker for worker in self.values() if not worker.status(now)]
        names = [worker.hostname for worker in silent if now - worker.last_seen >= seconds]
        for name in names:
            self._forget(name)
        return names

    def take_changes(self) -> tuple[Facts, list[str]]:
        """The facts of those that changed since the last call, and the names of those that are gone."""
        facts = {name: self[name].facts() for name in self._changed}
        gone = list(self._gone)
        self._changed.clear()
        self._gone.clear()
        return facts, gone

    def _known(self, host: str) -> Worker:
        worker = self.get(host)
        if worker is None:
            if len(self) >= self.limit:
                self._forget(min(self.values(), key=lambda known: known.last_seen).hostname)
            worker = self[host] = Worker(host)
            self._gone.discard(host)
        self._changed.add(host)
        return worker

    def _forget(self, name: str) -> None:
        del self[name]
        self._changed.discard(name)
        self._gone.add(name)
