"""A worker as its events show it."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from flower.utils.coercion import number, text, whole

HEARTBEATS_KEPT = 4
EXPIRY_WINDOW = 2.0
"""A worker is alive for so many heartbeat intervals after its last one (celery.events.state, 200 %)."""
EVENT_TYPES_KEPT = 64
DEFAULT_FREQUENCY_SECONDS = 60.0
LOSSES_KEPT = 10
LOSS_SECONDS = 60.0

Loss = list[Any]
"""`[since, until, events]` of events that were lost."""

FACTS = ("pid", "freq", "clock", "active", "processed", "loadavg", "sw_ident", "sw_ver", "sw_sys")


class Worker:
    """Last facts, heartbeats and counters of one worker.

    The events thread changes it under the state's lock; other threads only read. Times are local:
    a worker's wrong clock does not make it look dead.
    """

    __slots__ = (
        *("booted", "counts", "heartbeats", "hostname", "last_seen", "losses", "lost", "offline", "online_since"),
        *FACTS,
    )

    hostname: str
    pid: int | None
    freq: float
    clock: int | None
    active: int | None
    processed: int | None
    loadavg: list[float] | None
    sw_ident: str | None
    sw_ver: str | None
    sw_sys: str | None

    def __init__(self, hostname: str) -> None:
        self.hostname = hostname
        self.heartbeats: list[float] = []
        self.counts: Counter[str] = Counter()
        self.online_since: float | None = None
        self.booted: float | None = None
        """When its process began, by its own clock; None when that was before we listened."""
        self.last_seen = 0.0
        self.offline = False
        """Whether it said goodbye."""
        self.lost = 0
        """How many of its events are known to be lost."""
        self.losses: list[Loss] = []
        """When that was, the last few times."""
        for fact in FACTS:
            setattr(self, fact, None)
        self.freq = DEFAULT_FREQUENCY_SECONDS

    def hear(self, kind: str, event: dict[str, Any], now: float) -> None:
        """Take in a `worker-*` event; `kind` is what follows the dash."""
        self.last_seen = now
        before = self.pid
        self._learn(event)
        if kind == "online" or (before is not None and before != self.pid):
            self.booted = number(event.get("timestamp")) or now
        if kind == "offline":
            self.heartbeats.clear()
            self.offline = True
            self.active = 0
            return
        if kind == "online" or not self.status(now):
            self.online_since = now
        self.offline = False
        if kind in ("online", "heartbeat"):
            self.heartbeats.append(now)
            del self.heartbeats[:-HEARTBEATS_KEPT]

    def count(self, type_: str, number: int) -> None:
        """Count events; types beyond `EVENT_TYPES_KEPT` are counted together."""
        if type_ not in self.counts and len(self.counts) >= EVENT_TYPES_KEPT:
            type_ = "other"
        self.counts[type_] += number

    def lose(self, number: int, since: float, until: float) -> None:
        """Events of it were lost; losses within a minute count as one."""
        self.lost += number
        *before, (began, ended, fewer) = self.losses or [[since, since, 0]]
        if since - ended >= LOSS_SECONDS:
            before, began, fewer = self.losses, since, 0
        self.losses = [*before[-LOSSES_KEPT + 1 :], [began, until, fewer + number]]

    def _learn(self, event: dict[str, Any]) -> None:
        for fact in ("pid", "clock", "active", "processed"):
            if fact in event:
                setattr(self, fact, whole(event[fact]))
        for fact in ("sw_ident", "sw_ver", "sw_sys"):
            if fact in event:
                setattr(self, fact, text(event[fact]))
        frequency = number(event.get("freq"))
        if frequency is not None and frequency > 0:
            self.freq = frequency
        load = event.get("loadavg")
        if isinstance(load, (list, tuple)):
            self.loadavg = [value for value in map(number, load[:3]) if value is not None]

    @property
    def expires(self) -> float | None:
        """When it counts as offline unless it is heard of again; None when it already does."""
        if not self.heartbeats:
            return None
        return self.heartbeats[-1] + self.freq * EXPIRY_WINDOW

    def status(self, now: float) -> bool:
        """Whether it is alive at `now`."""
        expires = self.expires
        return expires is not None and now < expires

    @property
    def alive(self) -> bool:
        """Whether it is alive now."""
        return self.status(time.time())

    def as_dict(self) -> dict[str, Any]:
        """Flower 2.x's row: a counter for each event type seen, then the facts, then `status`."""
        facts = {fact: getattr(self, fact) for fact in FACTS}
        return {
            **self.counts,
            "hostname": self.hostname,
            **facts,
            "heartbeats": self.heartbeats[:],
            "status": self.alive,
        }

    def facts(self) -> dict[str, Any]:
        """What a restart should still know; `restore` reads it."""
        kept = ("booted", "losses", "lost", "online_since", "last_seen", "offline", *FACTS)
        return {"counts": dict(self.counts), **{name: getattr(self, name) for name in kept}}

    @classmethod
    def restore(cls, hostname: str, facts: dict[str, Any]) -> Worker:
        """The worker that `facts` describes, offline until it is heard of."""
        worker = cls(hostname)
        for name, value in facts.items():
            if name == "counts":
                worker.counts.update(value)
            elif name in cls.__slots__:
                setattr(worker, name, value)
        return worker


def producer_of(host: str) -> str:
    """`gen12288@vm` -> `gen@vm`: every process that sends tasks has a name of its own."""
    name, at, machine = host.partition("@")
    return name.rstrip("0123456789") + at + machine
