"""The life of one task as a picture: a lane an attempt, with waiting, being scheduled and running apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Literal

from flower.store import FINAL_STATES, Task
from flower.utils.texts import say
from flower.views.life import Attempt, attempts_of

Kind = Literal["queue", "scheduled", "again", "waiting", "running"]

WIDTH = 1_000.0
NARROWEST = 5.0
"""A span that lasts at all can be seen."""
LANES_MOST = 30
OUTCOMES = {"succeeded": "success", "failed": "failure", "retried": "retry"}


@dataclass(frozen=True, slots=True)
class Span:
    """One part of an attempt. `open`: it has not ended, `end` is now."""

    kind: Kind
    start: float
    end: float
    open: bool = False
    x: float = 0.0
    width: float = 0.0

    @property
    def seconds(self) -> float:
        return self.end - self.start

    @property
    def label(self) -> str:
        return say(f"task.span.{self.kind}")


@dataclass(frozen=True, slots=True)
class Lane:
    """An attempt: its spans in order, and how it ended."""

    number: int
    spans: list[Span]
    outcome: str
    worker: str | None
    exception: str | None

    @property
    def badge(self) -> str:
        """The state that its outcome looks like."""
        return OUTCOMES.get(self.outcome, self.outcome)


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, or is planned. `offset` is seconds since the first one."""

    at: float
    offset: float
    what: str
    detail: str = ""
    kind: str = ""
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Timeline:
    """`totals`: seconds by kind over all attempts; `unknown` says what is not known and why."""

    start: float
    end: float
    lanes: list[Lane] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    totals: list[tuple[Kind, float, bool]] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: int = 0

    @property
    def seconds(self) -> float:
        return self.end - self.start


def timeline_of(task: Task, now: float) -> Timeline | None:
    """The picture of a task; None when no time of it is known."""
    attempts = attempts_of(task)
    eta = epoch(task.eta)
    ended = task.state in FINAL_STATES or task.state == "REJECTED"
    if task.sent is not None and not attempts:
        attempts = [Attempt()]
    sent_for = _delivery_of(task.sent, attempts)
    rows = [
        _spans(task, attempt, number, len(attempts), eta, None if ended else now, number == sent_for)
        for number, attempt in enumerate(attempts)
    ]
    times = [time for row in rows for span in row for time in (span.start, span.end)]
    times += [time for attempt in attempts for time in (attempt.received, attempt.started, attempt.ended) if time]
    times += [task.sent] if task.sent else []
    if not times:
        return None
    start, end = min(times), max(times)
    # A task that is held shows how much of the time until its ETA has passed.
    held = any(span.open and span.kind == "scheduled" for row in rows for span in row)
    horizon = max(end, eta) if held and eta is not None else end
    left_out = max(0, len(attempts) - LANES_MOST)
    lanes = [
        Lane(number + 1, _placed(row, start, horizon), attempt.outcome, attempt.worker, attempt.exception)
        for number, (attempt, row) in enumerate(zip(attempts, rows, strict=True))
    ]
    return Timeline(
        start,
        end,
        lanes[left_out:],
        list(_moments(task, attempts, eta, start)),
        _totals(rows),
        _unknown(task, attempts, eta),
        left_out,
    )


def epoch(text: str | None) -> float | None:
    """Seconds since the epoch of an ISO 8601 text, as ETA and expiry are told; None when it is none."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def _delivery_of(sent: float | None, attempts: list[Attempt]) -> int | None:
    """The number of the attempt for which the task was sent at that time; only the last time is kept."""
    if sent is None:
        return None
    for number, attempt in enumerate(attempts):
        reached = attempt.received if attempt.received is not None else attempt.started
        if reached is None or reached >= sent:
            return number
    return None


def _spans(
    task: Task, attempt: Attempt, number: int, count: int, eta: float | None, now: float | None, sent: bool
) -> list[Span]:
    """The parts of an attempt; `now` is None when the task has ended."""
    last = number == count - 1
    until = now if last else None
    found: list[Span] = []

    def add(kind: Kind, start: float | None, end: float | None) -> None:
        if start is None or (end is None and until is None):
            return
        stop = end if end is not None else until
        if stop is not None and stop >= start:
            found.append(Span(kind, start, stop, open=end is None))

    if sent:
        add("queue", task.sent, attempt.received if attempt.received is not None else attempt.started)
    begun = attempt.started if attempt.started is not None else attempt.ended
    if attempt.received is not None:
        planned = eta if last and eta is not None and eta > attempt.received else None
        if planned is not None and (begun if begun is not None else until or planned) >= planned:
            found.append(Span("scheduled", attempt.received, planned))
            add("waiting", planned, begun)
        elif planned is not None:
            add("scheduled", attempt.received, begun)
        else:
            add("again" if number and not last else "waiting", attempt.received, begun)
    if attempt.started is not None and not (attempt.ended is None and task.state in ("RETRY", "RECEIVED")):
        add("running", attempt.started, attempt.ended)
    return found


def _placed(spans: list[Span], start: float, end: float) -> list[Span]:
    """The spans with their places on a line of `WIDTH`; short ones are widened, so that they can be seen."""
    whole = end - start
    placed, reached = [], 0.0
    for span in spans:
        x = max((span.start - start) / whole * WIDTH if whole else 0.0, reached)
        width = max(span.seconds / whole * WIDTH if whole else WIDTH, NARROWEST)
        x = max(0.0, min(x, WIDTH - width))
        placed.append(Span(span.kind, span.start, span.end, span.open, round(x, 2), round(width, 2)))
        reached = min(x + width, WIDTH)
    return placed


def _totals(rows: list[list[Span]]) -> list[tuple[Kind, float, bool]]:
    """(kind, seconds, whether it goes on) of what took time, in the order of a life."""
    totals: dict[Kind, tuple[float, bool]] = {}
    for row in rows:
        for span in row:
            seconds, open_ = totals.get(span.kind, (0.0, False))
            totals[span.kind] = (seconds + span.seconds, open_ or span.open)
    order: tuple[Kind, ...] = ("queue", "scheduled", "again", "waiting", "running")
    return [(kind, *totals[kind]) for kind in order if kind in totals]


def _moments(task: Task, attempts: list[Attempt], eta: float | None, start: float) -> Iterator[Moment]:
    """Everything that happened, in order."""
    found: list[tuple[float, str, str, str, bool]] = []
    if task.sent is not None:
        where = " ".join(filter(None, (say("task.by", process=task.client) if task.client else "", _to(task))))
        found.append((task.sent, say("task.moment.sent"), where, "", False))
    for attempt in attempts:
        on = say("task.by", process=attempt.worker) if attempt.worker else ""
        if attempt.received is not None:
            found.append((attempt.received, say("task.moment.received"), on, "", False))
        if attempt.started is not None:
            found.append((attempt.started, say("task.moment.started"), "", "", False))
        if attempt.ended is not None:
            kind = OUTCOMES.get(attempt.outcome, attempt.outcome)
            found.append((attempt.ended, say(f"task.moment.{attempt.outcome}"), attempt.exception or "", kind, False))
    if eta is not None:
        found.append((eta, say("task.moment.eta"), "", "", True))
    expires = epoch(task.expires)
    if expires is not None:
        found.append((expires, say("task.moment.expires"), "", "", True))
    for at, what, detail, kind, planned in sorted(found, key=lambda each: each[0]):
        yield Moment(at, at - start, what, detail, kind, planned)


def _to(task: Task) -> str:
    place = task.queue or task.routing_key
    return say("task.to", queue=place) if place else ""


def _unknown(task: Task, attempts: list[Attempt], eta: float | None) -> list[str]:
    """What is not known of the life, each with its reason."""
    told: list[str] = []
    received = [attempt.received for attempt in attempts if attempt.received is not None]
    started = [attempt.started for attempt in attempts if attempt.started is not None]
    if task.sent is None:
        told.append(say("task.unknown.sent"))
    elif received and task.sent > max(received):
        told.append(say("task.unknown.ahead"))
    if not received and (started or task.state in FINAL_STATES):
        told.append(say("task.unknown.received"))
    if not started and task.state in ("SUCCESS", "FAILURE"):
        told.append(say("task.unknown.started"))
    if task.eta and eta is None:
        told.append(say("task.unknown.eta", eta=repr(task.eta)))
    return told
