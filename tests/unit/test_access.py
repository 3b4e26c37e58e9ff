"""The rules of who may do what."""

from __future__ import annotations

import pytest

from flower.access import (
    ANYBODY,
    PERMISSIONS,
    PUBLIC,
    READ_ONLY_PERMISSIONS,
    VIEW,
    Access,
    ForbiddenError,
    UnauthenticatedError,
    User,
)

ALL = set(PERMISSIONS)


def test_nobody_has_to_log_in_without_credentials() -> None:
    """Without credentials everybody is the same anonymous user."""
    assert ANYBODY == Access().user(None)


def test_user_is_named() -> None:
    """The user's name is what stands before the first colon."""
    assert User("ann") == Access(["ann:a:b"]).user(b"ann:a:b")


@pytest.mark.parametrize("credentials", [None, b"", b"ann", b"ann:", b"ann:a:bb", b"\xff\xfe:x"])
def test_wrong_credentials(credentials: bytes | None) -> None:
    """Anything but the exact credentials is nobody."""
    assert None is Access(["ann:a:b"]).user(credentials)


def test_both_encodings() -> None:
    """A password outside ASCII is known in UTF-8 and in Latin-1."""
    access = Access(["zoë:ß"])
    assert [User("zoë"), User("zo\ufffd")] == [access.user("zoë:ß".encode(code)) for code in ("utf-8", "latin-1")]


@pytest.mark.parametrize(
    "access, user, api, allowed",
    [
        (Access(), ANYBODY, False, ALL),
        (Access(), ANYBODY, True, {PUBLIC}),
        (Access(open_api=True), ANYBODY, True, ALL),
        (Access(["a:b"]), None, False, {PUBLIC}),
        (Access(["a:b"]), None, True, {PUBLIC}),
        (Access(["a:b"], open_api=True), None, True, {PUBLIC}),
        (Access(["a:b"]), User("a"), True, ALL),
        (Access(read_only=True), ANYBODY, False, {PUBLIC, VIEW}),
        (Access(["a:b"], read_only=True), User("a"), True, {PUBLIC, VIEW}),
        (Access(["a:b"], read_only=True), None, True, {PUBLIC}),
    ],
)
def test_permissions(access: Access, user: User | None, api: bool, allowed: set[str]) -> None:
    """Each mode allows these permissions and no other."""
    assert allowed == {permission for permission in PERMISSIONS if access.may(permission, user, api)}


def test_reasons() -> None:
    """Who is not known may come back with a login, who is known may not."""
    with pytest.raises(UnauthenticatedError, match="Access denied"):
        Access(["a:b"]).require(VIEW, None)
    with pytest.raises(ForbiddenError, match="Read only mode is enabled"):
        Access(read_only=True).require("worker.pool.grow", ANYBODY)


def test_read_only_permissions_exist() -> None:
    """Read-only mode names no permission that there is not."""
    assert set() == READ_ONLY_PERMISSIONS - PERMISSIONS.keys()
