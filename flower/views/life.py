"""The life of one task, in words and as a list of attempts."""

from __future__ import annotations

from dataclasses import dataclass

from flower.store import FINAL_STATES, Task
from flower.utils.template import format_duration
from flower.utils.texts import say

ENDS = ("succeeded", "failed", "retried", "revoked", "rejected")
MOMENTS = ("received", "started", *ENDS)
ORDER = {kind: place for place, kind in enumerate(MOMENTS)}
"""Which of two moments at the same time came first."""


@dataclass(slots=True)
class Attempt:
    """One run of a task, as far as it is known."""

    received: float | None = None
    started: float | None = None
    ended: float | None = None
    outcome: str = ""
    worker: str | None = None
    exception: str | None = None

    @property
    def waited(self) -> float | None:
        """Seconds between received and started."""
        return _between(self.received, self.started)

    @property
    def ran(self) -> float | None:
        """Seconds between started and the end."""
        return _between(self.started, self.ended)


def attempts_of(task: Task) -> list[Attempt]:
    """Every attempt of the task, the first one first.

    A worker sends a task again before it tells of the retry, so the next attempt may be received before this
    one ends: a start belongs to the newest delivery before it, an end to the newest run before it.
    """
    moments = [(kept[0], kept[1], kept[2], kept[3]) for kept in task.get("attempts") or () if kept[1] in ORDER]
    told = {(moment[0], moment[1]) for moment in moments}
    for kind in MOMENTS:
        time = task.get(kind)
        if time is not None and (time, kind) not in told:
            moments.append((time, kind, task.get("worker"), task.get("exception") if kind == "failed" else None))
    attempts: list[Attempt] = []
    for time, kind, worker, exception in sorted(moments, key=lambda moment: (moment[0], ORDER[moment[1]])):
        attempt = _attempt_of(kind, attempts)
        if kind in ("received", "started"):
            setattr(attempt, kind, time)
        else:
            attempt.ended, attempt.outcome = time, kind
        attempt.worker = worker or attempt.worker
        attempt.exception = exception or attempt.exception
    return attempts


def _attempt_of(kind: str, attempts: list[Attempt]) -> Attempt:
    """The attempt that a moment of this kind belongs to; a new one at the end of the list when it is none of them."""
    open_ = [attempt for attempt in reversed(attempts) if attempt.ended is None]
    if kind == "received":
        found = None
    elif kind == "started":
        found = next((attempt for attempt in open_ if attempt.started is None), None)
    else:
        found = next((attempt for attempt in open_ if attempt.started is not None), next(iter(open_), None))
    if found is None:
        found = Attempt()
        attempts.append(found)
    return found


ENDINGS = {
    "PENDING": say("task.life.pending"),
    "RECEIVED": say("task.life.received"),
    "RETRY": say("task.life.retry"),
    "REVOKED": say("task.life.revoked"),
    "REJECTED": say("task.life.rejected"),
}
"""State -> how the sentence ends."""


def summary(task: Task) -> str:
    """The task's life in one sentence: "Waited 3.00 ms, ran 1.20 s on w1@vm"."""
    parts = []
    attempts = attempts_of(task)
    deliveries = [attempt.received for attempt in attempts if _between(task.sent, attempt.received) is not None]
    if deliveries:
        parts.append(say("task.life.queued", time=format_duration(_between(task.sent, deliveries[0]))))
    last = _last_attempt(task)
    if len(attempts) > 1:
        last[:1] = [" ".join([say("task.life.tried", number=len(attempts)), *last[:1]])]
    text = ", ".join(parts + last)
    if task.worker and task.started:
        text = f"{text} {say('task.on', worker=task.worker)}".strip()
    held = task.state == "RECEIVED" and task.eta
    ending = say("task.life.held_back") if held else ENDINGS.get(task.state or "")
    whole = "; ".join(filter(None, (text, ending)))
    return whole[:1].upper() + whole[1:]


def _last_attempt(task: Task) -> list[str]:
    """What the last attempt did."""
    parts, waited = [], _between(task.received, task.started)
    if waited is not None:
        parts.append(say("task.life.waited", time=format_duration(waited)))
    if task.runtime is not None:
        parts.append(say("task.life.ran", time=format_duration(task.runtime)))
    elif task.started is not None and task.state not in (*FINAL_STATES, "RETRY", "RECEIVED", "REJECTED", "PENDING"):
        parts.append(say("task.life.running"))
    if task.worker and task.received and not task.started:
        parts.append(say("task.life.held", worker=task.worker))
    return parts


def _between(first: float | None, second: float | None) -> float | None:
    """Seconds from one to the other; None when one is unknown or they are out of order."""
    if first is None or second is None or second < first:
        return None
    return second - first
