"""Hides what stands under secret names in the texts of tasks: of `{'password': 'hunter2'}` only the name is told.

Arguments and results come as the text that Python's `repr` or JSON made, often cut short; quotes in it may be
escaped or not. So it is not parsed: each secret name is looked for, and what follows it is hidden to where its end
is beyond doubt, at worst to the end of the text. The time grows with the length of the text and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from flower.utils.spans import end_of_bare, end_of_container, end_of_quoted

MASK = "********"
NAMES = ("password", "passwd", "passphrase", "secret", "token", "key", "apikey", "authorization", "credential")
"""The names that are secret by default, each a word or several: `key` is one in `api_key`, `apiKey` and `API-KEY`."""
TEXTS = ("args", "kwargs", "result", "exception", "traceback")
"""The facts of a task that are looked through."""
NAME_MOST = 128
"""Characters before and behind a secret word that belong to its name at most."""
DEPTH_MOST = 64

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_QUOTE = re.compile(r"['\"]")
_COLON = re.compile(r"\s{0,100}:\s{0,100}")
_EQUALS = re.compile(r"[\w.\]-]{0,256}=(?!=)")
_OPENING = re.compile(r"[bBuUrR]{0,2}(\\*)(['\"])")
_HARMLESS = re.compile(r"(?:None|True|False|null|true|false)(?=\s*(?:[,}\])]|$))")
_NUMBER = re.compile(r"-?[\d.]+(?:[eE][+-]?\d+)?(?=\s*(?:[,}\])]|$))")
_PLAIN = re.compile(r"[^\s,;&)\]}'\"]+")
_URL = re.compile(r"://[^\s:/?#@'\"]{0,64}:([^\s'\"]{1,256})@")
_END = re.compile(r"[,}\])\\'\"]|\.\.\.|\Z")
_END_OF_ASSIGNED = re.compile(r"[\s,;&})\]\\'\"]|\.\.\.|\Z")

Span = tuple[int, int, str]
"""From, to, and the quotes that the mask needs to be a value."""


def words_of(name: str) -> str:
    """The words of a name, small and with blanks between them."""
    return " ".join(_WORD.findall(name)).casefold()


class Redactor:
    """Hides the values under `names`, compared word by word and without regard to case."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self._names = tuple(f" {words} " for words in map(words_of, names) if words)
        first = sorted({name.split()[0] for name in self._names})
        self._sought = tuple(word for word in first if not any(other in word for other in first if other != word))
        """One of these is in every text that has one of the names."""
        self._find = re.compile("|".join(map(re.escape, first)))
        self.is_secret: Callable[[str], bool] = lru_cache(maxsize=4096)(self._is_secret)

    def __bool__(self) -> bool:
        """Whether anything is hidden."""
        return bool(self._sought)

    def _is_secret(self, name: str) -> bool:
        words = f" {words_of(name)} "
        return any(secret in words for secret in self._names)

    def text(self, text: str) -> str:
        """The text as it may be shown; the same one when there is nothing to hide."""
        # Nearly every text ends here: what is hidden stands behind one of these.
        if (":" not in text and "=" not in text) or not self._sought:
            return text
        small = _lower(text)
        for word in self._sought:
            if word in small:
                spans = list(self._secrets(text, small))
                break
        else:
            spans = []
        if "://" in text:
            spans = _without_overlaps([*spans, *((*match.span(1), "") for match in _URL.finditer(text))])
        return _masked(text, spans) if spans else text

    def value(self, value: Any, depth: int = 0) -> Any:
        """A copy of a JSON value as it may be shown."""
        if isinstance(value, str):
            return self.text(value)
        if not self or not isinstance(value, (dict, list, tuple)):
            return value
        if depth > DEPTH_MOST:
            return MASK
        if isinstance(value, dict):
            return {key: self._under(key, item, depth) for key, item in value.items()}
        return [self.value(item, depth + 1) for item in value]

    def _under(self, key: Any, item: Any, depth: int) -> Any:
        harmless = item is None or item == "" or isinstance(item, bool)
        if isinstance(key, str) and not harmless and self.is_secret(key[: 4 * NAME_MOST]):
            return MASK
        return self.value(item, depth + 1)

    def _secrets(self, text: str, small: str) -> Iterator[Span]:
        """What is to be hidden, from left to right; `small` is the text in small letters."""
        at = 0
        while (hit := self._find.search(small, at)) is not None:
            at = hit.end()
            value = self._named(text, hit.start(), hit.end()) or self._assigned(text, hit.start(), hit.end())
            if value is not None:
                yield value
                at = max(at, value[1])

    def _named(self, text: str, start: int, end: int) -> Span | None:
        """The value behind `'name':` around a word, as in a dict."""
        quote = _QUOTE.search(text, end, end + NAME_MOST)
        colon = quote and _COLON.match(text, quote.end())
        if quote is None or not colon:
            return None
        least = max(0, start - NAME_MOST)
        left = max(text.rfind("'", least, start), text.rfind('"', least, start))
        name = text[max(left + 1, least) : quote.start()]
        if not self.is_secret(name):
            return None
        return _value(text, colon.end(), name[len(name.rstrip("\\")) :] + quote[0])

    def _assigned(self, text: str, start: int, end: int) -> Span | None:
        """The value behind `name=` around a word, as in a dataclass or an address."""
        equals = _EQUALS.match(text, end)
        if equals is None:
            return None
        least = max(0, start - NAME_MOST)
        before = re.search(r"[\w.\[-]*\Z", text[least:start])
        if not self.is_secret((before[0] if before else "") + text[start : equals.end()]):
            return None
        at = equals.end()
        opening = _OPENING.match(text, at)
        if opening:
            return _quoted(text, opening, _END_OF_ASSIGNED)
        if text[at : at + 1] in ("[", "{", "("):
            end = end_of_container(text, at)
            # A password may begin with a bracket.
            more = _PLAIN.match(text, end)
            return at, more.end() if more else end, ""
        plain = _PLAIN.match(text, at)
        return None if plain is None or _HARMLESS.match(text, at) else (at, plain.end(), "")


def _lower(text: str) -> str:
    """The text in small letters, each at its place."""
    small = text.lower()
    # Of all letters only this one becomes two.
    return small if len(small) == len(text) else text.replace("\u0130", "i").lower()


def _value(text: str, at: int, quotes: str) -> Span | None:
    """The value in a dict that begins here; None when there is none, or nothing in it."""
    opening = _OPENING.match(text, at)
    if opening:
        return _quoted(text, opening, _END)
    if at >= len(text) or _HARMLESS.match(text, at):
        return None
    if text[at] in "[{(":
        return at, end_of_container(text, at), quotes
    number = _NUMBER.match(text, at)
    return at, number.end() if number else end_of_bare(text, at), quotes


def _quoted(text: str, opening: re.Match[str], following: re.Pattern[str]) -> Span | None:
    end = end_of_quoted(text, opening.end(), opening[2], len(opening[1]), following)
    return (opening.end(), end, "") if end > opening.end() else None


def _masked(text: str, spans: Sequence[Span]) -> str:
    """The text with masks for the spans, in quotes where the text would be no literal without."""
    parts, at = [], 0
    for start, end, quotes in spans:
        parts += [text[at:start], quotes, MASK, quotes]
        at = end
    return "".join((*parts, text[at:]))


def _without_overlaps(spans: list[Span]) -> list[Span]:
    """The spans from left to right, those that meet made into one."""
    whole: list[Span] = []
    for span in sorted(spans):
        if whole and span[0] < whole[-1][1]:
            start, end, quotes = whole.pop()
            whole.append((start, max(end, span[1]), quotes))
        else:
            whole.append(span)
    return whole
