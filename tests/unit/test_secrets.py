"""Secrets in what comes in: they are masked before anything is kept, found, counted or passed on."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import pytest

from flower.state import State
from flower.store import TaskQuery, open_store
from flower.utils.redaction import MASK, Redactor
from flower.utils.search import parse_query
from tests import factories as make

CANARY = "hunter2"
DICT = f"{{'password': '{CANARY}', 'n': 1}}"
HIDDEN = f"{{'password': '{MASK}', 'n': 1}}"
ERROR = f"Denied(token='{CANARY}')"


@pytest.fixture
def state() -> Iterator[State]:
    state = State(open_store(), clock=lambda: make.T0)
    state.redactor = Redactor()
    yield state
    state.stop()


def heard(state: State, *events: make.Event) -> str:
    """All that is known, and passed on, once these events were applied."""
    passed: list[Any] = []
    state.tap = lambda batch, _: passed.extend(batch)
    state.apply(events)
    memory = repr(state.open_tasks)
    assert state.flush()
    return memory + repr([dict(task) for task in state.store.search(TaskQuery()).tasks]) + repr(passed)


@pytest.mark.parametrize(
    "events",
    [
        [make.sent("u", args=f"({DICT},)", kwargs=DICT)],
        [make.received("u", args=f"({DICT},)", kwargs=DICT)],
        [make.received("u"), make.started("u"), make.succeeded("u", result=DICT)],
        [make.succeeded("u", result=DICT)],
        [make.received("u"), make.failed("u", exception=ERROR)],
        [make.received("u"), make.retried("u", exception=ERROR)],
        [make.event("task-progress", 1.0, uuid="u", api_key=CANARY, step={"token": CANARY}, result=DICT)],
        [make.revoked("u") | {"reason": DICT, "secret": CANARY}],
        [make.heartbeat(password=CANARY, note=DICT)],
        [make.received("u", kwargs={"password": CANARY}, args=[{"key": [CANARY]}])],
    ],
    ids=["sent", "received", "succeeded", "result only", "failed", "retried", "custom", "revoked", "worker", "values"],
)
def test_nowhere(state: State, events: list[make.Event]) -> None:
    """Memory, store and listeners have the mask, and nothing of the secret."""
    told = heard(state, *deepcopy(events))
    assert (False, True) == (CANARY in told, MASK in told)


def test_what_has_no_secret(state: State) -> None:
    """Events without secrets are passed on as they came."""
    passed: list[Sequence[make.Event]] = []
    state.tap = lambda batch, _: passed.append(batch)
    events = [*make.success("a"), *make.failure("b"), make.revoked("c"), make.heartbeat(), make.sent("d")]
    before = deepcopy(events)
    state.apply(events)
    assert [before] == passed


@pytest.mark.parametrize("search", [CANARY, f"kwargs:password={CANARY}", f"result:{CANARY}"])
def test_search_finds_no_secret(state: State, search: str) -> None:
    """Who searches for a secret learns nothing, in rows or in memory; the rest is found."""
    state.apply([*make.success("u", kwargs=DICT), make.succeeded("v", result=DICT)])
    state.flush()
    found = [state.store.search(TaskQuery(search=parse_query(text))).total for text in (search, "kwargs:n=1")]
    tasks = [state.task(uuid) for uuid in "uv"]
    assert ([0, 1], [False, False]) == (found, [parse_query(search).matches(task) for task in tasks])


def test_facts_from_elsewhere(state: State) -> None:
    """What workers tell when asked, and what was sent from here, is masked too."""
    state.adopt([{"uuid": "a", "name": "t", "worker": "w", "received": 1.0, "kwargs": DICT}])
    state.note({"uuid": "b", "name": "t", "sent": 1.0, "kwargs": DICT, "extra": {"token": CANARY}})
    adopted, noted = state.task("a"), state.task("b")
    assert adopted is not None
    assert noted is not None
    assert (HIDDEN, HIDDEN, {"token": MASK}) == (adopted.kwargs, noted.kwargs, noted.extra)


def test_log(state: State, caplog: pytest.LogCaptureFixture) -> None:
    """An event that is not understood is logged without its secrets."""
    with caplog.at_level(logging.WARNING):
        state.apply([{"kwargs": DICT}, {"type": ["x"], "kwargs": DICT}])
    assert (False, True, 2) == (CANARY in caplog.text, MASK in caplog.text, state.totals["malformed"])


def test_nothing_to_hide() -> None:
    """Without names everything is kept as it came."""
    state = State(open_store())
    state.apply([make.received("u", kwargs=DICT)])
    task = state.task("u")
    state.stop()
    assert task is not None
    assert DICT == task.kwargs
