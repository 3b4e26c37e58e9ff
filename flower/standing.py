"""How a cluster stands, in one word: for those who look at several at once.

Cheap: nothing is asked of a broker, a worker or a store. The overview of a cluster says more.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

from flower.cluster import Cluster

Word = Literal["unreachable", "unstored", "offline", "silent", "partly", "connecting", "empty", "well"]
KINDS: dict[Word, str] = {
    "unreachable": "bad",
    "unstored": "bad",
    "offline": "bad",
    "silent": "warn",
    "partly": "warn",
    "connecting": "unknown",
    "empty": "unknown",
    "well": "well",
}
"""How bad each is: bad, warn, unknown or well. The first that holds is told."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`word` says what is most wrong, `since` when it began and `reason` why, as far as that is known.

    `workers` are those that are known, `online` how many of them, `running` what these work on.
    """

    word: Word
    since: float | None = None
    reason: str = ""
    workers: int = 0
    online: int = 0
    running: int = 0

    @property
    def kind(self) -> str:
        return KINDS[self.word]

    @property
    def offline(self) -> int:
        return self.workers - self.online


def standing(cluster: Cluster) -> Standing:
    """How it stands now."""
    state, now = cluster.state, time.time()
    with state.lock:
        workers = list(state.workers.values())
    alive = [worker for worker in workers if worker.status(now)]
    word, since, reason = _worst(cluster, len(workers), len(alive), now)
    return Standing(word, since, reason, len(workers), len(alive), sum(worker.active or 0 for worker in alive))


def _worst(cluster: Cluster, known: int, online: int, now: float) -> tuple[Word, float | None, str]:
    condition, store = cluster.hub.condition(now), cluster.store
    if condition["kind"] == "unreachable":
        return "unreachable", condition["since"], condition["reason"] or ""
    if store.failing_since is not None:
        return "unstored", store.failing_since, store.failure or ""
    if condition["kind"] == "connecting":
        return "connecting", condition["since"], ""
    if not known:
        return "empty", None, ""
    if not online:
        return "offline", None, ""
    if condition["kind"] == "stale":
        return "silent", condition["since"], ""
    return ("partly" if online < known else "well"), None, ""
