"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flower.options import restore_defaults
from flower.state import State
from flower.store import open_store
from tests.factories import Clock


@pytest.fixture(autouse=True)
def default_values() -> Iterator[None]:
    """Each test begins with the options' defaults."""
    restore_defaults()
    yield
    restore_defaults()


@pytest.fixture
def clock() -> Clock:
    """A time that passes when the test says so."""
    return Clock()


@pytest.fixture
def state(clock: Clock) -> Iterator[State]:
    """What is alive, by that time, with a store that goes with the test."""
    state = State(open_store(), clock=clock)
    yield state
    state.stop()
