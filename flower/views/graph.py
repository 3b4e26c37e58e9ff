"""Where the boxes of a family stand: a layer a generation from left to right, many siblings in a block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from math import sqrt

from flower.store.family import Relative
from flower.utils.texts import say

WIDTH, HEIGHT, ACROSS, BETWEEN = 214, 44, 46, 10
"""Of a box, and the room between layers and between boxes."""
PAD = 6
NAME_MOST = 24
BLOCK_FROM = 9
"""Siblings without children from which they stand in rows of several."""
COLUMNS_MOST = 6


@dataclass(slots=True)
class Box:
    """One task, or `count` siblings that are told together; then `relative` is the first of them.

    `state` is empty where they differ, and `unseen` is set for a task of which nothing but its id is known.
    """

    relative: Relative
    count: int = 1
    state: str = ""
    unseen: bool = False
    current: bool = False
    critical: bool = False
    guessed: bool = False
    """Whether the line to its parent skips tasks that are not known."""
    depth: int = 0
    x: float = 0.0
    y: float = 0.0
    parent: Box | None = None
    children: list[Box] = field(default_factory=list)
    block: Block | None = None

    @property
    def folded(self) -> bool:
        return self.count > 1

    @property
    def short_name(self) -> str:
        """The end of the name, which tells tasks apart, where the whole has no room."""
        name = self.relative.name or say("task.family.unseen.short" if self.unseen else "task.nameless")
        return name if len(name) <= NAME_MOST else "…" + name[-(NAME_MOST - 1) :]

    @property
    def edge(self) -> str:
        """The line from the parent, as the `d` of a path."""
        if self.parent is None or self.block is not None:
            return ""
        return _curve(self.parent, self.x, self.y + HEIGHT / 2)


@dataclass(slots=True)
class Block:
    """Many siblings in one frame, with one line from their parent."""

    boxes: list[Box]
    x: float = 0.0
    y: float = 0.0

    @property
    def columns(self) -> int:
        return max(2, min(COLUMNS_MOST, round(sqrt(len(self.boxes) / 3))))

    @property
    def width(self) -> float:
        return self.columns * (WIDTH + BETWEEN) + BETWEEN

    @property
    def height(self) -> float:
        return -(-len(self.boxes) // self.columns) * (HEIGHT + BETWEEN) + BETWEEN

    @property
    def edge(self) -> str:
        """The line from the parent of all of them."""
        parent = self.boxes[0].parent
        return "" if parent is None else _curve(parent, self.x, self.y + self.height / 2)

    def place(self, x: float, y: float) -> None:
        """Put the boxes row by row; the frame begins a little before them."""
        self.x, self.y = x - BETWEEN, y
        for number, box in enumerate(self.boxes):
            row, column = divmod(number, self.columns)
            box.x = x + column * (WIDTH + BETWEEN)
            box.y = y + BETWEEN + row * (HEIGHT + BETWEEN)


def _curve(parent: Box, x: float, y: float) -> str:
    from_x, from_y = parent.x + WIDTH, parent.y + HEIGHT / 2
    middle = (from_x + x) / 2
    return f"M{from_x:g} {from_y:g}C{middle:g} {from_y:g} {middle:g} {y:g} {x:g} {y:g}"


def walk(root: Box) -> Iterator[Box]:
    """Every box, a parent before its children, as one reads a list of contents."""
    waiting = [root]
    while waiting:
        box = waiting.pop()
        yield box
        waiting.extend(reversed(box.children))


def place(root: Box) -> list[Block]:
    """Give every box its place; a parent stands in the middle of its children. Returns the blocks there are."""
    blocks = [block for box in walk(root) for block in _block_of(box)]
    boxes = list(walk(root))
    next_y = float(PAD)
    for box in boxes:
        x = PAD + box.depth * (WIDTH + ACROSS)
        if box.block is None:
            box.x = x
        if box.children:
            continue
        if box.block is None:
            box.y = next_y
            next_y += HEIGHT + BETWEEN
        elif box is box.block.boxes[0]:
            box.block.place(x, next_y)
            next_y += box.block.height + BETWEEN
    for box in reversed(boxes):
        if box.children:
            box.y = _middle(box.children)
    return blocks


def _block_of(parent: Box) -> list[Block]:
    """The block of its childless children, if they are many; they go together to the place of the first."""
    leaves = [box for box in parent.children if not box.children and not box.critical]
    if len(leaves) < BLOCK_FROM:
        return []
    block = Block(leaves)
    for box in leaves:
        box.block = block
    first = parent.children.index(leaves[0])
    before = [box for box in parent.children[:first] if box.block is None]
    after = [box for box in parent.children[first:] if box.block is None]
    parent.children = [*before, *leaves, *after]
    return [block]


def _middle(children: Sequence[Box]) -> float:
    first, last = children[0], children[-1]
    top = first.y if first.block is None else first.block.y
    bottom = last.y if last.block is None else last.block.y + last.block.height - HEIGHT
    return (top + bottom) / 2


def extent(boxes: Sequence[Box], blocks: Sequence[Block]) -> tuple[float, float]:
    """Width and height of the whole."""
    right = max([box.x + WIDTH for box in boxes] + [block.x + block.width for block in blocks])
    bottom = max([box.y + HEIGHT for box in boxes] + [block.y + block.height for block in blocks])
    return right + PAD, bottom + PAD
