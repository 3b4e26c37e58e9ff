"""The end of several clusters at once."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import pytest

from flower import watched


class Hanging:
    """A cluster whose store takes whatever time it likes."""

    def __init__(self, over: threading.Event) -> None:
        self.over = over
        self.told: list[str] = []

    def leave(self) -> None:
        self.told.append("leave")

    def save(self) -> None:
        self.told.append("save")
        self.over.wait(30)

    def close(self) -> None:
        self.told.append("close")


def test_the_end_takes_no_longer_with_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that hang are waited for together, and closed even so."""
    monkeypatch.setattr(watched, "END_SECONDS", 1.0)
    over, first = threading.Event(), threading.Event()
    first.set()
    clusters = [Hanging(first), *(Hanging(over) for _ in range(20))]
    began = time.monotonic()
    watched.end(cast(Any, clusters))
    took = time.monotonic() - began
    over.set()
    assert ([["leave", "save", "close"]] * 21, True) == ([each.told for each in clusters], took < 10)
