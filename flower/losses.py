"""Which events of workers were lost: found by what the workers themselves count.

A heartbeat tells in `processed` how many tasks its worker has begun; for each it sends one `task-started`. Those that
are missing after the connection was away were lost. Where it was not away, the broker may have dropped them (its queues
have limits), or they are of tasks that tell nothing: the worker is asked. Lamport clocks tell which starts were sent
before a heartbeat; gaps in the clocks prove nothing, for a worker's clock also moves with what it hears of others.
Belongs to the events thread.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

from flower.utils.coercion import whole
from flower.worker import Worker

logger = logging.getLogger(__name__)

BEATS = ("worker-heartbeat", "worker-online")
SURE_AFTER = 3
"""So many heartbeats in a row must tell the same: starts may come a moment after the heartbeat that counts them."""
ASK_SECONDS = 30.0
"""Between two questions to a worker that does not answer."""

Span = tuple[float, float]
Found = tuple[int, Span]
"""How many events at least, and when."""
Answer = Callable[[bool], None]


@dataclass(slots=True)
class Beat:
    """What a heartbeat told, and how many starts were heard that were sent after it."""

    at: float
    pid: int | None
    clock: int
    processed: int
    active: int
    after: int = 0
    whole: bool = True
    """Whether all that was sent before it can have come."""


@dataclass(slots=True)
class Account:
    """One process of a worker: how many tasks it began, beside the starts that were heard.

    A task is counted a moment before its start is told, so as many as are `active` may be on their way.
    """

    beat: Beat
    """The last one. It is looked at when the next one comes: by then all that was sent before it is here."""
    starts: int = 0
    base: tuple[int, int] | None = None
    """`processed` and the starts heard, up to where both were taken as they were."""
    last: tuple[int, int] = (0, 0)
    clock: int = 0
    """The same two, and the clock, at the last heartbeat that was looked at."""
    sends: bool = False
    """Whether a start was heard since the base: only then is it known that it sends any."""
    tells: bool | None = None
    """Whether all its tasks tell their starts, None until it was asked: where not, missing starts prove nothing."""
    doubted: Found | None = None
    """What is missing though nothing kept it from being heard, until the worker was asked."""
    asked_at: float = -inf
    explained_at: float = 0.0
    """When all that it had counted was heard, the last time."""
    gap: Span | None = None
    """When nothing could be heard, until it is known what was lost then."""
    recent: deque[tuple[int, Beat]] = field(default_factory=lambda: deque(maxlen=SURE_AFTER))
    """How many starts were missing at a heartbeat."""

    def settle(self, beat: Beat) -> Found | None:
        """Compare what a heartbeat counted with what was heard; the starts that are now known to be lost."""
        heard = self.starts - beat.after
        before, self.last = self.last, (beat.processed, heard)
        clock, self.clock = self.clock, beat.clock
        if self.base is None or not self.sends:
            self.sends = self.base is not None and heard > self.base[1]
            self.base, self.explained_at = self.last, beat.at
            return None
        began, told = self.base
        missing = (beat.processed - began) - (heard - told)
        if missing < 0:
            self.base = (began, told - missing)
        mute = heard == before[1] and beat.clock - clock <= beat.processed - before[0]
        if self.gap is None and beat.processed > before[0] and mute:
            # It works and tells nothing at all, as its clock shows: its task events were switched off.
            self.base, self.sends = self.last, False
            self.recent.clear()
            return None
        self.recent.append((max(0, missing), beat))
        return self._judge() if len(self.recent) == SURE_AFTER else None

    def _judge(self) -> Found | None:
        gap, least = self.gap, min(missing for missing, _ in self.recent)
        if least == 0:
            self.gap, self.explained_at = None, self.recent[-1][1].at
        if not all(missing > beat.active for missing, beat in self.recent):
            return None
        found = least, gap or (self.explained_at, self.recent[0][1].at)
        self.base, self.gap, self.explained_at = self.last, None, self.recent[-1][1].at
        self.recent.clear()
        # Until it is heard again it may have been told to be silent.
        self.sends = gap is not None
        if self.tells is None and (gap is None or self.doubted is not None):
            number, (since, _) = self.doubted or (0, found[1])
            self.doubted = number + least, (since, found[1][1])
            return None
        return None if self.tells is False else found

    def resolve(self) -> Found | None:
        """What was doubted, if the worker answered meanwhile that it was lost."""
        if self.doubted is None or self.tells is None:
            return None
        found, self.doubted = self.doubted, None
        return found if self.tells else None


class Losses:
    """What was lost of all workers. Told to the workers of a state, in `losses` of each."""

    def __init__(self, workers: Mapping[str, Worker]) -> None:
        self._workers = workers
        self._accounts: dict[str, Account] = {}
        self.on_doubt: Callable[[str, Answer], None] | None = None
        """Is told a worker that shall be asked whether all its tasks tell events, and whom to tell: in any thread."""
        self.on_drop: Callable[[float], None] | None = None
        """Is told when events were dropped though the connection held, and until when."""

    def hear(self, events: Sequence[Any], now: float) -> None:
        """Count the starts of a batch, and compare them at each heartbeat."""
        accounts = self._accounts
        for event in events:
            if event.__class__ is not dict:
                continue
            type_ = event.get("type")
            if type_ == "task-started":
                host = event.get("hostname")
                account = accounts.get(host) if isinstance(host, str) else None
                if account is not None:
                    account.starts += 1
                    clock = event.get("clock")
                    account.beat.after += clock.__class__ is not int or clock > account.beat.clock
            elif type_ in BEATS:
                self._beat(event, now)

    def drop(self, events: Sequence[Any], now: float) -> None:
        """Count events that were heard and could not be kept."""
        hosts = (event.get("hostname") for event in events if isinstance(event, dict))
        for host, number in Counter(host for host in hosts if isinstance(host, str)).items():
            worker = self._workers.get(host)
            if worker is not None:
                worker.lose(number, now, now)

    def miss(self, until: float) -> None:
        """Nothing could be heard for a while, `until` now; of each worker since it was last heard."""
        for account in self._accounts.values():
            account.gap = (account.gap[0] if account.gap else account.beat.at, until)
            account.recent.clear()
            account.beat.whole = False

    def _beat(self, event: dict[str, Any], now: float) -> None:
        host, pid = event.get("hostname"), whole(event.get("pid"))
        clock, processed = whole(event.get("clock")), whole(event.get("processed"))
        worker = self._workers.get(host) if isinstance(host, str) else None
        if not isinstance(host, str) or worker is None or clock is None or processed is None:
            return
        beat = Beat(now, pid, clock, processed, whole(event.get("active")) or 0)
        account = self._accounts.get(host)
        if (
            account is None
            or account.beat.pid != pid
            or clock < account.beat.clock
            or processed < account.beat.processed
        ):
            # Another process, that counts from the beginning.
            self._accounts[host] = Account(beat)
            self._forget_gone()
            return
        settled, account.beat = account.beat, beat
        was_away = account.gap is not None
        self._tell(worker, account.settle(settled) if settled.whole else None, was_away=was_away)
        self._ask(worker, account, now)
        self._tell(worker, account.resolve(), was_away=False)

    def _ask(self, worker: Worker, account: Account, now: float) -> None:
        """Have the worker asked about what is doubted, unless that was done of late."""
        if account.tells is None and account.doubted and self.on_doubt and now - account.asked_at >= ASK_SECONDS:
            account.asked_at = now
            self.on_doubt(worker.hostname, partial(setattr, account, "tells"))

    def _tell(self, worker: Worker, found: Found | None, *, was_away: bool) -> None:
        if found is None:
            return
        number, span = found
        worker.lose(number, *span)
        why = "while nothing could be heard" if was_away else "though the connection held"
        logger.warning("At least %d events of %s were lost %s", number, worker.hostname, why)
        if not was_away and self.on_drop is not None:
            self.on_drop(span[1])

    def _forget_gone(self) -> None:
        if len(self._accounts) > 2 * len(self._workers) + SURE_AFTER:
            self._accounts = {host: each for host, each in self._accounts.items() if host in self._workers}
