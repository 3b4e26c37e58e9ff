"""Which other web sites may use the API from a browser: the `cors_origins` option, and the headers that say so."""

from __future__ import annotations

import re
from collections.abc import Sequence

ANY = "*"
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@\s,*]+", re.IGNORECASE)

READ_METHODS = "GET, HEAD, OPTIONS"
METHODS = "GET, HEAD, POST, OPTIONS"


def is_origin(text: str) -> bool:
    """Whether a text names one origin, or all."""
    return text == ANY or _ORIGIN.fullmatch(text) is not None


class Origins:
    """The named origins. `*` lets every site read, and none command."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in names)

    @property
    def any(self) -> bool:
        """Whether every site may read."""
        return ANY in self._names

    def named(self, origin: str | None) -> bool:
        """Whether exactly this origin is in the list."""
        return origin is not None and origin != ANY and origin.lower() in self._names

    def headers(self, origin: str | None) -> dict[str, str]:
        """What an answer of the API says to a browser that was sent by `origin`."""
        if not self._names:
            return {}
        if self.named(origin):
            return {"Vary": "Origin", "Access-Control-Allow-Origin": str(origin), **_details(METHODS)}
        if self.any:
            return {"Vary": "Origin", "Access-Control-Allow-Origin": ANY, **_details(READ_METHODS)}
        # Without it a cache would hand this answer to a named origin.
        return {"Vary": "Origin"}


def _details(methods: str) -> dict[str, str]:
    # No Access-Control-Allow-Credentials: a script must send its key itself, a browser's stored login is not used.
    return {
        "Access-Control-Allow-Methods": methods,
        "Access-Control-Allow-Headers": "authorization, content-type, last-event-id, x-requested-with",
        "Access-Control-Expose-Headers": "Allow, ETag, Retry-After",
        "Access-Control-Max-Age": "600",
    }
