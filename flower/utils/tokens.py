"""Tokens that confirm: what a person was shown is what is done.

A token holds the number that was shown and is signed together with what it is about.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time

MAX_AGE_SECONDS = 120.0


def token_for(secret: bytes, number: int, *facts: object, now: float | None = None) -> str:
    """A token for doing what `facts` say to at most `number` things."""
    issued = int(time.time() if now is None else now)
    return f"{number}-{issued}-{_signature(secret, number, issued, facts)}"


def confirms(
    secret: bytes,
    token: str,
    number: int,
    *facts: object,
    max_age_seconds: float = MAX_AGE_SECONDS,
    now: float | None = None,
) -> bool:
    """Whether the token is ours, is about the same, is not too old, and `number` has not grown since."""
    parts = token.split("-")
    if len(parts) != 3 or not all(part.isascii() and part.isdecimal() and len(part) < 16 for part in parts[:2]):
        return False
    shown, issued = int(parts[0]), int(parts[1])
    if not hmac.compare_digest(parts[2].encode("utf-8", "replace"), _signature(secret, shown, issued, facts).encode()):
        return False
    age = (time.time() if now is None else now) - issued
    return number <= shown and age <= max_age_seconds


def _signature(secret: bytes, number: int, issued: int, facts: tuple[object, ...]) -> str:
    signed = json.dumps([number, issued, *facts], sort_keys=True, default=str).encode()
    return hmac.new(secret, signed, hashlib.sha256).hexdigest()[:32]
