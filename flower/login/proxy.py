"""Logging in by a proxy in front, which says in a header who it is: believed from named addresses only."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flower.utils.rules import UNIX

logger = logging.getLogger(__name__)

NAME_MOST = 256

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class TrustedProxy:
    """`header` names who has logged in, `groups_header` their groups; both empty where no proxy logs people in."""

    header: str = ""
    groups_header: str = ""
    networks: tuple[Network, ...] = ()
    unix: bool = False

    def __bool__(self) -> bool:
        return bool(self.header)

    def trusts(self, peer: str) -> bool:
        """Whether the other end of the connection is one of the proxies; UNIX for the socket file."""
        if peer == UNIX:
            return self.unix
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)

    def user(self, headers: Mapping[str, str], peer: str) -> tuple[str, tuple[str, ...]] | None:
        """Name and groups of who has logged in, if a proxy that is trusted says so."""
        if not self.header or not self.trusts(peer):
            return None
        name = _text(headers.get(self.header, ""))
        # Several headers of one name are joined with commas: then one of them came from outside.
        if not name or "," in name or len(name) > NAME_MOST or not name.isprintable():
            if name:
                logger.warning("The header %s of %s is not a name and is ignored", self.header, peer)
            return None
        groups = _text(headers.get(self.groups_header, "")) if self.groups_header else ""
        return name, tuple(group.strip() for group in groups.split(",") if group.strip())


def trusted_proxy(header: str | None, groups_header: str | None, addresses: Sequence[str]) -> TrustedProxy:
    """From the values of the options, which were checked."""
    networks = tuple(ipaddress.ip_network(address) for address in addresses if address != UNIX)
    return TrustedProxy(header or "", groups_header or "", networks, UNIX in addresses)


def _text(value: str) -> str:
    """Headers are read as Latin-1 and often are UTF-8."""
    try:
        return value.encode("latin-1").decode().strip()
    except (UnicodeEncodeError, UnicodeDecodeError):
        return value.strip()
