"""What SQLite is asked for unfinished tasks when a store is opened: the index over states leads to them.

Of all that were ever stored they are few, or old: looking for them from the newest task on may mean reading everything.
"""

from __future__ import annotations

from flower.store.columns import FINAL_STATES, NAMES

OPEN_OF_STATE = 1_000
"""Unfinished tasks of a state that are read: each may be a page of the disk, and most of the old ones never end."""

# The states are found by one step of the index each.
NEWEST_OPEN = f"""
WITH RECURSIVE walk(state) AS (
    SELECT min(state) FROM tasks
    UNION ALL SELECT (SELECT min(state) FROM tasks WHERE state > walk.state) FROM walk WHERE walk.state IS NOT NULL
)
SELECT {", ".join(NAMES)} FROM tasks WHERE id IN (
    SELECT newest.value FROM walk, json_each((
        SELECT json_group_array(id) FROM (
            SELECT id FROM tasks WHERE state = walk.state ORDER BY received DESC, id DESC LIMIT :most
        )
    )) AS newest WHERE walk.state NOT IN ({", ".join(f"'{state}'" for state in sorted(FINAL_STATES))})
) ORDER BY timestamp DESC LIMIT :limit
"""  # noqa: S608 # constants
