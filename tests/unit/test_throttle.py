"""Who tries too often is slowed down, and nobody else."""

from __future__ import annotations

import pytest

from flower.utils.throttle import Throttle, source_of


def throttle(now: list[float], **more: int) -> Throttle:
    return Throttle(limit=3, seconds=60.0, clock=lambda: now[0], **more)


def test_different_things() -> None:
    """After three different things the source waits, whatever it tries."""
    known = throttle([0.0])
    for what in (b"a", b"b", b"c"):
        assert 0 == known.wait("x", what)
        known.count("x", what)
    assert [60, 60, 0] == [known.wait("x", b"d"), known.wait("x", b"a"), known.wait("y", b"a")]


def test_same_thing() -> None:
    """After one thing three times only that waits."""
    known = throttle([0.0])
    for _ in range(3):
        known.count("x", b"a")
    assert [60, 0] == [known.wait("x", b"a"), known.wait("x", b"b")]


def test_window_ends() -> None:
    """The wait is over when it was said to be, however often was tried meanwhile."""
    now = [0.0]
    known = throttle(now)
    for _ in range(50):
        known.count("x", b"a")
    waits = []
    for now[0] in (0.5, 59.5, 60.0):
        waits.append(known.wait("x", b"a"))
    assert [60, 1, 0] == waits


def test_memory_is_bounded() -> None:
    """The longest known source is forgotten for a new one, and no source holds more than the limit."""
    known = throttle([0.0], sources=2)
    for source in ("x", "y", "z"):
        for number in range(100):
            known.count(source, str(number).encode())
    assert [0, 60, 60] == [known.wait(source, b"") for source in ("x", "y", "z")]
    assert {"y": 3, "z": 3} == {name: len(window.tries) for name, window in known._windows.items()}


def test_nothing_of_what_was_tried_is_kept() -> None:
    """A wrong password is nearly a right one, and is not in memory."""
    known = throttle([0.0])
    known.count("x", b"ann:almost")
    assert b"almost" not in repr(known._windows).encode()


@pytest.mark.parametrize(
    "address, source",
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::1", "::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_source(address: str, source: str) -> None:
    """One network of a customer is one source."""
    assert source == source_of(address)
