"""A task's family: what one task began, found through the parents of tasks, level by level.

The index over parents is enough for it. One over `root_id` costs every write of such tasks a quarter more
(measured: 63 -> 80 us a task of which 7 in 10 have a parent), and would be read on one page only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

READ_MOST = 2_000
"""Descendants that are read: more than a picture has room for."""
NEAR_MOST = 200
"""Children of the task itself, and ancestors of it, that are read besides."""
COUNT_MOST = 100_000
"""Descendants that are counted, in a quarter of a second."""

_COLUMNS = (
    *("uuid", "name", "state", "parent_id", "worker", "sent", "received", "started"),
    *("succeeded", "failed", "retried", "revoked", "rejected", "runtime", "timestamp"),
)
_FACTS = ", ".join(f"tasks.{name}" for name in _COLUMNS)

_FAMILY = """
WITH RECURSIVE family(uuid) AS (
    SELECT {root} UNION SELECT tasks.uuid FROM family JOIN tasks ON tasks.parent_id = family.uuid
)
"""
_ROOT = {"sqlite": ":root", "postgresql": 'CAST(:root AS TEXT) COLLATE "C"'}
"""How the engine is told the first id, in the collation of the others."""
_MEMBERS, _COUNT = (
    {engine: sa.text(_FAMILY.format(root=root) + rest) for engine, root in _ROOT.items()}
    for rest in (
        f"SELECT {_FACTS} FROM (SELECT uuid FROM family LIMIT :most) m JOIN tasks ON tasks.uuid = m.uuid",  # noqa: S608
        "SELECT count(*) FROM (SELECT 1 FROM family LIMIT :most) AS members",
    )
)
_LINE = sa.text(
    f"""
WITH RECURSIVE line(uuid, parent_id, step) AS (
    SELECT tasks.uuid, tasks.parent_id, 0 FROM tasks WHERE tasks.uuid = :uuid
    UNION ALL
    SELECT tasks.uuid, tasks.parent_id, step + 1 FROM line JOIN tasks ON tasks.uuid = line.parent_id WHERE step < :most
)
SELECT {_FACTS} FROM line JOIN tasks ON tasks.uuid = line.uuid ORDER BY step
"""  # noqa: S608 # constants
)
_CHILDREN = sa.text(f"SELECT {_FACTS} FROM tasks WHERE tasks.parent_id = :uuid LIMIT :most")  # noqa: S608 # constants


@dataclass(frozen=True, slots=True)
class Relative:
    """One task of a family, without its payload. `ended` is the time of the end, whatever it was."""

    uuid: str
    name: str
    state: str
    parent: str | None
    worker: str | None
    began: float | None
    started: float | None
    ended: float | None
    runtime: float | None


@dataclass(frozen=True, slots=True)
class Family:
    """`members` by uuid, the root first where it is known; `total` counts all there are, up to `COUNT_MOST`.

    `line` are the ancestors of the task that was asked for, itself first.
    """

    root: str
    members: dict[str, Relative] = field(default_factory=dict)
    total: int = 0
    more: bool = False
    line: tuple[str, ...] = ()


def read(connection: sa.Connection, uuid: str, root: str | None) -> Family:
    """The family of a task. Without a known root its highest known ancestor begins it."""
    engine = connection.dialect.name
    line = _relatives(connection.execute(_LINE, {"uuid": uuid, "most": NEAR_MOST}))
    top = root or (list(line.values())[-1].uuid if line else uuid)
    members = _relatives(connection.execute(_MEMBERS[engine], {"root": top, "most": READ_MOST}))
    near = _relatives(connection.execute(_CHILDREN, {"uuid": uuid, "most": NEAR_MOST}))
    for relative in (*line.values(), *near.values()):
        members.setdefault(relative.uuid, relative)
    total = len(members)
    if total >= READ_MOST:
        counted: int = connection.execute(_COUNT[engine], {"root": top, "most": COUNT_MOST + 1}).scalar_one()
        total = max(total, counted)
    return Family(top, members, min(total, COUNT_MOST), total > COUNT_MOST, tuple(line))


def _relatives(rows: Iterable[sa.Row[Any]]) -> dict[str, Relative]:
    found: dict[str, Relative] = {}
    for row in rows:
        relative = relative_of(dict(zip(_COLUMNS, row, strict=True)))
        found.setdefault(relative.uuid, relative)
    return found


def relative_of(task: Mapping[str, Any]) -> Relative:
    """What the family needs of a task."""
    state = str(task.get("state") or "PENDING")
    ends = [task.get(name) for name in ("succeeded", "failed", "revoked", "rejected")]
    times = [task.get(name) for name in ("sent", "received", "started")]
    parent = task.get("parent_id")
    return Relative(
        uuid=str(task["uuid"]),
        name=str(task.get("name") or ""),
        state=state,
        parent=parent if parent != task["uuid"] else None,
        worker=task.get("worker"),
        began=min((time for time in times if time is not None), default=None),
        started=task.get("started"),
        ended=max((end for end in ends if end is not None), default=None),
        runtime=task.get("runtime"),
    )
