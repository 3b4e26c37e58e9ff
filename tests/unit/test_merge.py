"""The merge of views of a task."""

from __future__ import annotations

import random

import pytest
from celery.events.state import State as CeleryState
from hypothesis import given, settings
from hypothesis import strategies as st

from flower.ingest import views
from flower.store.merge import ATTEMPTS_KEPT, View, join, union
from tests import factories as make

LIVES = {
    "success": make.success("u"),
    "failure": make.failure("u"),
    "retry": make.retry_then_success("u", parent_id="p"),
    "revoked": [make.sent("u"), make.received("u"), make.revoked("u")],
    "sent": [make.sent("u", parent_id="p", root_id="r"), *make.success("u", parent_id="p", root_id="r")],
    "redelivered": [*make.success("u")[:2], *make.success("u", 60.0, host="celery@w2")],
    "custom": [*make.success("u")[:2], make.event("task-progress", 2.5, uuid="u", percent=50)],
    "failed, then succeeded": [*make.failure("u"), *make.success("u", 20.0)],
    "stubborn": [*make.retry_then_success("u")[:3], *make.retry_then_success("u", 10.0)],
}


def fold(events: list[make.Event]) -> View:
    """The view that these events add up to, one by one."""
    view: View = {}
    for event in events:
        join(view, views.view_of(event["uuid"], event["hostname"], event, make.T0))
    return view


def known(view: View) -> View:
    return {name: value for name, value in view.items() if value is not None}


@pytest.mark.parametrize("events", LIVES.values(), ids=LIVES.keys())
@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), repeats=st.integers(1, 3))
def test_order_and_repetition_do_not_matter(events: list[make.Event], seed: int, repeats: int) -> None:
    """However often and in whatever order events come, the task is the same."""
    shuffled = events * repeats
    random.Random(seed).shuffle(shuffled)
    assert known(fold(events)) == known(fold(shuffled))


@pytest.mark.parametrize("events", LIVES.values(), ids=LIVES.keys())
@settings(max_examples=60)
@given(data=st.data())
def test_two_partial_views_add_up(events: list[make.Event], data: st.DataObject) -> None:
    """Two servers that each saw a part of the events agree on the whole."""
    sides = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(events), max_size=len(events)))
    one = fold([event for event, side in zip(events, sides, strict=True) if side != 1])
    other = fold([event for event, side in zip(events, sides, strict=True) if side != 0])
    join(one, other)
    assert known(fold(events)) == known(one)


@pytest.mark.parametrize(
    "life", [name for name in LIVES if name not in ("redelivered", "custom", "failed, then succeeded")]
)
def test_state_is_celerys(life: str) -> None:
    """Events in order end in the state that Celery itself computes."""
    celery = CeleryState()
    for event in LIVES[life]:
        celery.event({**event, "local_received": event["timestamp"]})
    assert celery.tasks["u"].state == fold(LIVES[life])["state"]


def test_redelivered_task_waits_again() -> None:
    """A task that another worker received after the first one was lost is RECEIVED, not STARTED."""
    assert "RECEIVED" == fold([*make.success("u")[:2], make.received("u", 60.0)])["state"]


def test_success_beats_failure() -> None:
    """A task that failed and later succeeded is a SUCCESS, whichever came last."""
    assert "SUCCESS" == fold([*make.success("u"), make.failed("u", 9.0)])["state"]


def test_custom_state_does_not_stick() -> None:
    """A custom state ends when the task goes on."""
    progress = make.event("task-progress", 1.5, uuid="u", percent=50)
    assert "STARTED" == fold([make.received("u"), progress, make.started("u")])["state"]


def test_fast_client_clock_does_not_hide_receipt() -> None:
    """A task sent by a client whose clock is ahead is still RECEIVED."""
    assert "RECEIVED" == fold([make.sent("u", 100.0), make.received("u", 1.0)])["state"]


def test_retried_task_is_not_its_own_parent() -> None:
    """The second attempt names the task itself as its parent; the real one is kept."""
    assert "p" == fold(make.retry_then_success("u", parent_id="p"))["parent_id"]


def test_attempts_keep_every_superseded_moment() -> None:
    """Received, started and end of the first attempt survive the second."""
    attempts = fold(make.retry_then_success("u"))["attempts"]
    assert ["received", "started", "retried"] == [kind for _, kind, _, _ in attempts]


def test_attempt_keeps_worker_and_exception() -> None:
    """Of an attempt that asked for a retry one still sees where it ran and why it failed."""
    attempts = fold(make.retry_then_success("u"))["attempts"]
    assert [make.T0 + 3, "retried", make.WORKER, "OSError('again')"] == attempts[-1]


def test_endless_retries_are_bounded() -> None:
    """A task that retries for ever does not grow for ever; the newest attempts stay."""
    many = [[float(number), "retried", None, None] for number in range(500)]
    assert many[-ATTEMPTS_KEPT:] == union([], many)


def test_failed_task_has_a_run_time() -> None:
    """Celery tells no run time of a failure; it is the time from start to failure."""
    assert 1.0 == fold(make.failure("u"))["runtime"]
