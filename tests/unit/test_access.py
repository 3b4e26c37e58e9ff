"""The rules of who may do what."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flower import apikeys
from flower.access import (
    ADMIN,
    ANYBODY,
    AUDIT,
    LOWEST_ROLE,
    METRICS,
    OPERATOR,
    PERMISSIONS,
    PUBLIC,
    READ_ONLY_PERMISSIONS,
    ROLES,
    VIEW,
    VIEWER,
    Access,
    ForbiddenError,
    Login,
    ThrottledError,
    UnauthenticatedError,
    User,
)
from flower.control import OPERATIONS
from flower.utils.throttle import Throttle

ALL = set(PERMISSIONS)
READING = {PUBLIC, METRICS, VIEW, AUDIT}
OPEN = {PUBLIC, METRICS}
ANN = User("ann", ADMIN, "user")


def password(credentials: bytes, address: str = "") -> Login:
    return Login("user", credentials, address)


def token(key: str | bytes, address: str = "") -> Login:
    return Login("key", key if isinstance(key, bytes) else key.encode(), address)


def keyed(*entries: str, credentials: Sequence[str] = (), throttle: Throttle | None = None) -> Access:
    return Access(credentials, keys=apikeys.read(entries), throttle=throttle)


def test_nobody_has_to_log_in_without_credentials() -> None:
    """Without credentials everybody is the same anonymous user."""
    assert ANYBODY == Access().user(None)


def test_user_is_named() -> None:
    """The user's name is what stands before the first colon."""
    assert ANN == Access(["ann:a:b"]).user(password(b"ann:a:b"))


@pytest.mark.parametrize("credentials", [b"", b"ann", b"ann:", b"ann:a:bb", b"\xff\xfe:x"])
def test_wrong_credentials(credentials: bytes) -> None:
    """Anything but the exact credentials is nobody."""
    assert None is Access(["ann:a:b"]).user(password(credentials))


def test_no_credentials() -> None:
    """Who sends none is nobody."""
    assert None is Access(["ann:a:b"]).user(None)


def test_both_encodings() -> None:
    """A password outside ASCII is known in UTF-8 and in Latin-1."""
    access = Access(["zoë:ß"])
    users = [access.user(password("zoë:ß".encode(code))) for code in ("utf-8", "latin-1")]
    assert [User("zoë", ADMIN, "user"), User("zoë", ADMIN, "user")] == users


@pytest.mark.parametrize("role", ROLES)
def test_key(role: str) -> None:
    """A key is known by its name and has its role."""
    access = keyed("ci:secret-of-ci:viewer", f"cd:secret-of-cd:{role}")
    assert User("cd", role, "key") == access.user(token("secret-of-cd"))


@pytest.mark.parametrize("sent", ["", "secret", "secret-of-c", "secret-of-ci2", "ci:secret-of-ci", "schlüssel"])
def test_wrong_key(sent: str) -> None:
    """Anything but a whole key is nobody."""
    assert None is keyed("ci:secret-of-ci").user(token(sent))


def test_stored_hash_is_no_key() -> None:
    """Who has read the file with the hashes cannot log in with them."""
    stored = apikeys.hashed("a-long-and-random-key")
    access = keyed(f"ci:{stored}:admin")
    assert [None, User("ci", ADMIN, "key")] == [access.user(token(key)) for key in (stored, "a-long-and-random-key")]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_key_outside_ascii(encoding: str) -> None:
    """A key outside ASCII is known in both encodings that programs send."""
    assert User("ci", VIEWER, "key") == keyed("ci:schlüssel").user(token("schlüssel".encode(encoding)))


def test_key_is_no_password() -> None:
    """A key is not taken as a password, nor a password as a key."""
    access = keyed("ci:secret", credentials=["ann:word"])
    assert [None, None] == [access.user(password(b"ci:secret")), access.user(token("ann:word"))]


@pytest.mark.parametrize(
    "access, user, api, allowed",
    [
        (Access(), ANYBODY, False, ALL),
        (Access(), ANYBODY, True, OPEN),
        (Access(open_api=True), ANYBODY, True, ALL),
        (Access(["a:b"]), None, False, OPEN),
        (Access(["a:b"]), None, True, OPEN),
        (Access(["a:b"], open_api=True), None, True, OPEN),
        (Access(["a:b"]), ANN, True, ALL),
        (Access(read_only=True), ANYBODY, False, READING),
        (Access(["a:b"], read_only=True), ANN, True, READING),
        (Access(["a:b"], read_only=True), None, True, OPEN),
        (keyed("a:b"), None, True, OPEN),
        (keyed("a:b"), None, False, OPEN),
        (keyed("a:b"), User("a", VIEWER, "key"), True, OPEN | {VIEW}),
        (keyed("a:b"), User("a", OPERATOR, "key"), True, {p for p in ALL if LOWEST_ROLE[p] != ADMIN}),
        (keyed("a:b"), User("a", ADMIN, "key"), True, ALL),
    ],
)
def test_permissions(access: Access, user: User | None, api: bool, allowed: set[str]) -> None:
    """Each mode and role allows these permissions and no other."""
    assert allowed == {permission for permission in PERMISSIONS if access.may(permission, user, api)}


def test_every_permission_has_a_role() -> None:
    """There is a lowest role for each permission."""
    assert PERMISSIONS.keys() == LOWEST_ROLE.keys()


def test_viewers_command_nothing() -> None:
    """No operation that changes something is for viewers."""
    assert [] == [operation.name for operation in OPERATIONS if operation.method != "GET" and operation.role == VIEWER]


def test_operators_destroy_nothing() -> None:
    """What ends workers or deletes messages is for admins."""
    assert {"worker.shutdown", "worker.pool.restart", "queue.purge"} <= {
        name for name, role in LOWEST_ROLE.items() if role == ADMIN
    }


def test_reasons() -> None:
    """Who is not known may come back with a login, who is known may not."""
    with pytest.raises(UnauthenticatedError, match="Access denied"):
        Access(["a:b"]).require(VIEW, None)
    with pytest.raises(ForbiddenError, match="Read only mode is enabled"):
        Access(read_only=True).require("task.revoke", ANYBODY)
    with pytest.raises(ForbiddenError, match=r"The key ci is operator, worker\.shutdown needs admin"):
        keyed("ci:k").require("worker.shutdown", User("ci", OPERATOR, "key"), api=True)


def test_closed_pages_say_how_to_open_them() -> None:
    """With keys alone a browser is told what is missing."""
    with pytest.raises(UnauthenticatedError, match="basic_auth"):
        keyed("ci:k").require(VIEW, None)


def test_read_only_permissions_exist() -> None:
    """Read-only mode names no permission that there is not."""
    assert set() == READ_ONLY_PERMISSIONS - PERMISSIONS.keys()


def test_guessing_is_stopped() -> None:
    """After ten different wrong keys even the right one has to wait, from this address and no other."""
    access = keyed("ci:right", throttle=Throttle(clock=lambda: 0.0))
    assert [None] * 10 == [access.user(token(f"wrong{number}", "10.0.0.1")) for number in range(10)]
    with pytest.raises(ThrottledError) as told:
        access.user(token("right", "10.0.0.1"))
    assert 60 == told.value.seconds
    assert User("ci", VIEWER, "key") == access.user(token("right", "10.0.0.2"))


def test_old_password_locks_out_itself() -> None:
    """A program that goes on with one wrong password is stopped; others at its address are not."""
    access = Access(["ann:new"], throttle=Throttle(clock=lambda: 0.0))
    assert [None] * 10 == [access.user(password(b"ann:old")) for _ in range(10)]
    with pytest.raises(ThrottledError):
        access.user(password(b"ann:old"))
    assert ANN == access.user(password(b"ann:new"))


def test_guessing_goes_on_later() -> None:
    """After a minute the right key is let in."""
    now = [0.0]
    access = keyed("ci:right", throttle=Throttle(clock=lambda: now[0]))
    for number in range(20):
        with pytest.raises(ThrottledError) if number > 9 else pytest.MonkeyPatch.context():
            access.user(token(f"wrong{number}"))
    now[0] = 60.0
    assert User("ci", VIEWER, "key") == access.user(token("right"))
