"""A process of its own that empties a socket, holds what nobody has taken yet, and hands it on.

Redis cuts off a subscriber that lets 32 MB pile up, which is a tenth of a second of a burst: no thread that shares
an interpreter's lock with decoding and storing is there in time. Run as a file, with nothing but the standard
library: `pump.py SOURCE SINK LIMIT`, two file descriptors of sockets and a number of bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
from collections import deque

PIECE_BYTES = 65_536
"""Larger pieces of memory are fetched from the system one by one, which takes several times as long."""
TRIMMED_BYTES = 4 * 1024 * 1024
READS, WRITES = 64, 4
"""In one round: reading comes first."""


class Pump:
    """Between the descriptors of two sockets. Beyond `limit` bytes the rest is left in the source."""

    def __init__(self, source: int, sink: int, limit: int) -> None:
        self._source = source
        self._sink = sink
        self._limit = limit
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        """Bytes that are held."""
        self._most = 0
        """The same at its most, since memory was given back."""
        self._ended = False
        for each in (source, sink):
            os.set_blocking(each, False)

    def run(self) -> None:
        """Go on until the source has ended and everything is handed on, or until nobody takes it any more."""
        with contextlib.suppress(ConnectionError):
            while self._pieces or not self._ended:
                source, sink = self._wait()
                if source:
                    self._read()
                if sink & select.POLLOUT:
                    self._write()
                    if not self._pieces and self._most > TRIMMED_BYTES:
                        self._give_back()
                if sink & ~select.POLLOUT and not os.read(self._sink, 1):
                    return

    def _wait(self) -> tuple[int, int]:
        """What poll(2) says of both: select(2) takes no descriptor above 1023, and a busy server has such."""
        poll = select.poll()
        poll.register(self._sink, select.POLLIN | (select.POLLOUT if self._pieces else 0))
        if not self._ended and self.size < self._limit:
            poll.register(self._source, select.POLLIN)
        ready = dict(poll.poll())
        return ready.get(self._source, 0), ready.get(self._sink, 0)

    def _read(self) -> None:
        for _ in range(READS):
            try:
                piece = os.read(self._source, PIECE_BYTES)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            if not piece:
                self._ended = True
                return
            self._pieces.append(piece)
            self.size += len(piece)
            self._most = max(self._most, self.size)
            if self.size >= self._limit:
                return

    def _give_back(self) -> None:
        """Return to the system what the C library keeps of the memory of a burst."""
        self._most = 0
        with contextlib.suppress(AttributeError):  # only glibc has it
            ctypes.CDLL(None).malloc_trim(0)

    def _write(self) -> None:
        for _ in range(WRITES):
            if not self._pieces:
                return
            piece = self._pieces.popleft()
            try:
                sent = os.write(self._sink, piece)
            except BlockingIOError:
                sent = 0
            self.size -= sent
            if sent < len(piece):
                self._pieces.appendleft(memoryview(piece)[sent:])
                return


def main(source: str, sink: str, limit: str) -> None:
    """What the command line says."""
    reading, writing = int(source), int(sink)
    try:
        Pump(reading, writing, int(limit)).run()
    finally:
        os.close(reading)
        os.close(writing)


if __name__ == "__main__":
    main(*sys.argv[1:])
