"""Slows down who tries too often: by counting, never by waiting."""

from __future__ import annotations

import hashlib
import ipaddress
import math
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Window:
    """The tries of one source since `began`, by fingerprint."""

    began: float
    tries: Counter[bytes] = field(default_factory=Counter)


class Throttle:
    """Lets each source try so many different things, and each thing so often, in so many seconds.

    Both are counted, so that one program with an old password locks out itself, not those who share its address.
    Belongs to one thread. At most `sources` are remembered; the longest known are forgotten first.
    """

    def __init__(
        self,
        limit: int = 10,
        seconds: float = 60.0,
        sources: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._seconds = seconds
        self._sources = sources
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._pepper = secrets.token_bytes(16)

    def wait(self, source: str, what: bytes) -> int:
        """Whole seconds until the source may try this again; 0 for at once."""
        window = self._window(source)
        if window is None:
            return 0
        tries = window.tries
        if len(tries) < self._limit and tries[self._fingerprint(what)] < self._limit:
            return 0
        return max(1, math.ceil(window.began + self._seconds - self._clock()))

    def count(self, source: str, what: bytes) -> None:
        """The source tried this in vain."""
        window = self._window(source)
        if window is None:
            if len(self._windows) >= self._sources:
                del self._windows[next(iter(self._windows))]
            window = self._windows[source_of(source)] = _Window(self._clock())
        if len(window.tries) < self._limit or self._fingerprint(what) in window.tries:
            window.tries[self._fingerprint(what)] += 1

    def _window(self, source: str) -> _Window | None:
        name = source_of(source)
        window = self._windows.get(name)
        if window is not None and self._clock() - window.began >= self._seconds:
            del self._windows[name]
            return None
        return window

    def _fingerprint(self, what: bytes) -> bytes:
        """What was tried may be nearly a password, and is not kept."""
        return hashlib.blake2b(what, digest_size=8, key=self._pepper).digest()


def source_of(address: str) -> str:
    """Who is counted as one: an IPv4 address, or the 64 bits of an IPv6 network that one customer gets."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(known, ipaddress.IPv6Address):
        if known.ipv4_mapped is not None:
            return str(known.ipv4_mapped)
        return str(ipaddress.ip_network((int(known) >> 64 << 64, 64)))
    return address
