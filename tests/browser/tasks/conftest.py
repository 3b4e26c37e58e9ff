"""The crowd, for the tests of the list of tasks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.api.conftest import Shop
from tests.browser.tasks.crowd import alive, crowded


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """Machines are slow and busy at times."""
    expect.set_options(timeout=20_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def many() -> Iterator[Shop]:
    """A server with many tasks of all sorts, where everything may be done."""
    server = crowded()
    yield server
    server.end()


@pytest.fixture
def crowd(many: Shop) -> Shop:
    """The same, its workers alive."""
    alive(many)
    return many
