"""What the overview reads before it is asked for."""

from __future__ import annotations

from tests.api.conftest import SECONDS, Server
from tests.services import last


def test_long_windows_are_read_ahead(server: Server) -> None:
    """Who sees the overview finds the long windows read when switching to them."""
    server.get("/")
    kept = server.app.settings["site"].kept["readings"].kept
    expected = {"1h", "5m", "24h", "7d"}
    assert expected == last(lambda: {word for word, _, _ in list(kept)}, expected, SECONDS)
