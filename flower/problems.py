"""The one place where the exceptions of the parts become HTTP statuses, and what a visitor is told of them."""

from __future__ import annotations

import http.client
from dataclasses import dataclass, field
from typing import Any

from flower.access import (
    ForbiddenError,
    FormTooLongError,
    ThrottledError,
    UnauthenticatedError,
    UriTooLongError,
)
from flower.control import BrokerDown, Conflict, NoBackend, NoReply, Offline, OperationError, Refused, UnknownTarget
from flower.feed import FeedFullError
from flower.inspector import InspectError
from flower.store import StoreError
from flower.utils.arguments import ArgumentError
from flower.utils.broker import BrokerError
from flower.utils.quota import QuotaError
from flower.utils.search import QuerySyntaxError


class NotFoundError(Exception):
    """What was asked for does not exist; the text names it."""


STATUS: tuple[tuple[type[BaseException], int], ...] = (
    (ArgumentError, 400),
    (QuerySyntaxError, 400),
    (UnauthenticatedError, 401),
    (ForbiddenError, 403),
    (Refused, 403),
    (NotFoundError, 404),
    (UnknownTarget, 404),
    (Conflict, 409),
    (Offline, 409),
    (FormTooLongError, 413),
    (UriTooLongError, 414),
    (ThrottledError, 429),
    (QuotaError, 429),
    (InspectError, 503),
    (FeedFullError, 503),
    (StoreError, 503),
    (BrokerError, 503),
    (BrokerDown, 503),
    (NoBackend, 503),
    (NoReply, 504),
)
"""What is not here is a 500, but for Tornado's own errors, which have a status."""


CLASSIC_STATUS: tuple[tuple[type[BaseException], int], ...] = ((Offline, 403), (NoReply, 403))
"""Where Flower 2.x's status is another."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a visitor is told it.

    `facts` go with it: the `argument` at fault, the `position` of a mistake in a search, what is known of a
    worker that does not reply.
    """

    status: int
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


def problem_of(error: BaseException | None, status: int = 500) -> Problem:
    """What to tell about an error; never its inner workings. `status` is that of an error without one."""
    for kind, code in STATUS:
        if isinstance(error, kind):
            return Problem(code, str(error), _facts(error))
    said = None
    if error is not None and hasattr(error, "status_code"):
        status = error.status_code
        said = error.get_message() or error.reason  # type: ignore[attr-defined]
    return Problem(status, said or http.client.responses.get(status, "Unknown error"))


def classic_problem(error: BaseException | None, problem: Problem) -> Problem:
    """The same as Flower 2.x told it."""
    status = next((code for kind, code in CLASSIC_STATUS if isinstance(error, kind)), problem.status)
    return Problem(status, getattr(error, "classic", problem.message), problem.facts)


def _facts(error: BaseException) -> dict[str, Any]:
    if isinstance(error, OperationError):
        return error.facts
    facts = {name: getattr(error, name, None) for name in ("argument", "position")}
    return {name: fact for name, fact in facts.items() if fact is not None}
