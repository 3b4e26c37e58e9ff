"""Views of the list of tasks that everybody finds in the menu. Those that visitors save stay in their browser."""

from __future__ import annotations

from flower.utils.texts import say

STARTING_VIEWS: tuple[tuple[str, dict[str, str], str], ...] = tuple(
    (say(f"tasks.view.{slug}"), arguments, say(f"tasks.view.{slug}.help"))
    for slug, arguments in {
        "running": {"state": "STARTED", "sort": "started"},
        "failed": {"state": "FAILURE", "range": "1h"},
        "slowest": {"range": "24h", "sort": "-runtime"},
        "waiting": {"state": "RECEIVED", "sort": "received"},
        "retried": {"state": "RETRY"},
    }.items()
)
"""What the menu says, the arguments of the address, what it shows."""
