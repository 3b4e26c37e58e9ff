"""Columns that are compared without regard to ASCII case, in a way that an index of each engine knows.

SQLite has a collation for it; PostgreSQL compares the text made small, where text is of the collation "C".
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from flower.utils.search import ascii_lower

CASELESS = frozenset({"name", "state", "worker"})


def compared(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The column as it is compared and sorted by; values of caseless ones are to be small."""
    return _Caseless(column) if getattr(column, "name", "") in CASELESS else column


def is_one_of(column: sa.ColumnElement[Any], *values: str) -> sa.ColumnElement[bool]:
    """Whether the column has one of the values."""
    left = compared(column)
    known = values if left is column else tuple(map(ascii_lower, values))
    return left == known[0] if len(known) == 1 else left.in_(known)


class _Caseless(FunctionElement[Any]):
    type = sa.Text()
    inherit_cache = True


@compiles(_Caseless)
def _small(element: _Caseless, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kwargs)})"


@compiles(_Caseless, "sqlite")
def _collated(element: _Caseless, compiler: SQLCompiler, **kwargs: Any) -> str:
    return compiler.process(element.clauses, **kwargs)
