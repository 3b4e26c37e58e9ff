"""Attempts to log in: from the way to the provider to the way back, once each, in the same browser.

An attempt travels in a signed cookie, so that several servers with one `cookie_secret` can share the work; those
that were used are remembered here until they are too old to be used again.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import orjson

from flower.login.faults import LoginFault

MINUTES = 10
KEPT_MOST = 3
"""Attempts of one browser: a login in each of a few tabs."""
COOKIE_MOST = 2_400
"""Characters; signed they are a third more, and browsers drop cookies of more than 4096."""
USED_MOST = 100_000

STALE = "This login does not belong to this browser, was used already, or is older than 10 minutes"


@dataclass(frozen=True, slots=True)
class Attempt:
    """`state` comes back with the browser, `nonce` in the token, `verifier` proves who began (RFC 7636)."""

    state: str
    nonce: str
    verifier: str
    next: str
    began: float

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier."""
        return base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=").decode()


def new_attempt(next: str, now: float) -> Attempt:
    """An attempt that leads to `next`."""
    return Attempt(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48), next, now)


def pack(attempts: Sequence[Attempt]) -> str:
    """The newest attempts as a text for the cookie: the last one, and those before it that fit."""
    kept = list(attempts[-KEPT_MOST:])
    while len(kept) > 1 and len(_written(kept)) > COOKIE_MOST:
        kept.pop(0)
    return _written(kept)


def unpack(text: bytes | str | None) -> list[Attempt]:
    """The attempts of a cookie whose signature was checked; none if it is missing or of another version."""
    try:
        return [Attempt(**fields) for fields in orjson.loads(text or b"")]
    except (TypeError, ValueError):
        return []


def _written(attempts: Sequence[Attempt]) -> str:
    return orjson.dumps([asdict(attempt) for attempt in attempts]).decode()


class Attempts:
    """The attempts that were used."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._used: dict[str, float] = {}

    def begin(self, next: str) -> Attempt:
        """A new attempt."""
        return new_attempt(next, self._clock())

    def take(self, held: Sequence[Attempt], state: str) -> Attempt:
        """The attempt with this state, once. Raises LoginFault."""
        now = self._clock()
        self._forget(now)
        for attempt in held:
            # Compared as bytes: what was sent may hold any letter.
            if hmac.compare_digest(attempt.state.encode(), state.encode()):
                if attempt.state in self._used or not 0 <= now - attempt.began <= MINUTES * 60:
                    break
                self._used[attempt.state] = attempt.began
                return attempt
        raise LoginFault(STALE, 403)

    def _forget(self, now: float) -> None:
        """In the order of their use, which is nearly that of their age."""
        for state, began in list(self._used.items()):
            if now - began <= MINUTES * 60 and len(self._used) <= USED_MOST:
                break
            del self._used[state]
