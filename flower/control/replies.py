"""What a worker said to a command, and what it means."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from flower.control.context import Context, Seen
from flower.control.errors import NoReply, Offline, Refused, UnknownTarget

UNEXPLAINED = "Unknown reason"
"""What Flower 2.x says of a worker that did not reply."""
UNKNOWN_TASK = "unknown task"
"""What workers answer for a task that they do not have (celery.worker.control)."""


def known_worker(context: Context, name: str, classic: str | None = None) -> Seen:
    """The worker. Raises UnknownTarget for one nobody knows, Offline for one that said goodbye.

    `classic` is what Flower 2.x says of the latter.
    """
    seen = context.worker(name)
    if seen is None:
        raise UnknownTarget(f"Unknown worker {name!r}")
    if seen.left:
        raise Offline(f"{_described(seen)}", classic=classic, **facts(seen))
    return seen


async def command(context: Context, name: str, question: str, arguments: dict[str, Any], failure: str) -> str:
    """Have one worker do something; what it said. `failure` is how a refusal begins."""
    classic = f"{failure}: {UNEXPLAINED}"
    seen = known_worker(context, name, classic)
    replies = await context.ask(question, arguments, [name])
    if name not in replies:
        raise silence(context, seen, classic)
    said = _accepted(replies[name], failure)
    context.refresh([name])
    return said


def silence(context: Context, seen: Seen, classic: str | None = None) -> NoReply | Offline:
    """The error for a worker that did not reply."""
    if seen.alive is False:
        return Offline(f"{_described(seen)}, and does not reply", classic=classic, **facts(seen))
    text = f"No reply from {seen.name!r} within {context.timeout:.1f} s: {_described(seen)}"
    return NoReply(text, classic=classic, **facts(seen))


def facts(seen: Seen) -> dict[str, Any]:
    """What is told of a worker beside an error."""
    return {"worker": seen.name, "alive": seen.alive, "last_seen": seen.last_seen}


def outcome(
    context: Context, replies: Mapping[str, dict[str, Any]], expected: Sequence[str], failure: str
) -> dict[str, Any]:
    """Who accepted, who refused and why, who was silent. Raises the error when nobody accepted."""
    accepted = {name: str(reply.get("ok")) for name, reply in sorted(replies.items()) if "error" not in reply}
    refused = {name: str(reply["error"]) for name, reply in sorted(replies.items()) if "error" in reply}
    silent = sorted(set(expected) - replies.keys())
    if not accepted:
        if refused:
            why = "; ".join(sorted(set(refused.values())))
            raise Refused(f"{failure}: {why}", classic=f"{failure}: '{why}'", refused=refused, silent=silent)
        asked = f"{', '.join(silent)} did not reply" if silent else "no worker replied"
        classic = f"{failure}: '{UNEXPLAINED}'"
        within = f"within {context.timeout:.1f} s"
        raise NoReply(f"{failure}: {asked} {within}", classic=classic, refused=refused, silent=silent)
    context.refresh(list(accepted))
    return {"workers": accepted, "refused": refused, "silent": silent}


def _accepted(reply: Mapping[str, Any], failure: str) -> str:
    if "error" in reply:
        raise Refused(f"{failure}: {reply['error']}")
    return str(reply.get("ok"))


def _described(seen: Seen) -> str:
    if seen.left:
        return f"Worker {seen.name!r} is offline: it said goodbye{_ago(seen)}"
    if seen.alive is False:
        return f"Worker {seen.name!r} is offline: last heard of{_ago(seen) or ' before Flower started'}"
    if seen.alive:
        return f"it is online, last heard of{_ago(seen)}, so it is busy or its remote control is off"
    return "nothing else is known of it"


def _ago(seen: Seen) -> str:
    if not seen.last_seen:
        return ""
    return f" {max(0.0, time.time() - seen.last_seen):.0f} s ago"
