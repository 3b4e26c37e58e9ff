"""A process of its own that empties a socket, holds what nobody has taken yet, and hands it on; and the other way.

Redis cuts off a subscriber that lets 32 MB pile up, which is a tenth of a second of a burst: no thread that shares
an interpreter's lock with decoding and storing is there in time. What the bytes mean, and whether they are encrypted,
is not known here. Run as a file, with nothing but the standard library: `pump.py SOURCE SINK LIMIT`, two file
descriptors of sockets and a number of bytes.
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
    """Between the descriptors of two sockets. Beyond `limit` bytes the rest is left in the source.

    What the taker says to the source, a few words, is handed on at once.
    """

    def __init__(self, source: int, sink: int, limit: int) -> None:
        self._source = source
        self._sink = sink
        self._limit = limit
        self._pieces: deque[bytes | memoryview] = deque()
        self.size = 0
        """Bytes that are held."""
        self._most = 0
        """The same at its most, since memory was given back."""
        self._said = b""
        """By the taker, and not handed on yet."""
        self._ended = False
        for each in (source, sink):
            os.set_blocking(each, False)

    def run(self) -> None:
        """Go on until the source has ended and everything is handed on, or until nobody takes it any more."""
        with contextlib.suppress(ConnectionError):
            while self._pieces or not self._ended:
                source, sink = self._wait()
                if source & ~select.POLLOUT:
                    self._read()
                if sink & select.POLLOUT:
                    self._write()
                    if not self._pieces and self._most > TRIMMED_BYTES:
                        self._give_back()
                if sink & ~select.POLLOUT and not self._listen():
                    return
                if self._said:
                    self._say()

    def _wait(self) -> tuple[int, int]:
        """What poll(2) says of both: select(2) takes no descriptor above 1023, and a busy server has such."""
        poll = select.poll()
        poll.register(self._sink, (0 if self._said else select.POLLIN) | (select.POLLOUT if self._pieces else 0))
        reads, says = not self._ended and self.size < self._limit, bool(self._said)
        if reads or says:
            poll.register(self._source, (select.POLLIN if reads else 0) | (select.POLLOUT if says else 0))
        ready = dict(poll.poll())
        return ready.get(self._source, 0), ready.get(self._sink, 0)

    def _listen(self) -> bool:
        """Take what the taker says; whether it is there."""
        heard = os.read(self._sink, PIECE_BYTES)
        self._said += heard
        return bool(heard)

    def _say(self) -> None:
        """Hand it on, as much as goes; a source that has ended does not hear it."""
        try:
            self._said = self._said[os.write(self._source, self._said) :]
        except BlockingIOError:
            return
        except OSError:
            self._said = b""

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
