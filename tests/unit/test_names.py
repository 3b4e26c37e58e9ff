"""Names that come again and again."""

from __future__ import annotations

from typing import Any

import pytest

from flower.ingest import names
from flower.utils.coercion import NAME_LIMIT


def test_one_text_of_each() -> None:
    """However often a name comes, the same object is kept of it."""
    known = names.Names()
    first, second = (b"celery@w1".decode() for _ in range(2))
    assert first is not second
    assert known[first] is known[second]
    assert len(known) == 1


@pytest.mark.parametrize(("value", "name"), [("w\ud800", "w?"), (True, "True"), (1, "1"), (1.0, "1.0")])
def test_other_values(value: Any, name: str) -> None:
    """What is no plain text becomes one, each value its own."""
    known = names.Names()
    assert known["w1"] == "w1"
    assert known[True] == "True"  # type: ignore[index]
    assert known[value] == known[value] == name


@pytest.mark.parametrize("value", [None, "", 0, "x" * (NAME_LIMIT + 1)])
def test_no_name(value: Any) -> None:
    """Nothing, and what is too long, is refused as often as it comes."""
    known = names.Names()
    for _ in range(2):
        with pytest.raises(ValueError, match="missing or has more than"):
            known[value]


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that never come again do not stay."""
    monkeypatch.setattr(names, "MOST", 3)
    known = names.Names()
    assert [known[f"w{number}"] for number in range(10)] == [f"w{number}" for number in range(10)]
    assert len(known) <= 3
