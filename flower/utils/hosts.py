"""Under which names the server may be asked: a name of somebody else's that leads here is a trick (DNS rebinding)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence

BELOW = "*."


class Hosts:
    """The allowed names, `*.` for all below one. Without names every one is."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        folded = [name.lower().strip("[]").rstrip(".") for name in names]
        self._names = frozenset(folded)
        self._below = tuple(name[1:] for name in folded if name.startswith(BELOW))

    def __bool__(self) -> bool:
        return bool(self._names)

    def allows(self, host: str) -> bool:
        """Whether a Host header names one of them; the port does not matter."""
        if not self._names:
            return True
        name = name_of(host)
        return name in self._names or name.endswith(self._below or "\0")


class OwnHosts(Hosts):
    """The names of this machine, for a server that only this machine reaches."""

    def __init__(self) -> None:
        super().__init__(["localhost", socket.gethostname(), socket.getfqdn()])

    def allows(self, host: str) -> bool:
        name = name_of(host)
        return is_loopback(name) or name.endswith(".localhost") or super().allows(host)


def name_of(host: str) -> str:
    """The name, or the address, in a Host header."""
    text = host.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.rpartition(":")[0].rstrip(".") if text.count(":") == 1 else text.rstrip(".")


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches it."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
