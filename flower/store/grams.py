"""What an index of three-letter pieces (trigrams) can tell of a search: which tasks may match, never too few.

Texts and needles are case-folded, letter by letter, so that whatever matches by either rule of
`flower.utils.search.text` has all pieces of the needle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

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


def expression(node: Node, choose: Choose) -> str | None:
    """The search as FTS5 is asked for candidates; None where it cannot leave anything out."""
    if isinstance(node, Contains):
        return _needle(node.needle, choose) if set(node.columns) <= set(WORD_COLUMNS) else None
    if isinstance(node, Pair):
        return _either(_needle(text, choose) for text in pair_spellings(node.key, node.value))
    if isinstance(node, And):
        parts = [part for child in node.nodes if (part := expression(child, choose)) is not None]
        return f"({' AND '.join(parts)})" if parts else None
    if isinstance(node, Or):
        return _either(expression(child, choose) for child in node.nodes)
    return None


def _either(parts: Iterable[str | None]) -> str | None:
    # Spellings differ less than their pieces do.
    different = dict.fromkeys(parts)
    return None if None in different or not different else f"({' OR '.join(part for part in different if part)})"


def _needle(needle: str, choose: Choose) -> str | None:
    folded = fold(needle) or ""
    # NUL is no letter of an indexed text, see `flower.store.textfile`.
    if len(folded) < LENGTH or "\0" in folded:
        return None
    quoted = ('"' + piece.replace('"', '""') + '"' for piece in sorted(choose(folded)))
    return f"({' AND '.join(quoted)})"
