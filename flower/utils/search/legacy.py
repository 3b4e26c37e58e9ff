"""The search functions that programs written for Flower 2.0 import; all stand on the one grammar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flower.utils.search.grammar import parse_query
from flower.utils.search.nodes import And, MatchAll, Node, Pair, Query
from flower.utils.search.text import contains


def parse_search_terms(raw_search_value: str | None) -> list[Query]:
    """The terms of a search, all of which a task must satisfy; raises QuerySyntaxError."""
    query = parse_query(preprocess_search_value(raw_search_value))
    nodes: tuple[Node, ...] = query.root.nodes if isinstance(query.root, And) else (query.root,)
    return [Query(node, query.now) for node in nodes if not isinstance(node, MatchAll)]


def satisfies_search_terms(task: Any, search_terms: Iterable[Query]) -> bool:
    """Whether the task (a mapping, or an object with attributes) matches all terms."""
    return all(term.matches(task) for term in search_terms)


def preprocess_search_value(raw_value: str | None) -> str:
    """The search without blanks around it; empty for None."""
    return raw_value.strip() if raw_value else ""


def stringified_dict_contains_value(key: str, value: Any, str_dict: str | None) -> bool:
    """Whether the text of a dict has `key` with exactly `value` (compared as text)."""
    return bool(str_dict) and Pair("kwargs", "kwargs", str(key), str(value)).matches({"kwargs": str_dict}, 0.0)


def task_args_contains_search_args(task_args: Any, search_args: Iterable[Any]) -> bool:
    """Whether each of `search_args` occurs somewhere in the arguments: their text, a list or a dict."""
    if isinstance(search_args, str):
        search_args = [search_args]
    texts = list(_texts(task_args))
    return bool(texts) and all(any(contains(text, str(wanted)) for text in texts) for wanted in search_args)


def _texts(arguments: Any) -> Iterable[str]:
    if arguments is None or arguments == "":
        return
    if isinstance(arguments, Mapping):
        yield from (f"{key}={value}" for key, value in arguments.items())
    elif isinstance(arguments, (list, tuple, set, frozenset)):
        yield from map(str, arguments)
    else:
        yield str(arguments)
