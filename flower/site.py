"""What was decided at the start and handlers need."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, field

from flower.access import Access
from flower.cluster import Cluster
from flower.control import Context
from flower.gate import Gate
from flower.login.logins import Logins
from flower.shown import Shown
from flower.utils.quota import Quota


@dataclass(frozen=True, slots=True)
class Site:
    """One server: `self.site` of its handlers. `private`: only this machine can reach it."""

    cluster: Cluster
    gate: Gate
    executor: Executor
    operations: Context
    shown: Shown
    url_prefix: str = ""
    classic_api: bool = False
    tasks_columns: tuple[str, ...] = ()
    natural_time: bool = False
    auto_refresh: bool = True
    max_tasks: int = 100_000
    hsts: int = 0
    """Seconds for which browsers that come by TLS insist on it."""
    private: bool = False
    quota: Quota = field(default_factory=Quota)

    @property
    def access(self) -> Access:
        """The rules of who may do what."""
        return self.gate.access

    @property
    def logins(self) -> Logins | None:
        """What there is for logging in through a provider."""
        return self.gate.logins
