"""From the text of a search to its tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MAX_CHARACTERS = 2048
MAX_TOKENS = 128
MAX_NESTING = 20

_ESCAPED_IN_QUOTES = '"\\'
_ESCAPED = '"\\():- \t'

Kind = Literal["word", "(", ")", "AND", "OR", "NOT", "-"]

_OPERATORS: dict[str, Kind] = {"AND": "AND", "OR": "OR", "NOT": "NOT"}


class QuerySyntaxError(ValueError):
    """A search cannot be read; `message` says why, `position` (None: the whole) where."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(f"{message}." if position is None else f"{message} at position {position}.")
        self.message = message
        self.position = position


@dataclass(frozen=True, slots=True)
class Token:
    """`literal` are the indexes in `text` of the characters that were quoted or escaped."""

    kind: Kind
    text: str
    position: int
    literal: frozenset[int] = field(default_factory=frozenset)

    def split(self) -> tuple[str, str] | None:
        """The words before and after the first plain colon; None without one."""
        colon = self.text.find(":")
        if colon <= 0 or any(index <= colon for index in self.literal):
            return None
        return self.text[:colon], self.text[colon + 1 :]


def tokens_of(text: str) -> list[Token]:
    """The tokens of `text`; raises QuerySyntaxError."""
    if len(text) > MAX_CHARACTERS:
        raise QuerySyntaxError(f"Query exceeds {MAX_CHARACTERS} characters")
    tokens: list[Token] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character.isspace():
            index += 1
            continue
        if character in "()":
            tokens.append(Token("(" if character == "(" else ")", character, index))
            index += 1
        elif character == "-" and _negates(text, index):
            tokens.append(Token("-", character, index))
            index += 1
            if text[index] != "(":
                index = _word(text, index, tokens, operators=False)
        else:
            index = _word(text, index, tokens)
        if len(tokens) > MAX_TOKENS:
            raise QuerySyntaxError(f"Query exceeds {MAX_TOKENS} tokens")
    return tokens


def _negates(text: str, index: int) -> bool:
    """Whether the dash at `index` is stuck to a term; a lone dash is a word."""
    return index + 1 < len(text) and not text[index + 1].isspace() and text[index + 1] != ")"


def _word(text: str, start: int, tokens: list[Token], operators: bool = True) -> int:
    """Read one word from `start` into `tokens`; the index after it."""
    characters: list[str] = []
    literal: set[int] = set()
    quote: int | None = None
    quoted = False
    index = start
    while index < len(text):
        character = text[index]
        following = text[index + 1 : index + 2]
        if character == "\\" and following and following in (_ESCAPED if quote is None else _ESCAPED_IN_QUOTES):
            literal.add(len(characters))
            characters.append(following)
            index += 2
            continue
        if character == '"':
            quote, quoted = (index, True) if quote is None else (None, True)
        elif quote is None and (character.isspace() or character in "()"):
            break
        else:
            if quote is not None:
                literal.add(len(characters))
            characters.append(character)
        index += 1
    if quote is not None:
        raise QuerySyntaxError("Unterminated quoted phrase", quote)
    word = "".join(characters)
    operator = _OPERATORS.get(word) if operators and not quoted and not literal else None
    tokens.append(Token(operator or "word", word, start, frozenset(literal)))
    return index
