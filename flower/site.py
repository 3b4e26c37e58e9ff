"""What was decided at the start and handlers need."""

from __future__ import annotations

import re
import time
from collections.abc import Hashable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any

from flower.access import Access
from flower.cluster import Cluster
from flower.control import Context
from flower.gate import Gate
from flower.login.logins import Logins
from flower.shown import Shown
from flower.standing import Standing, standing
from flower.utils.quota import Quota

CLUSTERS = "c"
"""The word before the name of a cluster in addresses."""
STANDING_SECONDS = 1.0
PREFIX_HEADER = "X-Forwarded-Prefix"
PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
"""A path that leads nowhere else: no host, no way up, nothing to be quoted."""
PREFIX_MOST, MOVED_MOST = 200, 8
"""Letters of a path, and how many paths are remembered: more than there are proxies."""


class Fleet:
    """The sites of all clusters by name, the first one first; empty where a server watches but one."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}
        self._told: dict[str, Standing] = {}
        self._told_at = 0.0

    def standings(self) -> dict[str, Standing]:
        """How each stands, as of a second ago at most."""
        now = time.monotonic()
        if now - self._told_at >= STANDING_SECONDS:
            self._told = {name: standing(site.cluster) for name, site in self.sites.items()}
            self._told_at = now
        return self._told

    def digest(self) -> str:
        """Differs when one of them stands otherwise."""
        return " ".join(f"{name}:{each.word}" for name, each in self.standings().items())


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster as the server shows it: `self.site` of its handlers. `private`: only this machine can reach it.

    Of several clusters each has its own. What names none is answered by the one without a `name`, that of the server
    itself, with the first cluster.
    """

    cluster: Cluster
    gate: Gate
    executor: Executor
    operations: Context
    shown: Shown
    url_prefix: str = ""
    """Where its pages are."""
    root: str = ""
    """Where the server's are."""
    name: str = ""
    fleet: Fleet = field(default_factory=Fleet)
    classic_api: bool = False
    tasks_columns: tuple[str, ...] = ()
    natural_time: bool = False
    auto_refresh: bool = True
    max_tasks: int = 100_000
    hsts: int = 0
    """Seconds for which browsers that come by TLS insist on it."""
    private: bool = False
    quota: Quota = field(default_factory=Quota)
    kept: dict[Hashable, Any] = field(default_factory=dict)
    """What handlers keep for each other."""
    moves: bool = False
    """Whether a proxy is believed that says below which path it shows the server."""
    moved: dict[str, Site] = field(default_factory=dict)
    """The same site below such paths."""

    def join(self, name: str, cluster: Cluster, executor: Executor, operations: Context) -> None:
        """Let the server have a site for this cluster, too."""
        self.fleet.sites[name] = replace(
            self,
            cluster=cluster,
            gate=replace(self.gate, audit=cluster.audit),
            executor=executor,
            operations=operations,
            url_prefix=f"{self.root}/{CLUSTERS}/{name}",
            name=name,
            kept={},
        )

    def seen_by(self, headers: Mapping[str, str]) -> Site:
        """The site below the path that a believed proxy tells, if it tells one; `url_prefix` leaves it no say."""
        prefix = headers.get(PREFIX_HEADER, "").rstrip("/") if self.moves and not self.root else ""
        if len(prefix) > PREFIX_MOST or not PREFIX.fullmatch(prefix):
            return self
        if prefix not in self.moved:
            if len(self.moved) >= MOVED_MOST:
                self.moved.clear()
            self.moved[prefix] = self._below(prefix)
        return self.moved[prefix]

    def _below(self, prefix: str) -> Site:
        fleet = Fleet()
        for name, site in self.fleet.sites.items():
            fleet.sites[name] = replace(
                site, url_prefix=prefix + site.url_prefix, root=prefix, fleet=fleet, kept={}, moved={}
            )
        # What was drawn for others has other addresses in it.
        return replace(self, url_prefix=prefix, root=prefix, fleet=fleet, kept={}, moved={})

    @property
    def shown_sites(self) -> list[Site]:
        """Those that an answer for machines tells of: of the cluster that was named, else of all."""
        return [self] if self.name or not self.fleet.sites else list(self.fleet.sites.values())

    def at(self, path: str) -> Site:
        """The site of the cluster that an address names; this one where it names none."""
        if not self.fleet.sites or not path.startswith(f"{self.root}/{CLUSTERS}/"):
            return self
        name = path[len(self.root) + len(CLUSTERS) + 2 :].partition("/")[0]
        return self.fleet.sites.get(name, self)

    def within(self, path: str) -> str:
        """The address as it would be if its cluster were the only one; of several, the bare one lists them."""
        site = self.at(path)
        if site is not self:
            return self.root + path[len(site.url_prefix) :]
        if not self.fleet.sites:
            return path
        if re.match(rf"{re.escape(self.root)}/{CLUSTERS}/[^/]+/api/", path):
            # There is no such cluster; the API says so in its own way.
            return f"{self.root}/api/{CLUSTERS}"
        return f"{path}clusters" if path == f"{self.root}/" else path

    @property
    def access(self) -> Access:
        """The rules of who may do what."""
        return self.gate.access

    @property
    def logins(self) -> Logins | None:
        """What there is for logging in through a provider."""
        return self.gate.logins
