"""A parsed search: terms joined by and, or, not; each can say whether a task matches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flower.utils.search.text import ascii_lower, contains, number_of, pair_spellings, text_of


@dataclass(frozen=True, slots=True)
class MatchAll:
    """Every task."""

    def matches(self, task: Any, now: float) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Contains:
    """Any of `columns` has `needle` somewhere in its text."""

    field: str
    columns: tuple[str, ...]
    needle: str

    def matches(self, task: Any, now: float) -> bool:
        texts = (text_of(task, column) for column in self.columns)
        return any(text is not None and contains(text, self.needle) for text in texts)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The column is one of `values` (small letters), without regard to ASCII case."""

    field: str
    column: str
    values: tuple[str, ...]

    def matches(self, task: Any, now: float) -> bool:
        text = text_of(task, self.column)
        return text is not None and ascii_lower(text) in self.values


@dataclass(frozen=True, slots=True)
class Prefix:
    """The column begins with one of `prefixes`, in this case: what an index answers at once."""

    field: str
    column: str
    prefixes: tuple[str, ...]

    def matches(self, task: Any, now: float) -> bool:
        text = text_of(task, self.column)
        return text is not None and text.startswith(self.prefixes)


@dataclass(frozen=True, slots=True)
class Pair:
    """The text of keyword arguments has `key` with exactly `value` (`pair_spellings`)."""

    field: str
    column: str
    key: str
    value: str

    def matches(self, task: Any, now: float) -> bool:
        text = text_of(task, self.column)
        return text is not None and any(contains(text, pair) for pair in pair_spellings(self.key, self.value))


@dataclass(frozen=True, slots=True)
class Bound:
    """An end of a span; with `age`, `value` is seconds before now."""

    value: float
    inclusive: bool = True
    age: bool = False

    def at(self, now: float) -> float:
        return now - self.value if self.age else self.value


@dataclass(frozen=True, slots=True)
class Span:
    """The column is a number between `low` and `high`; None leaves an end open."""

    field: str
    column: str
    low: Bound | None = None
    high: Bound | None = None

    def matches(self, task: Any, now: float) -> bool:
        number = number_of(task, self.column)
        if number is None:
            return False
        if self.low is not None:
            edge = self.low.at(now)
            if number < edge or (number == edge and not self.low.inclusive):
                return False
        if self.high is not None:
            edge = self.high.at(now)
            if number > edge or (number == edge and not self.high.inclusive):
                return False
        return True


@dataclass(frozen=True, slots=True)
class Not:
    """A task that `node` does not match."""

    node: Node

    def matches(self, task: Any, now: float) -> bool:
        return not self.node.matches(task, now)


@dataclass(frozen=True, slots=True)
class And:
    """All of `nodes` match."""

    nodes: tuple[Node, ...]

    def matches(self, task: Any, now: float) -> bool:
        return all(node.matches(task, now) for node in self.nodes)


@dataclass(frozen=True, slots=True)
class Or:
    """One of `nodes` matches."""

    nodes: tuple[Node, ...]

    def matches(self, task: Any, now: float) -> bool:
        return any(node.matches(task, now) for node in self.nodes)


Term = Contains | OneOf | Prefix | Pair | Span
Node = MatchAll | Term | Not | And | Or


def terms_of(node: Node) -> Iterator[Term]:
    """All terms of a tree, from left to right."""
    if isinstance(node, Not):
        yield from terms_of(node.node)
    elif isinstance(node, (And, Or)):
        for child in node.nodes:
            yield from terms_of(child)
    elif not isinstance(node, MatchAll):
        yield node


def _has_age(node: Node) -> bool:
    bounds = (bound for term in terms_of(node) if isinstance(term, Span) for bound in (term.low, term.high))
    return any(bound is not None and bound.age for bound in bounds)


@dataclass(frozen=True, slots=True)
class Query:
    """What was searched. Equal queries find the same tasks, however they were written.

    `now` is the moment to which ages like `-1h` refer; None in a query without ages.
    """

    root: Node = MatchAll()
    now: float | None = None
    text: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        relative = _has_age(self.root)
        if relative and self.now is None:
            object.__setattr__(self, "now", time.time())
        elif not relative and self.now is not None:
            object.__setattr__(self, "now", None)

    def matches(self, task: Any, now: float | None = None) -> bool:
        """Whether `task` (a mapping, or an object with attributes) is found; `now` moves the ages."""
        return self.root.matches(task, now if now is not None else self.now or 0.0)

    def __bool__(self) -> bool:
        """Whether it narrows anything."""
        return not isinstance(self.root, MatchAll)
