"""Views of the list of tasks that everybody finds in the menu. Those that visitors save stay in their browser."""

from __future__ import annotations

STARTING_VIEWS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("Running now", {"state": "STARTED", "sort": "started"}, "The longest running first"),
    ("Failed in the last hour", {"state": "FAILURE", "range": "1h"}, "The newest first"),
    ("Slowest of the last day", {"range": "24h", "sort": "-runtime"}, "The longest run time first"),
    ("Waiting longest", {"state": "RECEIVED", "sort": "received"}, "Held by a worker and not started yet"),
    ("Asked to be retried", {"state": "RETRY"}, "Waiting for their next attempt"),
)
"""What the menu says, the arguments of the address, what it shows."""
