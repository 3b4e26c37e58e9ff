"""How two partial views of one task become one, whatever their order and number.

`join` is commutative and idempotent for the events that Celery sends: late, repeated and shuffled
events, a second server on the same store and a restart all lead to the same row. A view is a plain
dict of the names in `columns`; an absent name is an unknown fact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flower.store.columns import COLUMNS

View = dict[str, Any]
Attempt = list[Any]
"""`[time, kind, worker, exception]` of a moment that a later one of its kind superseded."""

ATTEMPTS_KEPT = 100
"""A task that retries for ever must not grow for ever."""

REPEATABLE = ("received", "started", "succeeded", "failed")
"""Moments of which an attempt has one each; retries are kept as they come."""

PHASES = (
    ("sent", "PENDING"),
    ("received", "RECEIVED"),
    ("started", "STARTED"),
    ("rejected", "REJECTED"),
    ("retried", "RETRY"),
)
WORKER_MOMENTS = ("received", "started", "succeeded", "failed", "retried", "revoked", "rejected", "custom")


def newest(view: View, *names: str) -> float:
    """The greatest of the named times, 0.0 when none is known."""
    return max([view.get(name) or 0.0 for name in names])


STAMPS: dict[str, Callable[[View], float]] = {
    "described": lambda view: view.get("received") or 0.0,
    "sent": lambda view: view.get("sent") or 0.0,
    "ended": lambda view: view.get("succeeded") or 0.0,
    "broken": lambda view: newest(view, "failed", "retried"),
    "placed": lambda view: newest(view, *WORKER_MOMENTS),
    "staged": lambda view: view.get("custom") or 0.0,
    "noted": lambda view: newest(view, "custom", "revoked"),
}
"""Rule -> the time that decides which of two values is the newer."""

_RULES: dict[str, str] = {column.name: column.rule for column in COLUMNS}


def join(task: View, other: View) -> None:
    """Merge `other` into `task`, in place, and settle what follows from it."""
    stamps: dict[str, int] = {}
    changes: View = {}
    for name, theirs in other.items():
        if theirs is None or name == "attempts":
            continue
        mine = task.get(name)
        if mine is None:
            changes[name] = theirs
            continue
        if mine == theirs:
            continue
        rule = _RULES.get(name, "key")
        if rule == "latest":
            if theirs > mine:
                changes[name] = theirs
        elif rule in STAMPS:
            order = stamps.get(rule)
            if order is None:
                order = stamps[rule] = _compare(STAMPS[rule](other), STAMPS[rule](task))
            if order > 0 or (order == 0 and str(theirs) > str(mine)):
                changes[name] = theirs
    _keep_superseded(task, other)
    task.update(changes)
    settle(task)


def merged(task: View, row: View | None) -> View:
    """The row with what the task adds; the task itself where there is no row."""
    if row is None:
        return task
    join(row, task)
    return row


def settle(task: View) -> None:
    """Set what follows from the other facts: the state, and the run time of a failed task."""
    task["state"] = state_of(task)
    if task.get("succeeded") is None and task.get("failed") is not None:
        started = task.get("started")
        task["runtime"] = None if started is None else max(0.0, task["failed"] - started)


def state_of(task: View) -> str:
    """Celery's precedence (SUCCESS over FAILURE over REVOKED over the rest).

    Among the unfinished phases the newest wins, so that a task that was delivered again, or that
    went on after a custom state, is shown where it really is.
    """
    if task.get("succeeded") is not None:
        return "SUCCESS"
    if task.get("failed") is not None:
        return "FAILURE"
    if task.get("revoked") is not None:
        return "REVOKED"
    state, since = "PENDING", 0.0
    for moment, phase in PHASES:
        time = task.get(moment)
        # A client's clock may run ahead of the worker's: being sent never beats being received.
        if time is not None and (time >= since or state == "PENDING"):
            state, since = phase, time
    custom = task.get("custom")
    if custom is not None and custom >= since:
        state = task.get("custom_state") or state
    return state


def _compare(theirs: float, mine: float) -> int:
    return (theirs > mine) - (theirs < mine)


def _keep_superseded(task: View, other: View) -> None:
    """Move every moment that the join would overwrite, on either side, into `attempts`."""
    kept: list[Attempt] = list(other.get("attempts") or ())
    for moment in REPEATABLE:
        theirs, mine = other.get(moment), task.get(moment)
        if theirs is not None and mine is not None and theirs != mine:
            kept.append([min(theirs, mine), moment, None, None])
    if kept:
        task["attempts"] = union(task.get("attempts") or [], kept)


def union(attempts: list[Attempt], more: list[Attempt]) -> list[Attempt]:
    """Both lists without repetition, by time; the newest `ATTEMPTS_KEPT` of them."""
    known = {tuple(attempt) for attempt in attempts} | {tuple(attempt) for attempt in more}
    ordered = sorted(known, key=lambda attempt: (attempt[0], attempt[1], str(attempt[2]), str(attempt[3])))
    return [list(attempt) for attempt in ordered[-ATTEMPTS_KEPT:]]
