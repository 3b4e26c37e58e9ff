"""Sessions: who logged in through a provider, until when, and who was logged out.

The cookie says who it is and is signed; what it says counts only as long as the session is known here and was not
ended. With a `cookie_secret` of the operator's own, sessions of other servers with the same one, and of this one
before a restart, are taken over.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

KNOWN_MOST = 10_000
ENDED_MOST = 100_000
MINUTE = 60.0
HOUR = 3600.0


@dataclass(slots=True)
class Session:
    """One browser of one user. Times are seconds since the epoch."""

    id: str
    name: str
    groups: tuple[str, ...]
    began: float
    seen: float

    @property
    def mark(self) -> str:
        """By what the audit knows it: nobody can make a session of it."""
        return mark_of(self.id)

    def packed(self) -> str:
        """What the cookie holds."""
        return orjson.dumps([self.id, self.name, self.groups, self.began]).decode()


class Sessions:
    """The sessions of one server. `lifetime_hours` is counted from the login, `idle_hours` from the last request."""

    def __init__(
        self,
        lifetime_hours: float = 168.0,
        idle_hours: float = 24.0,
        takes_over: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lifetime = lifetime_hours * HOUR
        self.idle = idle_hours * HOUR
        self.takes_over = takes_over
        self._clock = clock
        self._known: dict[str, Session] = {}
        self._ended: dict[str, float] = {}
        self._ended_before: set[str] = set()
        """Marks of those that were ended before this process began."""
        self._floor = 0.0
        """Sessions that began no later are not taken over: some of them may have been ended."""

    def __len__(self) -> int:
        return len(self._known)

    def begin(self, name: str, groups: Sequence[str] = ()) -> Session:
        """A new session."""
        now = self._clock()
        return self._keep(Session(secrets.token_urlsafe(32), name, tuple(groups), now, now))

    def find(self, packed: bytes | str | None) -> Session | None:
        """The session of a cookie whose signature was checked, if it goes on."""
        told = _unpacked(packed)
        if told is None:
            return None
        now = self._clock()
        session = self._known.get(told.id)
        if session is None:
            if not self.takes_over or told.id in self._ended or told.mark in self._ended_before:
                return None
            if told.began <= self._floor:
                return None
            told.seen = now
            session = self._keep(told) if self._fresh(told, now) else None
        elif not self._fresh(session, now):
            self.end(session.id)
            return None
        if session is not None:
            session.seen = now
        return session

    def alive(self, id: str) -> bool:
        """Whether a session goes on; asking does not prolong it."""
        session = self._known.get(id)
        return session is not None and self._fresh(session, self._clock())

    def end(self, id: str) -> None:
        """Nobody can use it any more."""
        session = self._known.pop(id, None)
        if session is None:
            return
        self._ended[id] = session.began
        if len(self._ended) > ENDED_MOST:
            now = self._clock()
            self._ended = {other: began for other, began in self._ended.items() if now - began < self.lifetime}
            while len(self._ended) > ENDED_MOST:
                self._floor = max(self._floor, self._ended.pop(next(iter(self._ended))))

    def end_before(self, marks: Iterable[str]) -> None:
        """Take over none of these."""
        self._ended_before.update(marks)

    def begin_anew(self) -> None:
        """Take over none that began before now."""
        self._floor = self._clock()

    def end_all(self, name: str) -> int:
        """End every session of a user; how many there were."""
        found = [session.id for session in self._known.values() if session.name == name]
        for known in found:
            self.end(known)
        return len(found)

    def _keep(self, session: Session) -> Session:
        if len(self._known) >= KNOWN_MOST:
            now = self._clock()
            for other in [each for each in self._known.values() if not self._fresh(each, now)]:
                self.end(other.id)
            while len(self._known) >= KNOWN_MOST:
                self.end(min(self._known.values(), key=lambda each: each.seen).id)
        self._known[session.id] = session
        return session

    def _fresh(self, session: Session, now: float) -> bool:
        # A session of another server may have begun a little in our future.
        return -MINUTE <= now - session.began < self.lifetime and now - session.seen < self.idle


def mark_of(id: str) -> str:
    """See `Session.mark`."""
    return hashlib.sha256(id.encode()).hexdigest()[:16]


def _unpacked(packed: bytes | str | None) -> Session | None:
    try:
        fields: Any = orjson.loads(packed or b"")
        key, name, groups, began = fields
    except (TypeError, ValueError):
        return None
    if not isinstance(key, str) or not isinstance(name, str) or not isinstance(began, int | float):
        return None
    return Session(key, name, tuple(map(str, groups)), float(began), float(began))
