"""Random input for everything that reads input, and again what was once found to break it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.found import FOUND
from tests.fuzz.targets import TARGETS

EXAMPLES = 60
"""Inputs for each: `make fuzz` tries as many as one has time for."""


@pytest.mark.parametrize("name", TARGETS)
@settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_random_input(name: str, data: st.DataObject) -> None:
    """No input makes it raise, hang or tell what it must not."""
    target = TARGETS[name]
    assert target.run(data.draw(target.inputs))


@pytest.mark.parametrize("name, given", FOUND, ids=range(len(FOUND)))
def test_found_before(name: str, given: Any) -> None:
    """What once broke it does so no more."""
    assert TARGETS[name].run(given)
