"""The life of one task, in words and as a list of attempts."""

from __future__ import annotations

from dataclasses import dataclass

from flower.store import FINAL_STATES, Task
from flower.utils.template import format_duration

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


def summary(task: Task) -> str:
    """The task's life in one sentence: "Waited 3.00 ms, ran 1.20 s on w1@vm"."""
    state, parts = task.state, []
    attempts = attempts_of(task)
    deliveries = [attempt.received for attempt in attempts if _between(task.sent, attempt.received) is not None]
    if deliveries:
        parts.append(f"spent {format_duration(_between(task.sent, deliveries[0]))} in the queue")
    if len(attempts) > 1:
        parts.append(f"was tried {len(attempts)} times, the last time")
    waited = _between(task.received, task.started)
    if waited is not None:
        parts.append(f"waited {format_duration(waited)}")
    if task.runtime is not None:
        parts.append(f"ran {format_duration(task.runtime)}")
    elif task.started is not None and state not in (*FINAL_STATES, "RETRY", "RECEIVED", "REJECTED", "PENDING"):
        parts.append("is running")
    if task.worker and (task.started or task.received):
        parts.append(f"on {task.worker}" if task.started else f"is held by {task.worker}")
    text = ", ".join(parts).replace(", on ", " on ").replace("last time, ", "last time ")
    ending = {
        "PENDING": "no worker has received it yet",
        "RECEIVED": "is waiting to be started" if not task.eta else "is held until its ETA",
        "RETRY": "will be tried again",
        "REVOKED": "was revoked",
        "REJECTED": "was rejected",
    }.get(state or "")
    whole = "; ".join(filter(None, (text, ending)))
    return whole[:1].upper() + whole[1:]


def _between(first: float | None, second: float | None) -> float | None:
    """Seconds from one to the other; None when one is unknown or they are out of order."""
    if first is None or second is None or second < first:
        return None
    return second - first
