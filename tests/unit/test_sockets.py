"""Owners of socket files."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from flower.utils import sockets
from flower.utils.owners import is_owner, owner_of

UID = os.getuid()
ME = pwd.getpwuid(UID).pw_name


@pytest.mark.parametrize(
    ("text", "expected"),
    [(ME, (UID, -1)), (f"{ME}:", (UID, -1)), (":root", (-1, 0)), (f"{ME}:root", (UID, 0))],
)
def test_owner_of(text: str, expected: tuple[int, int]) -> None:
    """User, group, or both."""
    assert expected == owner_of(text)


@pytest.mark.parametrize("text", ["", ":", "nobody-of-that-name", f"{ME}:no-such-group", "a b"])
def test_no_owner(text: str) -> None:
    """Who does not exist is none."""
    assert not is_owner(text)


def test_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that cannot be given away is not left behind."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(sockets.os, "chown", refuse)
    with pytest.raises(PermissionError):
        sockets.unix_socket(str(tmp_path / "s"), 0o600, ME)
    assert [] == list(tmp_path.iterdir())
