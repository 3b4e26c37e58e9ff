"""What an index of three-letter pieces (trigrams) can tell of a search: which tasks may match, never too few.

Texts and needles are case-folded, letter by letter, so that whatever matches by either rule of
`flower.utils.search.text` has all pieces of the needle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flower.utils.search import WORD_COLUMNS, And, Contains, Node, Or, Pair, fold, pair_spellings

LENGTH = 3
PIECES_MOST = 4
"""Of one needle that are asked for: the rarest ones tell nearly as much as all."""
COMMON_SHARE = 0.3
"""A piece that more texts have than this tells too little for what it costs."""
NEEDLE_MOST = 60
"""Letters of a needle that are looked at."""
KNOWN_MOST = 50_000
"""Pieces that are counted: some 5 MB."""

Choose = Callable[[str], Sequence[str]]


def pieces_of(text: str) -> list[str]:
    """The different pieces of a folded text, in their order; none of one that is too short."""
    return list(dict.fromkeys(text[start : start + LENGTH] for start in range(len(text) - LENGTH + 1)))


class Commonness:
    """How many of some sampled texts have a piece. One thread at a time counts, any asks."""

    def __init__(self) -> None:
        self._texts = 0
        self._counts: Counter[str] = Counter()

    def count(self, texts: Iterable[str]) -> None:
        """Take these folded texts into account."""
        for text in texts:
            self._texts += 1
            pieces = pieces_of(text)
            if len(self._counts) >= KNOWN_MOST:
                pieces = [piece for piece in pieces if piece in self._counts]
            self._counts.update(pieces)

    def rarest(self, needle: str) -> list[str]:
        """The pieces of a folded needle by which its texts are found with the least reading."""
        pieces = sorted(pieces_of(needle[:NEEDLE_MOST]), key=lambda piece: self._counts[piece])
        common = self._texts * COMMON_SHARE
        return [pieces[0], *(piece for piece in pieces[1:PIECES_MOST] if self._counts[piece] < common)]


@dataclass(frozen=True, slots=True)
class All:
    """A text has all of these."""

    parts: tuple[Needed, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """A text has one of these."""

    parts: tuple[Needed, ...]


Needed = str | All | Any


def needed(node: Node) -> Needed | None:
    """Folded needles that the texts of every match have; None where an index cannot leave anything out."""
    if isinstance(node, Contains):
        return _needle(node.needle) if set(node.columns) <= set(WORD_COLUMNS) else None
    if isinstance(node, Pair):
        return _any(_needle(text) for text in pair_spellings(node.key, node.value))
    if isinstance(node, And):
        parts = tuple(part for child in node.nodes if (part := needed(child)) is not None)
        return All(parts) if parts else None
    return _any(map(needed, node.nodes)) if isinstance(node, Or) else None


def _any(parts: Iterable[Needed | None]) -> Needed | None:
    found = tuple(dict.fromkeys(parts))
    kept = tuple(part for part in found if part is not None)
    return Any(kept) if kept and len(kept) == len(found) else None


def _needle(needle: str) -> str | None:
    folded = fold(needle) or ""
    # NUL is no letter of an indexed text, see `flower.store.textfile`.
    return None if len(folded) < LENGTH or "\0" in folded else folded


def expression(wanted: Needed, choose: Choose) -> str:
    """How FTS5 is asked for it."""
    if isinstance(wanted, str):
        parts = ['"' + piece.replace('"', '""') + '"' for piece in sorted(choose(wanted))]
    else:
        # Spellings differ less than their pieces do.
        parts = list(dict.fromkeys(expression(part, choose) for part in wanted.parts))
    return f"({(' OR ' if isinstance(wanted, Any) else ' AND ').join(parts)})"
