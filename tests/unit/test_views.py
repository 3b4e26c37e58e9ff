"""Task events as views: every field where it belongs, nothing taken on trust."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flower.ingest import views
from flower.store.merge import join, state_of
from flower.store.rollups import STATES
from flower.utils.coercion import CUT, TEXT_LIMIT, number, text, whole
from tests import factories as make

NOW = 5.0


def view_of(event: make.Event) -> dict[str, Any]:
    return views.view_of(event["uuid"], event["hostname"], event, NOW)


def test_received_event() -> None:
    """A received task has its description and its worker."""
    view = view_of(make.received("u", 1.0, eta="2026-11-21T10:00:00+00:00"))
    assert ("tasks.add", "(1, 2)", make.WORKER, make.T0 + 1) == (
        view["name"],
        view["args"],
        view["worker"],
        view["received"],
    )


@pytest.mark.parametrize("type_", [*STATES, "task-custom"])
def test_first_event_tells_the_state(type_: str) -> None:
    """The state after a task's first event is the one that its merged facts have."""
    view = views.settled_view_of("u", make.WORKER, make.event(type_, 1.0, uuid="u"), make.T0)
    assert state_of(view) == view["state"]


def test_sent_event_names_the_client() -> None:
    """The host of a sent task is the client, not a worker."""
    view = view_of(make.sent("u"))
    assert ("gen42@client", None) == (view["client"], view.get("worker"))


def test_custom_event_keeps_its_fields() -> None:
    """What a custom event tells is not lost."""
    view = view_of(make.event("task-progress", 1.0, uuid="u", percent=50))
    assert ("PROGRESS", {"percent": 50}) == (view["custom_state"], view["extra"])


@pytest.mark.parametrize("bad", [None, "yesterday", float("nan"), -1.0, 1e300, [], {}])
def test_impossible_time_becomes_now(bad: Any) -> None:
    """An event with an impossible time counts as of now."""
    assert NOW == view_of({**make.started("u"), "timestamp": bad})["started"]


@pytest.mark.parametrize(
    "value, expected",
    [("x", "x"), (None, None), ([1, "a"], '[1,"a"]'), (7, "7"), ({"a": {1, 2}}, "{'a': {1, 2}}"), (True, "true")],
)
def test_any_value_becomes_text(value: Any, expected: str | None) -> None:
    """A field of the wrong type is shown, not refused."""
    assert expected == text(value)


def test_huge_text_is_cut() -> None:
    """A result of ten megabytes is kept in part, and says so."""
    cut = text("x" * 10_000_000) or ""
    assert (TEXT_LIMIT + len(CUT), True) == (len(cut), cut.endswith(CUT))


@pytest.mark.parametrize("value, expected", [("1.5", 1.5), (2, 2.0), ("x", None), (float("inf"), None), ([], None)])
def test_number(value: Any, expected: float | None) -> None:
    """Numbers are finite or unknown."""
    assert expected == number(value)


@pytest.mark.parametrize("value, expected", [(3, 3), ("4", 4), (2**70, None), ("x", None), (None, None)])
def test_whole(value: Any, expected: int | None) -> None:
    """Integers fit into the store or are unknown."""
    assert expected == whole(value)


def test_huge_unknown_fields_are_cut() -> None:
    """Unknown fields are bounded together."""
    extra = view_of(make.event("task-progress", 1.0, uuid="u", blob="x" * 200_000))["extra"]
    assert ["fields"] == list(extra)


LIVES = ("received", "started", "succeeded", "failed", "retried", "revoked", "Received")


def random_event(random: Random, number: int) -> make.Event:
    return {
        "type": f"task-{random.choice(LIVES)}",
        "uuid": "u",
        "hostname": random.choice(("w1", "w1", "w1", "w2")),
        "timestamp": random.choice((float(number), number, 3.0, -1.0)),
        "clock": random.choice((number, None, 2)),
        "result": random.choice(("4", None, 4)),
        "runtime": random.choice((0.5, None)),
    }


@given(seed=st.integers(0, 2**32))
def test_following_equals_joining(seed: int) -> None:
    """The short way for the next event of a usual life ends where the general one does, for any stream of events."""
    random = Random(seed)
    first, *others = [random_event(random, number) for number in range(1, 7)]
    short = views.settled_view_of("u", first["hostname"], first, NOW)
    general = dict(short)
    for event in others:
        if not views.follow(short, event["hostname"], event):
            join(short, view_of(event))
        join(general, view_of(event))
    assert known(general) == known(short)


def test_usual_life_is_followed() -> None:
    """Received, started, succeeded by one worker: the short way takes both steps."""
    task = views.settled_view_of("u", make.WORKER, make.received("u"), NOW)
    assert [True, True] == [
        views.follow(task, make.WORKER, event) for event in (make.started("u"), make.succeeded("u"))
    ]


def known(view: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in view.items() if value is not None}
