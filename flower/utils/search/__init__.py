"""The search language: one grammar, two evaluators (here in Python, in `flower.store.where` in SQL).

`docs/search.md` describes the language. Nothing here knows the rest of flower.
"""

from __future__ import annotations

from dataclasses import dataclass

from flower.utils.search.fields import BY_WORD, FIELDS, KINDS, WORD_COLUMNS, Field
from flower.utils.search.grammar import parse_query
from flower.utils.search.legacy import (
    parse_search_terms,
    preprocess_search_value,
    satisfies_search_terms,
    stringified_dict_contains_value,
    task_args_contains_search_args,
)
from flower.utils.search.nodes import (
    And,
    Bound,
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
    terms_of,
)
from flower.utils.search.text import (
    SQL_FUNCTIONS,
    ascii_lower,
    ascii_upper,
    fold,
    fold_needle,
    pair_spellings,
    storable,
)
from flower.utils.search.tokens import MAX_CHARACTERS, MAX_NESTING, MAX_TOKENS, QuerySyntaxError


@dataclass(frozen=True, slots=True)
class SearchPage:
    """The ids of the asked page, how many tasks match, how many there are."""

    task_ids: list[str]
    filtered_count: int
    total_count: int


__all__ = [
    "BY_WORD",
    "FIELDS",
    "KINDS",
    "MAX_CHARACTERS",
    "MAX_NESTING",
    "MAX_TOKENS",
    "SQL_FUNCTIONS",
    "WORD_COLUMNS",
    "And",
    "Bound",
    "Contains",
    "Field",
    "MatchAll",
    "Node",
    "Not",
    "OneOf",
    "Or",
    "Pair",
    "Prefix",
    "Query",
    "QuerySyntaxError",
    "SearchPage",
    "Span",
    "Term",
    "ascii_lower",
    "ascii_upper",
    "fold",
    "fold_needle",
    "pair_spellings",
    "parse_query",
    "parse_search_terms",
    "preprocess_search_value",
    "satisfies_search_terms",
    "stringified_dict_contains_value",
    "task_args_contains_search_args",
    "storable",
    "terms_of",
]
