"""The processes that share a database: each is seen by the others, and one of them leads.

All methods but `all` and the properties belong to the writer's thread. Who leads holds an advisory lock on its
connection: it is free again as soon as the server sees the connection end.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid

import psycopg

from flower.store.engine import Peer, Span
from flower.store.postgres.database import Connection
from flower.store.postgres.writer import Writer

logger = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""After which a process counts as gone."""
HUNG_SECONDS = 5.0
"""When nobody who is alive leads for so long, who holds the lock hangs."""
KEPT_SECONDS = 60.0
"""After which the one that leads forgets it. Where none is left, who comes next finds those that were killed."""

_NOW = "extract(epoch FROM clock_timestamp())"
BEAT = f"""
INSERT INTO peers (name, started, seen, leads) VALUES (%s, {_NOW}, {_NOW}, %s)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, leads = excluded.leads
"""
ALIVE = f"SELECT name, started, seen, leads FROM peers WHERE seen > {_NOW} - {SILENT_SECONDS} ORDER BY started, name"
OTHERS = "SELECT name, seen FROM peers WHERE name <> %s"
# As pg_locks shows a lock of one number.
END_HOLDER = """
SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND datname = current_database()
AND (classid::bigint << 32) | objid::bigint = %s
"""
FORGET = f"DELETE FROM peers WHERE seen < {_NOW} - {KEPT_SECONDS}"


class Peers:
    """This process among the others."""

    def __init__(self, writer: Writer, lock: int) -> None:
        self._writer = writer
        self._lock = lock
        self._led: Connection | None = None
        self._due_at = 0.0
        self._guard = threading.Lock()
        self._alive: list[Peer] = []
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._leaderless_since: float | None = None
        self.crowded = False
        """Whether another was ever seen."""
        self.interrupted: Span | None = None
        """When nobody lived before this process, after one that did not leave."""
        self._before: dict[str, float] | None = None
        """Those that had not left when it began, and when they were seen: empty once it is known whether one lives."""

    @property
    def leads(self) -> bool:
        """Whether this process holds the lock, as far as it knows."""
        return self._led is not None and not self._led.closed

    def all(self) -> list[Peer]:
        """Those alive when last seen, this process among them, the oldest first."""
        with self._guard:
            return list(self._alive)

    def attend(self) -> None:
        """Be seen and look around, if it is time. Raises psycopg.Error."""
        if time.monotonic() >= self._due_at:
            self.beat()
            self._due_at = time.monotonic() + EVERY_SECONDS

    def beat(self) -> None:
        """Be seen and look around. Raises psycopg.Error."""
        connection = self._writer.connection
        if self._led is not connection:
            (got,) = connection.execute("SELECT pg_try_advisory_lock(%s)", (self._lock,)).fetchone() or (False,)
            self._led = connection if got else None
        if self._before is None:
            self._before = dict(connection.execute(OTHERS.encode(), (self.name,)).fetchall())
        with self._writer.transaction():
            connection.execute(BEAT.encode(), (self.name, self.leads))
            if self.leads:
                connection.execute(FORGET.encode())
            rows = connection.execute(ALIVE.encode()).fetchall()
        alive = [Peer(row[0], float(row[1]), float(row[2]), row[3], row[0] == self.name) for row in rows]
        with self._guard:
            self._alive = alive
        self.crowded = self.crowded or len(alive) > 1
        self._look_back(alive)
        self._relieve(alive)

    def _look_back(self, alive: list[Peer]) -> None:
        """Learn whether this process began while no other lived: one that was killed just now is silent from now on."""
        if not self._before:
            return
        us = next(peer for peer in alive if peer.ours)
        if any(peer.seen_at > self._before.get(peer.name, peer.seen_at) for peer in alive):
            self._before = {}
        elif us.seen_at - max(self._before.values()) > SILENT_SECONDS:
            self.interrupted = max(self._before.values()), us.started_at
            self._before = {}

    def _relieve(self, alive: list[Peer]) -> None:
        """End the connection of a leader that hangs: its lock is free for the next one to try, and it is no leader."""
        now = time.monotonic()
        if any(peer.leads for peer in alive):
            self._leaderless_since = None
        elif self._leaderless_since is None:
            self._leaderless_since = now
        elif now - self._leaderless_since >= HUNG_SECONDS:
            self._leaderless_since = None
            logger.warning("The process that leads has been silent for %d s; another takes over", SILENT_SECONDS)
            try:
                self._writer.connection.execute(END_HOLDER.encode(), (self._lock,))
            except psycopg.errors.InsufficientPrivilege as error:
                logger.warning("Its connection could not be ended: %s", str(error).strip())

    def leave(self) -> None:
        """Be gone for the others at once; unless a server hangs, or was never there. Raises psycopg.Error."""
        if self._writer.idle:
            self._writer.connection.execute("DELETE FROM peers WHERE name = %s", (self.name,))
