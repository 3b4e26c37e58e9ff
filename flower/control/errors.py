"""What can go wrong with an operation, in words for whoever asked. Nobody here knows HTTP."""

from __future__ import annotations

from typing import Any

from flower.utils.arguments import ArgumentError


class OperationError(Exception):
    """The operation was not done.

    `facts` are told beside the message; `classic` is Flower 2.x's message where it differs.
    """

    def __init__(self, message: str, *, classic: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.classic = classic or message
        self.facts = facts


class BadArgument(ArgumentError):
    """An argument of an operation is missing or wrong; `argument` names it."""

    def __init__(self, argument: str, message: str, classic: str | None = None) -> None:
        super().__init__(message, argument, classic)


class UnknownTarget(OperationError):
    """There is no such worker, task or queue."""


class Refused(OperationError):
    """The worker said no; the text has its reason."""


class NoReply(OperationError):
    """The worker was asked and said nothing in time."""


class Offline(OperationError):
    """The worker is not there to be asked."""


class Conflict(OperationError):
    """What was asked for makes no sense in the state in which its target is."""


class ConfirmationNeeded(Conflict):
    """It destroys something: `facts` has the `count`, and the token with which to ask again as `confirm`."""


class BrokerDown(OperationError):
    """The broker does not take the message."""


class NoBackend(OperationError):
    """There is no result backend, or it does not answer."""


class TaskFailed(OperationError):
    """The task that was waited for failed; `facts` are the answer."""


class StillRunning(OperationError):
    """Timeout: the task that was waited for has not ended; `facts` are the answer."""
