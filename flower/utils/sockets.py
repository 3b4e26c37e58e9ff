"""A Unix socket with its mode and owner."""

from __future__ import annotations

import os
import socket

from tornado.netutil import bind_unix_socket

from flower.utils.owners import owner_of


def unix_socket(path: str, mode: int, owner: str | None = None) -> socket.socket:
    """A listening socket at `path`; a stale one is replaced. Raises OSError or ValueError, and leaves no file then."""
    ids = owner_of(owner) if owner else None
    listening = bind_unix_socket(path, mode=mode)
    if ids:
        try:
            os.chown(path, *ids)
        except OSError:
            listening.close()
            os.unlink(path)
            raise
    return listening
