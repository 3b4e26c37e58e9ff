"""One answer for all who look at the same: fifty open tabs cost little more than one.

After each message of the hub every tab asks for the regions that it shows. The first request draws, those that come
meanwhile wait for it, and those that come after get what it drew: until the next message, which is sent whenever
something changed since, and for two seconds at most. On the loop's thread.
"""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import Awaitable, Hashable
from dataclasses import dataclass, field
from typing import Any

from flower import web

KEPT_SECONDS = 2.0
WAIT_SECONDS = 10.0
MOST_ENTRIES = 500
LARGEST = 2_000_000
"""Bytes from which an answer is not kept for others."""
PACKED_FROM = 1024

ASKED_BY = ("HX-Target", "HX-Trigger", "HX-History-Restore-Request", "Accept")
"""The headers that an answer may depend on."""
TOLD = ("Content-Type", "Cache-Control", "Vary", "HX-Replace-Url")
"""The headers that go with an answer to everybody."""


@dataclass(slots=True)
class Drawn:
    """An answer and the headers that go with it; `packed` is its compressed form where that is worth it."""

    headers: dict[str, str]
    body: bytes
    packed: bytes | None


@dataclass(slots=True)
class Entry:
    """An answer that is made or was made, and when that began."""

    began: float
    answer: asyncio.Future[Drawn | None]


@dataclass(slots=True)
class Drawings:
    """The answers since the last message of the hub."""

    generation: int = -1
    entries: dict[Hashable, Entry] = field(default_factory=dict)

    def find(self, key: Hashable, generation: int, now: float) -> Entry | None:
        """What is still true."""
        if generation != self.generation:
            self.generation, self.entries = generation, {}
        entry = self.entries.get(key)
        return entry if entry is not None and now - entry.began < KEPT_SECONDS else None

    def begin(self, key: Hashable, now: float) -> asyncio.Future[Drawn | None]:
        """Somebody draws it; the future is to be given the answer, or None."""
        if len(self.entries) >= MOST_ENTRIES:
            self.entries.clear()
        answer: asyncio.Future[Drawn | None] = asyncio.get_running_loop().create_future()
        self.entries[key] = Entry(now, answer)
        return answer


class DrawnHandler(web.BaseHandler):
    """Answers what scripts of open pages ask for with what was drawn for others, if there is something."""

    _drawing: asyncio.Future[Drawn | None] | None = None
    unshown = frozenset(prefix + name for name in ("flower_session", "flower_login") for prefix in ("", "__Host-"))
    """Cookies that differ from browser to browser and on which no page depends."""

    def prepare(self) -> Awaitable[None] | None:
        """Refuse what is not allowed; then look for an answer."""
        super().prepare()
        if self._finished:
            return None
        headers, user, hub = self.request.headers, self.current_user, self.cluster.hub
        asks = headers.get("HX-Request") or headers.get("Accept") == "application/json"
        # Nobody listens, nobody is told what changed: then every answer is a new one.
        if self.request.method != "GET" or not asks or not hub.listeners or user is None:
            return None
        drawings: Drawings = self.site.kept.setdefault("drawings", Drawings())
        wishes = tuple(sorted((name, held.value) for name, held in self.cookies.items() if name not in self.unshown))
        key = (self.request.uri, user.name, user.role, wishes, *(headers.get(name) for name in ASKED_BY))
        now = time.monotonic()
        entry = drawings.find(key, hub.generation, now)
        # Who has just changed something wants to see it.
        if entry is None or headers.get("Cache-Control") == "no-cache":
            self._drawing = drawings.begin(key, now)
            return None
        return self._share(entry)

    async def _share(self, entry: Entry) -> None:
        try:
            drawn = await asyncio.wait_for(asyncio.shield(entry.answer), WAIT_SECONDS)
        except asyncio.TimeoutError:
            return
        if drawn is not None:
            self._tell(drawn)

    def _tell(self, drawn: Drawn) -> None:
        for name, value in drawn.headers.items():
            self.set_header(name, value)
        if drawn.packed is not None and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            super().finish(drawn.packed)
        else:
            super().finish(drawn.body)

    def finish(self, chunk: Any = None) -> asyncio.Future[None]:
        """Answer, and leave the answer to others."""
        drawing, self._drawing = self._drawing, None
        if drawing is None or drawing.done():
            return super().finish(chunk)
        if chunk is not None:
            self.write(chunk)
        body = b"".join(self._write_buffer)
        plain = self.get_status() == 200 and not self._headers_written and len(body) <= LARGEST
        if not plain or hasattr(self, "_new_cookie") or "Content-Encoding" in self._headers:
            drawing.set_result(None)
            return super().finish()
        told = {name: self._headers[name] for name in TOLD if name in self._headers}
        packed = gzip.compress(body, 5, mtime=0) if len(body) >= PACKED_FROM else None
        drawing.set_result(Drawn(told, body, packed))
        if packed is not None and "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self._write_buffer = [packed]
        return super().finish()

    def on_finish(self) -> None:
        """However it ended: nobody waits any longer."""
        drawing, self._drawing = self._drawing, None
        if drawing is not None and not drawing.done():
            drawing.set_result(None)
