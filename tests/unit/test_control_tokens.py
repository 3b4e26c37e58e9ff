"""Tokens that confirm."""

from __future__ import annotations

import pytest

from flower.utils.tokens import confirms, token_for

SECRET, FACTS, NOW = b"secret", ("queue.purge", "celery"), 1_795_242_217.0
TOKEN = token_for(SECRET, 5, *FACTS, now=NOW)


@pytest.mark.parametrize("number, age, expected", [(5, 0, True), (3, 119, True), (6, 0, False), (5, 122, False)])
def test_number_and_age(number: int, age: float, expected: bool) -> None:
    """A token is good for as many as were shown, or fewer, for two minutes."""
    assert expected is confirms(SECRET, TOKEN, number, *FACTS, now=NOW + age)


@pytest.mark.parametrize(
    "token",
    ["", "x", "5--", "5-1-x", TOKEN[:-1], TOKEN.replace("5-", "500-", 1), TOKEN + "\ud800", "٥-1-x", "-".join("999")],
)
def test_forged(token: str) -> None:
    """Whatever was not given out confirms nothing."""
    assert not confirms(SECRET, token, 1, *FACTS, now=NOW)


@pytest.mark.parametrize("facts", [("queue.purge", "other"), ("task.revoke", "celery"), ()])
def test_other_facts(facts: tuple[str, ...]) -> None:
    """A token for one thing confirms no other."""
    assert not confirms(SECRET, TOKEN, 1, *facts, now=NOW)
