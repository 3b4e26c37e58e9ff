"""The critical path of a family: the tasks that everybody waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flower.store import FINAL_STATES
from flower.store.family import Relative


@dataclass(slots=True)
class Step:
    """A task of the critical path: how long it ran, and its share of the whole time."""

    relative: Relative
    ran: float | None
    share: float | None = None


def critical_path(members: Mapping[str, Relative]) -> list[Relative]:
    """The tasks that everybody waited for: the one that ends last, and those before it up to the root."""
    if not members:
        return []
    last = max(members.values(), key=_end)
    path, seen = [last], {last.uuid}
    while path[-1].parent in members and path[-1].parent not in seen:
        path.append(members[path[-1].parent or ""])
        seen.add(path[-1].uuid)
    return path[::-1]


def _end(relative: Relative) -> tuple[bool, float, str]:
    """What runs on ends later than all that has ended."""
    open_ = relative.state not in FINAL_STATES and relative.started is not None
    return open_, relative.ended or relative.began or 0.0, relative.uuid


def steps_of(path: list[Relative]) -> tuple[list[Step], float | None]:
    """The path with the run times, and how long all of it took."""
    if len(path) < 2:
        return [], None
    ran = [_between(relative.started, relative.ended) for relative in path]
    whole = _between(path[0].began, path[-1].ended)
    steps = [
        Step(relative, seconds, seconds / whole if whole and seconds is not None else None)
        for relative, seconds in zip(path, ran, strict=True)
    ]
    return steps, whole


def idle_seconds(path: list[Relative]) -> float:
    """How long none of the path ran between its beginning and its end; 0.0 where that is not known."""
    at, idle = path[0].began if path else None, 0.0
    for relative in path:
        if at is None or relative.started is None or relative.ended is None:
            return 0.0
        idle += max(0.0, relative.started - at)
        at = max(at, relative.ended)
    return idle


def _between(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None or second < first else second - first
