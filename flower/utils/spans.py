"""Where a value ends in what `repr` or JSON made, or in a part of it: never too early, at worst far too late."""

from __future__ import annotations

import re
from collections.abc import Iterator

CLOSING = {"(": ")", "[": "]", "{": "}"}
QUOTES = "'\""
_BRACKETS = re.compile(r"[\[\](){}'\"\\]")
_BRACKETS_AND_COMMAS = re.compile(r"[\[\](){}'\",\\]")
_NEXT_NAME = re.compile(r",\s{0,100}[bBuU]?\\*(['\"])[^'\"]{0,256}['\"]\s{0,100}:")


def end_of_quoted(text: str, at: int, quote: str, escapes: int, following: re.Pattern[str]) -> int:
    """The place of the quote, or of its `escapes` backslashes, that ends a string whose content begins at `at`.

    A quote within has more backslashes before it. One behind which there is nothing of what may follow a value is
    no end either: not everybody escapes.
    """
    place = text.find(quote, at)
    while place >= 0:
        begin = place
        while begin > at and text[begin - 1] == "\\":
            begin -= 1
        if place - begin <= escapes:
            rest = place + 1
            while rest < len(text) and text[rest] == " " and rest < place + 100:
                rest += 1
            if following.match(text, rest) or following.match(text, place + 1):
                return begin
        place = text.find(quote, place + 1)
    return len(text)


def end_of_container(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`; with a backslash in between the end of the text."""
    open_: list[str] = []
    for mark in _outside_strings(_BRACKETS, text, at):
        if mark[0] in CLOSING:
            open_.append(CLOSING[mark[0]])
        elif mark[0] == open_[-1]:
            open_.pop()
            if not open_:
                return mark.end()
    return len(text)


def end_of_bare(text: str, at: int) -> int:
    """The end of a value without quotes in a dict: the next name, or the bracket around it."""
    open_: list[str] = []
    for mark in _outside_strings(_BRACKETS_AND_COMMAS, text, at):
        if mark[0] == ",":
            if not open_ and _NEXT_NAME.match(text, mark.start()):
                return mark.start()
        elif mark[0] in CLOSING:
            open_.append(CLOSING[mark[0]])
        elif not open_:
            return mark.start()
        elif mark[0] == open_[-1]:
            open_.pop()
    return len(text)


def _outside_strings(marks: re.Pattern[str], text: str, at: int) -> Iterator[re.Match[str]]:
    """The marks that are in no string, up to a backslash or a string without an end."""
    while (mark := marks.search(text, at)) is not None and mark[0] != "\\":
        at = mark.end()
        if mark[0] in QUOTES:
            at = _behind_string(text, at, mark[0])
            if at < 0:
                return
        else:
            yield mark


def _behind_string(text: str, at: int, quote: str) -> int:
    """Behind the string whose content begins at `at`; -1 when it has no end, or a backslash."""
    end = text.find(quote, at)
    return -1 if end < 0 or "\\" in text[at:end] else end + 1
