"""Events as Celery's workers and clients send them, made up for tests."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

from flower.store.tally import Fault, Kind, Tally, Wait

Event = dict[str, Any]
Moment = tuple[str, str, str, float | None]
"""(worker, event type, task name, run time in seconds where the event ends a run)."""

T0 = 1_795_242_217.0
"""2026-11-21 06:23:37 UTC: when the made-up events begin."""
WORKER = "celery@w1"

_clock = itertools.count(1)


class Clock:
    """A time that passes when the test says so."""

    def __init__(self, now: float = T0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def event(type_: str, at: float, host: str = WORKER, **fields: Any) -> Event:
    """Any event, `at` seconds after T0."""
    head = {"type": type_, "hostname": host, "timestamp": T0 + at, "utcoffset": 0, "pid": 101, "clock": next(_clock)}
    return {**head, **fields}


def sent(uuid: str, at: float = 0.0, name: str = "tasks.add", host: str = "gen42@client", **fields: Any) -> Event:
    described = {"args": "(1, 2)", "kwargs": "{}", "retries": 0, "eta": None, "expires": None}
    routed = {"queue": "celery", "exchange": "", "routing_key": "celery", "root_id": uuid, "parent_id": None}
    return event("task-sent", at, host, uuid=uuid, name=name, **{**described, **routed, **fields})


def received(uuid: str, at: float = 1.0, name: str = "tasks.add", host: str = WORKER, **fields: Any) -> Event:
    described = {"args": "(1, 2)", "kwargs": "{}", "retries": 0, "eta": None, "expires": None}
    related = {"root_id": uuid, "parent_id": None}
    return event("task-received", at, host, uuid=uuid, name=name, **{**described, **related, **fields})


def started(uuid: str, at: float = 2.0, host: str = WORKER, **fields: Any) -> Event:
    return event("task-started", at, host, uuid=uuid, **fields)


def succeeded(uuid: str, at: float = 3.0, host: str = WORKER, result: str = "3", runtime: float = 0.5) -> Event:
    return event("task-succeeded", at, host, uuid=uuid, result=result, runtime=runtime)


def failed(uuid: str, at: float = 3.0, host: str = WORKER, exception: str = "ValueError('boom')") -> Event:
    traceback = f'Traceback (most recent call last):\n  File "tasks.py", line 1, in add\n{exception}\n'
    return event("task-failed", at, host, uuid=uuid, exception=exception, traceback=traceback)


def retried(uuid: str, at: float = 3.0, host: str = WORKER, exception: str = "OSError('again')") -> Event:
    return event("task-retried", at, host, uuid=uuid, exception=exception, traceback=f"Traceback\n{exception}\n")


def revoked(uuid: str, at: float = 3.0, host: str = WORKER) -> Event:
    return event("task-revoked", at, host, uuid=uuid, terminated=True, signum="SIGTERM", expired=False)


def heartbeat(host: str = WORKER, at: float = 0.0, kind: str = "worker-heartbeat", **fields: Any) -> Event:
    facts = {"freq": 2.0, "active": 1, "processed": 7, "loadavg": [0.5, 0.4, 0.3]}
    software = {"sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}
    return event(kind, at, host, **{**facts, **software, **fields})


def success(uuid: str, at: float = 0.0, **fields: Any) -> list[Event]:
    """The life of a task that succeeds."""
    return [received(uuid, at + 1, **fields), started(uuid, at + 2), succeeded(uuid, at + 3)]


def failure(uuid: str, at: float = 0.0, **fields: Any) -> list[Event]:
    """The life of a task that fails."""
    return [received(uuid, at + 1, **fields), started(uuid, at + 2), failed(uuid, at + 3)]


def retry_then_success(uuid: str, at: float = 0.0, **fields: Any) -> list[Event]:
    """The life of a task that succeeds at its second attempt; Celery names it as its own parent then."""
    again = {**fields, "retries": 1, "parent_id": uuid}
    first = [received(uuid, at + 1, **fields), started(uuid, at + 2), retried(uuid, at + 3)]
    return [*first, received(uuid, at + 4, **again), started(uuid, at + 5), succeeded(uuid, at + 6)]


def tally(
    moments: Iterable[Moment], *, waits: Iterable[Wait] = (), faults: Iterable[Fault] = ()
) -> tuple[Tally, Counter[Kind]]:
    """Events as they are told to those who count them."""
    known = list(moments)
    events = [(name, type_, worker) for worker, type_, name, _ in known]
    runs = [(worker, name, runtime) for worker, _, name, runtime in known if runtime is not None]
    told = Tally(events, runs, [*waits], [*faults])
    return told, told.counts()
