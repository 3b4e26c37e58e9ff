"""What a server with a login provider holds."""

from __future__ import annotations

from dataclasses import dataclass, field

from flower.login.attempts import Attempts
from flower.login.people import People
from flower.login.provider import Provider
from flower.login.sessions import Sessions
from flower.utils.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Logins:
    """`provider` is None where a class of the operator's own logs people in.

    `secure`: browsers come by TLS, though a proxy may end it. `groups` are those that decide something.
    """

    people: People
    sessions: Sessions
    provider: Provider | None = None
    secure: bool = False
    groups: frozenset[str] = frozenset()
    attempts: Attempts = field(default_factory=Attempts)
    throttle: Throttle = field(default_factory=Throttle)
