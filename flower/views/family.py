"""A family as a picture: which tasks have a box of their own, which are folded, which are on the critical path."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flower.store import FINAL_STATES
from flower.store.family import Family, Relative
from flower.views.critical import Step, critical_path, idle_seconds, steps_of
from flower.views.graph import Block, Box, extent, place, walk

DRAWN_MOST = 200
"""Boxes of a picture."""
SHOWN_OF_EQUALS = 2
FOLDED_FROM = 5
"""Siblings of one name and state, without children, from which all but the first ones are one box."""


@dataclass(slots=True)
class Picture:
    """`boxes` in reading order; `shown` of `total` tasks stand for themselves or in a fold."""

    boxes: list[Box]
    blocks: list[Block]
    width: float
    height: float
    shown: int
    total: int
    more: bool
    critical: list[Step]
    seconds: float | None
    idle: float
    """Seconds of the critical path in which none of its tasks ran."""
    states: dict[str, int]

    @property
    def unfinished(self) -> bool:
        return any(state not in FINAL_STATES for state in self.states)


def picture_of(family: Family, current: str) -> Picture | None:
    """The picture; None for a task without relatives."""
    members = family.members
    if len(members) < 2 and not (current in members and (members[current].parent or family.root != current)):
        return None
    critical = critical_path(members)
    marked = {relative.uuid for relative in critical}
    keep = marked | set(family.line) | {current, family.root}
    root = _tree(family, keep)
    for box in walk(root):
        uuid = box.relative.uuid
        box.current = uuid == current and not box.folded
        box.critical = uuid in marked and not box.folded and len(marked) > 1
    blocks = place(root)
    boxes = list(walk(root))
    width, height = extent(boxes, blocks)
    steps, seconds = steps_of(critical)
    states: dict[str, int] = {}
    for relative in members.values():
        states[relative.state] = states.get(relative.state, 0) + 1
    return Picture(
        boxes,
        blocks,
        width,
        height,
        sum(box.count for box in boxes if not box.unseen),
        max(family.total, len(members)),
        family.more,
        steps,
        seconds,
        idle_seconds(critical),
        states,
    )


# -- the tree


def _tree(family: Family, keep: set[str]) -> Box:
    """Boxes from the root, level by level, until there are enough; what is left of a level becomes one box."""
    children = _children(family)
    root = Box(family.members.get(family.root) or _unseen(family.root))
    root.unseen = family.root not in family.members
    root.state = "" if root.unseen else root.relative.state
    left, waiting = DRAWN_MOST - 1, deque([root])
    while waiting:
        parent = waiting.popleft()
        groups = _groups(children.get(parent.relative.uuid, []), children, keep)
        for number, equals in enumerate(groups):
            last_place = left <= 1 and number < len(groups) - 1
            group = [relative for rest in groups[number:] for relative in rest] if last_place else equals
            wanted = [relative for relative in group if relative.uuid in keep] if last_place else []
            if left <= 0 and not wanted:
                break
            for box in _boxes(group, family, wanted):
                box.parent, box.depth = parent, parent.depth + 1
                box.guessed = box.relative.parent != parent.relative.uuid
                parent.children.append(box)
                left -= 1
                if not box.folded:
                    waiting.append(box)
            if last_place:
                break
    return root


def _boxes(group: list[Relative], family: Family, wanted: list[Relative]) -> list[Box]:
    """One box of a group; those that must stand for themselves beside it."""
    alone = [_box([relative], family) for relative in wanted]
    rest = [relative for relative in group if relative not in wanted]
    return alone + ([_box(rest, family)] if rest else [])


def _box(group: list[Relative], family: Family) -> Box:
    states = {relative.state for relative in group}
    unseen = group[0].uuid not in family.members
    return Box(group[0], len(group), "" if len(states) > 1 or unseen else group[0].state, unseen)


def _children(family: Family) -> dict[str, list[Relative]]:
    """Parent -> its children, in the order in which they began. Every member but the root has one.

    A parent that is not known is one of which nothing but the id is known, below the root; so is the first
    task of a circle, which only made-up events have.
    """
    found: dict[str, list[Relative]] = {}
    unseen: dict[str, Relative] = {}
    for relative in family.members.values():
        if relative.uuid == family.root:
            continue
        parent = relative.parent or family.root
        if parent not in family.members and parent != family.root and parent not in unseen:
            unseen[parent] = _unseen(parent)
            found.setdefault(family.root, []).append(unseen[parent])
        found.setdefault(parent, []).append(relative)
    reached = set(_reached(family.root, found))
    for relative in family.members.values():
        if relative.uuid not in reached and relative.uuid != family.root:
            siblings = found[relative.parent or family.root]
            siblings.remove(relative)
            found.setdefault(family.root, []).append(relative)
            reached.update(_reached(relative.uuid, found), {relative.uuid})
    for siblings in found.values():
        siblings.sort(key=lambda relative: (relative.began is None, relative.began or 0.0, relative.uuid))
    return found


def _reached(root: str, children: Mapping[str, list[Relative]]) -> Iterator[str]:
    waiting, seen = [root], {root}
    while waiting:
        for relative in children.get(waiting.pop(), []):
            if relative.uuid not in seen:
                seen.add(relative.uuid)
                waiting.append(relative.uuid)
                yield relative.uuid


def _groups(siblings: list[Relative], children: Mapping[str, list[Relative]], keep: set[str]) -> list[list[Relative]]:
    """The siblings, those that are told together in one list, at the place of the first of them."""
    equals: dict[tuple[str, str], list[Relative]] = {}
    for relative in siblings:
        if relative.uuid not in keep and not children.get(relative.uuid):
            equals.setdefault((relative.name, relative.state), []).append(relative)
    folds = {key: group[SHOWN_OF_EQUALS:] for key, group in equals.items() if len(group) >= FOLDED_FROM}
    folded = {relative.uuid for group in folds.values() for relative in group}
    groups = []
    for relative in siblings:
        if relative.uuid not in folded:
            groups.append([relative])
        else:
            group = folds[relative.name, relative.state]
            if group[0] is relative:
                groups.append(group)
    return groups


def _unseen(uuid: str) -> Relative:
    return Relative(uuid, "", "", None, None, None, None, None, None)
