"""The command palette's answers: which names fit what was typed, and which come first."""

from __future__ import annotations

import pytest

from flower.views.complete import best


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail", ["mail", "mail.send", "shop.mail", "email.check"]),
        ("send mail", ["mail.send"]),
        ("MAIL.S", ["mail.send"]),
        ("x", []),
    ],
)
def test_best(text: str, expected: list[str]) -> None:
    """What starts so comes first, then what has a word that does; every word must be there."""
    assert expected == best(text, ["email.check", "shop.mail", "mail.send", "tasks.add", "mail"])


def test_best_is_bounded() -> None:
    """However many names fit, few are offered."""
    assert 6 == len(best("a", (f"a{number}" for number in range(1000))))
