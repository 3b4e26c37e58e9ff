"""The life of a task as its page tells it."""

from __future__ import annotations

from typing import Any

import pytest

from flower.ingest.views import view_of
from flower.store import Task
from flower.store.merge import View, join
from flower.views.life import attempts_of, summary
from tests import factories as make


def task_of(events: list[make.Event]) -> Task:
    view: View = {}
    for event in events:
        join(view, view_of(event["uuid"], event["hostname"], event, make.T0))
    return Task.of(view)


def told(events: list[make.Event]) -> list[tuple[Any, ...]]:
    """(received, started, ended, outcome) of each attempt, times relative to T0."""

    def relative(time: float | None) -> float | None:
        return None if time is None else time - make.T0

    attempts = attempts_of(task_of(events))
    return [(relative(a.received), relative(a.started), relative(a.ended), a.outcome) for a in attempts]


def test_one_attempt() -> None:
    """A task that succeeds at once has one attempt."""
    assert [(1.0, 2.0, 3.0, "succeeded")] == told(make.success("u"))


def test_retry_that_is_received_before_it_is_told() -> None:
    """The second delivery usually comes before the first attempt's retry event."""
    first = [
        make.received("u", 1.0),
        make.started("u", 1.1),
        make.received("u", 1.4, retries=1),
        make.retried("u", 1.5),
    ]
    second = [make.started("u", 4.0), make.succeeded("u", 4.2)]
    assert [(1.0, 1.1, 1.5, "retried"), (1.4, 4.0, 4.2, "succeeded")] == [
        (round(r, 1), round(s, 1), round(e, 1), outcome) for r, s, e, outcome in told([*first, *second])
    ]


def test_retry_keeps_its_exception() -> None:
    """Each attempt shows why it failed."""
    assert ["OSError('again')", None] == [a.exception for a in attempts_of(task_of(make.retry_then_success("u")))]


def test_lost_attempt() -> None:
    """A run whose worker was lost has no end, and the next one stands for itself."""
    again = make.success("u", 60.0, host="celery@w2")
    assert [(1.0, 2.0, None, ""), (61.0, 62.0, 63.0, "succeeded")] == told([*make.success("u")[:2], *again])


def test_redelivered_before_it_started() -> None:
    """A start belongs to the delivery just before it."""
    events = [make.received("u", 1.0), make.received("u", 50.0), make.started("u", 51.0)]
    assert [(1.0, None, None, ""), (50.0, 51.0, None, "")] == told(events)


def test_revoked_before_it_started() -> None:
    """A task that never ran was revoked as it waited."""
    assert [(1.0, None, 3.0, "revoked")] == told([make.received("u"), make.revoked("u")])


@pytest.mark.parametrize(
    "events, expected",
    [
        (make.success("u"), "Waited 1.00 s, ran 500.00 ms on celery@w1"),
        ([make.sent("u")], "No worker has received it yet"),
        ([make.received("u")], "Is held by celery@w1; is waiting to be started"),
        ([make.sent("u"), *make.success("u")], "Spent 1.00 s in the queue, waited 1.00 s, ran 500.00 ms on celery@w1"),
    ],
)
def test_summary(events: list[make.Event], expected: str) -> None:
    """One sentence tells where the time went."""
    assert expected == summary(task_of(events))
