"""The SQL of a `TaskQuery`: which rows match, exactly as `Query.matches` says it of a task.

NULL is "does not match": negation is pushed down to the single terms, and a negated term also
takes the rows whose column is NULL. So no term's NULL ever meets a NOT.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flower.store.caseless import is_one_of
from flower.store.plan import Clause, Unindexed
from flower.store.query import TaskQuery
from flower.utils.search import (
    And,
    Contains,
    MatchAll,
    Node,
    Not,
    OneOf,
    Or,
    Pair,
    Prefix,
    Query,
    Span,
    Term,
    fold_needle,
    pair_spellings,
)


def conditions(query: TaskQuery, table: sa.Table) -> list[Clause]:
    """What a row must satisfy, all of it, to answer the query; empty when every row does."""
    column = table.c
    found: list[Clause] = []
    for name in ("state", "name", "worker", "queue"):
        wanted = getattr(query, name)
        if wanted is not None:
            found.append(is_one_of(column[name], wanted))
    for name in ("received", "started"):
        start, end = getattr(query, f"{name}_start"), getattr(query, f"{name}_end")
        if start is not None:
            found.append(column[name] >= start)
        if end is not None:
            found.append(column[name] <= end)
    if query.search is not None:
        found.extend(_search(query.search, table))
    if query.among is None:
        return found
    # They are few, and each is found at once: no other index leads to less.
    ids = sa.select(sa.func.json_each(query.among).table_valued("value").c.value)
    return [column.id.in_(ids), *map(Unindexed, found)]


def _search(search: Query, table: sa.Table) -> list[Clause]:
    if isinstance(search.root, MatchAll):
        return []
    now = search.now or 0.0
    parts = search.root.nodes if isinstance(search.root, And) else (search.root,)
    # What is cheap to tell goes first: SQLite looks at terms in this order.
    return [_clause(node, table, now, True) for node in sorted(parts, key=_reads_text)]


def _reads_text(node: Node) -> bool:
    return not isinstance(node, (Span, OneOf, Prefix))


def _clause(node: Node, table: sa.Table, now: float, positive: bool) -> Clause:
    if isinstance(node, MatchAll):
        return sa.true() if positive else sa.false()
    if isinstance(node, Not):
        return _clause(node.node, table, now, not positive)
    if isinstance(node, (And, Or)):
        clauses = [_clause(child, table, now, positive) for child in node.nodes]
        return sa.and_(*clauses) if isinstance(node, And) == positive else sa.or_(*clauses)
    return _term(node, table, now, positive)


def _term(term: Term, table: sa.Table, now: float, positive: bool) -> Clause:
    if isinstance(term, Contains):
        found = [_signed(table.c[name], _holds(table.c[name], term.needle), positive) for name in term.columns]
        return sa.or_(*found) if positive else sa.and_(*found)
    column = table.c[term.column]
    if isinstance(term, OneOf):
        return _signed(column, is_one_of(column, *term.values), positive)
    if isinstance(term, Prefix):
        return _signed(column, sa.or_(*(_begins(column, prefix) for prefix in term.prefixes)), positive)
    if isinstance(term, Pair):
        return _signed(column, _has_pair(column, term), positive)
    return _signed(column, _within(column, term, now), positive)


def _signed(column: sa.Column[Any], clause: Clause, positive: bool) -> Clause:
    return clause if positive else sa.or_(column.is_(None), sa.not_(clause))


def _within(column: sa.Column[Any], span: Span, now: float) -> Clause:
    ends: list[Clause] = []
    if span.low is not None:
        low = span.low.at(now)
        ends.append(column >= low if span.low.inclusive else column > low)
    if span.high is not None:
        high = span.high.at(now)
        ends.append(column <= high if span.high.inclusive else column < high)
    return sa.and_(*ends) if ends else column.is_not(None)


def _begins(column: sa.Column[Any], prefix: str) -> Clause:
    # A range, for which an index is used; right where text is ordered by code point (BINARY, collation "C").
    end = _successor(prefix)
    return column >= prefix if end is None else sa.and_(column >= prefix, column < end)


def _successor(prefix: str) -> str | None:
    """The first text after all that begin with `prefix`; None when there is none."""
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    code = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if 0xD800 <= code < 0xE000 else code)


def _has_pair(column: sa.Column[Any], pair: Pair) -> Clause:
    spelled = sa.or_(*(_holds(column, text) for text in pair_spellings(pair.key, pair.value)))
    # Most rows lack the key, which is one comparison instead of all spellings.
    plain = pair.key.isascii() and pair.key.isidentifier() and pair.value.isascii()
    return sa.and_(_holds(column, pair.key), spelled) if plain else spelled


def _holds(column: sa.Column[Any], needle: str) -> Clause:
    folded = fold_needle(needle)
    pattern = folded.replace("/", "//").replace("%", "/%").replace("_", "/_")
    bound = sa.literal(f"%{pattern}%", sa.Text())
    if needle.isascii():
        return _HoldsAscii(column, bound)
    return _HoldsFolded(column, bound) if folded.isascii() else _HoldsWide(column, bound)


class _HoldsAscii(FunctionElement[bool]):
    """The column is like the pattern, without regard to ASCII case."""

    type = sa.Boolean()
    inherit_cache = True


class _HoldsFolded(FunctionElement[bool]):
    """The case-folded column is like the pattern."""

    type = sa.Boolean()
    inherit_cache = True


class _HoldsWide(_HoldsFolded):
    """The same for a pattern that no ASCII text can hold."""

    inherit_cache = True


def _sides(element: FunctionElement[bool], compiler: SQLCompiler, **kwargs: Any) -> tuple[str, str]:
    column, pattern = element.clauses
    return compiler.process(column, **kwargs), compiler.process(pattern, **kwargs)


@compiles(_HoldsAscii)
def _ascii(element: _HoldsAscii, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, pattern = _sides(element, compiler, **kwargs)
    return f"(lower({column} COLLATE \"C\") LIKE {pattern} ESCAPE '/')"


@compiles(_HoldsAscii, "sqlite")
def _ascii_sqlite(element: _HoldsAscii, compiler: SQLCompiler, **kwargs: Any) -> str:
    # SQLite's LIKE disregards the case of ASCII letters, and of no others.
    column, pattern = _sides(element, compiler, **kwargs)
    return f"({column} LIKE {pattern} ESCAPE '/')"


@compiles(_HoldsFolded)
def _folded(element: _HoldsFolded, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, pattern = _sides(element, compiler, **kwargs)
    return f"(flower_fold({column}) LIKE {pattern} ESCAPE '/')"


@compiles(_HoldsWide, "postgresql")
def _wide_postgresql(element: _HoldsWide, compiler: SQLCompiler, **kwargs: Any) -> str:
    column, pattern = _sides(element, compiler, **kwargs)
    wide = f"octet_length({column}) <> length({column})"
    return f"(CASE WHEN {wide} THEN flower_fold({column}) LIKE {pattern} ESCAPE '/' ELSE {column} <> {column} END)"


@compiles(_HoldsWide, "sqlite")
def _wide_sqlite(element: _HoldsWide, compiler: SQLCompiler, **kwargs: Any) -> str:
    # Most texts are ASCII: telling so is cheap, calling Python for each is not.
    column, pattern = _sides(element, compiler, **kwargs)
    wide = f"length({column}) <> length(CAST({column} AS BLOB))"
    return f"(CASE WHEN {wide} THEN flower_fold({column}) LIKE {pattern} ESCAPE '/' ELSE {column} <> {column} END)"
