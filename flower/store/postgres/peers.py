"""The processes that share a database: each is seen by the others, and one of them leads.

All methods but `all` and the properties belong to the writer's thread. Who leads holds an advisory lock on its
connection: it is free again as soon as the server sees the connection end.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid

from flower.store.engine import Peer
from flower.store.postgres.database import Connection
from flower.store.postgres.writer import Writer

EVERY_SECONDS = 2.0
SILENT_SECONDS = 15.0
"""After which a process counts as gone."""
KEPT_SECONDS = 3600.0

_NOW = "extract(epoch FROM clock_timestamp())"
BEAT = f"""
INSERT INTO peers (name, started, seen, leads) VALUES (%s, {_NOW}, {_NOW}, %s)
ON CONFLICT (name) DO UPDATE SET seen = excluded.seen, leads = excluded.leads
"""
ALIVE = f"SELECT name, started, seen, leads FROM peers WHERE seen > {_NOW} - {SILENT_SECONDS} ORDER BY started, name"
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
        self.crowded = False
        """Whether another was ever seen."""

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
        with self._writer.transaction():
            connection.execute(BEAT.encode(), (self.name, self.leads))
            if self.leads:
                connection.execute(FORGET.encode())
            rows = connection.execute(ALIVE.encode()).fetchall()
        alive = [Peer(row[0], float(row[1]), float(row[2]), row[3], row[0] == self.name) for row in rows]
        with self._guard:
            self._alive = alive
        self.crowded = self.crowded or len(alive) > 1

    def leave(self) -> None:
        """Be gone for the others at once; unless a server hangs, or was never there. Raises psycopg.Error."""
        if self._writer.idle:
            self._writer.connection.execute("DELETE FROM peers WHERE name = %s", (self.name,))
