"""The life of a task as a picture: what took the time, and what is not known."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.ingest.views import view_of
from flower.store import Task
from flower.store.merge import View, join
from flower.views.timeline import WIDTH, Timeline, epoch, timeline_of
from tests import factories as make


def task_of(events: list[make.Event]) -> Task:
    view: View = {}
    for event in events:
        join(view, view_of(event["uuid"], event["hostname"], event, make.T0))
    return Task.of(view)


def drawn(events: list[make.Event], now: float = 100.0) -> Timeline:
    timeline = timeline_of(task_of(events), make.T0 + now)
    assert timeline is not None
    return timeline


def spans(events: list[make.Event], now: float = 100.0) -> list[list[tuple[str, float, bool]]]:
    """(kind, seconds, open) of every span of every lane."""
    return [
        [(span.kind, round(span.seconds, 3), span.open) for span in lane.spans] for lane in drawn(events, now).lanes
    ]


def eta(at: float) -> str:
    return datetime.fromtimestamp(make.T0 + at, timezone.utc).isoformat()


def test_parts_of_a_life() -> None:
    """The time in the queue, waiting in the worker and running are told apart."""
    events = [make.sent("u"), make.received("u", 1), make.started("u", 3), make.succeeded("u", 6)]
    assert [[("queue", 1.0, False), ("waiting", 2.0, False), ("running", 3.0, False)]] == spans(events)


def test_eta_is_no_delay() -> None:
    """Until its ETA a task is scheduled; only after it does it wait."""
    events = [make.received("u", 1, eta=eta(11)), make.started("u", 12), make.succeeded("u", 13)]
    assert [[("scheduled", 10.0, False), ("waiting", 1.0, False), ("running", 1.0, False)]] == spans(events)


def test_held_task_shows_how_far_its_time_has_come() -> None:
    """Half way to the ETA half of the line is filled."""
    timeline = drawn([make.received("u", 0, eta=eta(20))], now=10)
    span = timeline.lanes[0].spans[0]
    assert ("scheduled", True, WIDTH / 2, 10.0) == (span.kind, span.open, span.width, timeline.seconds)


def test_running_task_goes_on_until_now() -> None:
    """What has not ended is open and reaches until now."""
    assert [[("waiting", 1.0, False), ("running", 8.0, True)]] == spans(
        [make.received("u", 1), make.started("u", 2)], 10
    )


def test_sent_task_is_in_the_queue() -> None:
    """A task that no worker has is in the queue, until now."""
    assert [[("queue", 10.0, True)]] == spans([make.sent("u")], 10)


def test_each_attempt_has_a_lane() -> None:
    """A retry is a lane of its own, with how the one before it ended."""
    timeline = drawn(make.retry_then_success("u"))
    assert [("retried", "OSError('again')"), ("succeeded", None)] == [
        (lane.outcome, lane.exception) for lane in timeline.lanes
    ]


def test_retry_waits_for_the_next_attempt() -> None:
    """A task between two attempts does not run."""
    events = [make.received("u", 1), make.started("u", 2), make.retried("u", 3)]
    assert [[("waiting", 1.0, False), ("running", 1.0, False)]] == spans(events, 50)


def test_sending_belongs_to_the_delivery_after_it() -> None:
    """A retry is sent again: its time in the queue is that of its own attempt."""
    events = [*make.retry_then_success("u"), make.sent("u", 3.5)]
    assert ["waiting", "queue"] == [lane[0][0] for lane in spans(events)]


def test_totals_add_up_over_attempts() -> None:
    """What all attempts waited and ran together."""
    assert [("waiting", 2.0, False), ("running", 2.0, False)] == [
        (kind, round(seconds, 3), open_) for kind, seconds, open_ in drawn(make.retry_then_success("u")).totals
    ]


@pytest.mark.parametrize(
    "events, words",
    [
        (make.success("u"), "task_send_sent_event"),
        ([make.sent("u", 5), *make.success("u")], "the client's clock is ahead"),
        ([make.sent("u"), make.succeeded("u")], "When it began"),
        ([make.sent("u"), make.succeeded("u")], "When a worker received it"),
        ([make.sent("u"), make.received("u", eta="soon")], "'soon' is no time"),
    ],
)
def test_what_is_not_known_is_said(events: list[make.Event], words: str) -> None:
    """Every gap in the picture has its reason in words."""
    assert [True] == [words in told for told in drawn(events).unknown if words in told]


def test_moments_are_in_order() -> None:
    """All that happened, with the distance from the first, and what is planned."""
    events = [make.sent("u"), make.received("u", 1, eta=eta(30)), make.revoked("u", 3)]
    assert [("Sent", 0.0), ("Received", 1.0), ("Revoked", 3.0), ("Earliest start (ETA)", 30.0)] == [
        (moment.what, round(moment.offset, 3)) for moment in drawn(events).moments
    ]


def test_no_time_no_picture() -> None:
    """Without any time there is nothing to draw."""
    assert timeline_of(Task.of({"uuid": "u", "state": "PENDING"}), make.T0) is None


@pytest.mark.parametrize("text", ["", None, "tomorrow", "9999-99-99", "2026-11-21T25:00:00"])
def test_no_time(text: str | None) -> None:
    """What is no time is none."""
    assert epoch(text) is None


EVENT = st.tuples(
    st.sampled_from([make.sent, make.received, make.started, make.succeeded, make.failed, make.retried, make.revoked]),
    st.floats(-1e6, 1e6),
)


@given(st.lists(EVENT, min_size=1, max_size=12), st.floats(-1e6, 1e6))
def test_every_span_is_on_the_line(events: list[tuple[Any, float]], now: float) -> None:
    """Whatever events come in whatever order: spans last, follow each other, and are within the line."""
    timeline = timeline_of(task_of([event("u", at) for event, at in events]), make.T0 + now)
    placed = [span for lane in timeline.lanes for span in lane.spans] if timeline else []
    assert [] == [span for span in placed if span.seconds < 0 or span.x < 0 or span.x + span.width > WIDTH + 0.02]
