"""From tokens to a query: `or` binds loosest, then `and` (also by a blank), then `not` (also by a dash)."""

from __future__ import annotations

from datetime import timezone, tzinfo

from flower.utils.search.fields import BY_WORD, KINDS, field_term, word_term
from flower.utils.search.nodes import And, MatchAll, Node, Not, Or, Query
from flower.utils.search.text import storable
from flower.utils.search.tokens import MAX_NESTING, QuerySyntaxError, Token, tokens_of


def parse_query(text: str | None, now: float | None = None, tz: tzinfo | None = None) -> Query:
    """Read a search; nothing (or only blanks) finds every task.

    `tz` is the zone of times that name none, UTC by default; `now` the moment to which ages refer.
    Raises QuerySyntaxError.
    """
    cleaned = storable(text or "")
    tokens = tokens_of(cleaned)
    root = _Parser(tokens, tz or timezone.utc).whole() if tokens else MatchAll()
    return Query(root, now, cleaned)


class _Parser:
    """Recursive descent over tokens; lives for one query."""

    def __init__(self, tokens: list[Token], tz: tzinfo) -> None:
        self._tokens = tokens
        self._tz = tz
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._either()
        rest = self._peek()
        if rest is not None:
            raise QuerySyntaxError("Unexpected ')'", rest.position)
        return node

    def _peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _takes(self, *kinds: str) -> Token | None:
        """The next token if it is one of these kinds, which is then behind us."""
        token = self._peek()
        if token is None or token.kind not in kinds:
            return None
        self._next += 1
        return token

    def _either(self) -> Node:
        nodes = [self._all()]
        while operator := self._takes("OR"):
            self._needs_term(operator)
            nodes.append(self._all())
        return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))

    def _all(self) -> Node:
        nodes = [self._negated()]
        while True:
            if operator := self._takes("AND"):
                self._needs_term(operator)
            elif not self._at_term():
                return nodes[0] if len(nodes) == 1 else And(tuple(nodes))
            nodes.append(self._negated())

    def _negated(self) -> Node:
        negative = False
        while operator := self._takes("NOT", "-"):
            self._needs_term(operator)
            negative = not negative
        node = self._one()
        return Not(node) if negative else node

    def _one(self) -> Node:
        token = self._peek()
        if token is None or not self._at_term():
            raise QuerySyntaxError("Expected a search term", 0 if token is None else token.position)
        self._next += 1
        return self._group(token) if token.kind == "(" else self._term(token)

    def _group(self, opening: Token) -> Node:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise QuerySyntaxError(f"Query nesting exceeds {MAX_NESTING} levels", opening.position)
        if self._takes(")"):
            raise QuerySyntaxError("Empty group", opening.position)
        if self._peek() is None:
            raise QuerySyntaxError("Missing closing parenthesis", opening.position)
        node = self._either()
        if not self._takes(")"):
            raise QuerySyntaxError("Missing closing parenthesis", opening.position)
        self._depth -= 1
        return node

    def _term(self, token: Token) -> Node:
        parts = token.split()
        field = BY_WORD.get(parts[0].lower()) if parts else None
        if parts is None or field is None:
            if not token.text:
                raise QuerySyntaxError("Empty search term", token.position)
            return word_term(token.text)
        if not parts[1]:
            raise QuerySyntaxError("Search qualifier requires a value", token.position)
        try:
            return field_term(field, parts[1], self._tz)
        except ValueError:
            told = (
                f"{field.name} takes {KINDS[field.kind]}, not {_shown(parts[1])} (quote the term to search it as text)"
            )
            raise QuerySyntaxError(told, token.position) from None

    def _at_term(self) -> bool:
        token = self._peek()
        return token is not None and token.kind in ("word", "(", "NOT", "-")

    def _needs_term(self, operator: Token) -> None:
        if not self._at_term():
            name = "'-'" if operator.kind == "-" else operator.kind
            raise QuerySyntaxError(f"{name} must be followed by a search term", operator.position)


def _shown(value: str) -> str:
    return repr(value if len(value) <= 40 else value[:40] + "...")
