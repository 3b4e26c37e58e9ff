"""Origins of other web sites."""

from __future__ import annotations

import pytest

from flower.utils.origins import Origins, is_origin


@pytest.mark.parametrize(
    "text, expected",
    [
        ("https://a.example", True),
        ("http://localhost:3000", True),
        ("http://[::1]:3000", True),
        ("chrome-extension://abcdef", True),
        ("*", True),
        ("https://a.example/", False),
        ("https://a.example/path", False),
        ("https://*.example", False),
        ("https://user@a.example", False),
        ("a.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_is_origin(text: str, expected: bool) -> None:
    """An origin is a scheme, a host and perhaps a port, and nothing more."""
    assert expected is is_origin(text)


def test_no_origins_no_headers() -> None:
    """Without names nothing is said."""
    assert {} == Origins().headers("https://a.example")


def test_any_is_no_name() -> None:
    """`*` names no site that may command."""
    assert not Origins(["*"]).named("*")
    assert not Origins(["*"]).named("https://a.example")
