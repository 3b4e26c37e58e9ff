"""Payloads made readable: parsed, folded, told when cut, and harmless."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import pytest
from celery.utils.saferepr import saferepr
from hypothesis import given
from hypothesis import strategies as st

from flower.utils.coercion import text as stored
from flower.views.payload import NODES_MOST, draw, of_value, payload


class Reader(HTMLParser):
    """Collects the tags and the text of a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("text", [None, ""])
def test_none(text: Any) -> None:
    """What is not there is not shown."""
    assert payload(text) is None


@pytest.mark.parametrize(
    "text, value",
    [("(1, 'a')", [1, "a"]), ("{'a': {'b': None}}", {"a": {"b": None}}), ('{"json": true}', {"json": True}), ("3", 3)],
)
def test_value(text: str, value: Any) -> None:
    """A whole value is offered as JSON too."""
    shown = payload(text)
    assert shown is not None
    assert (value, "") == (json.loads(shown.json or ""), shown.note)


@pytest.mark.parametrize("text", ["<object at 0x7f>", "just words", "(1, <x>)"])
def test_no_value(text: str) -> None:
    """What is no value is shown as it is."""
    shown = payload(text)
    assert shown is not None
    assert (text, None, False) == (shown.text, shown.html, shown.cut)


def test_cut_by_celery() -> None:
    """What Celery cut says where."""
    text = saferepr(("x" * 5000,), maxlen=1024)
    shown = payload(text)
    assert shown is not None
    assert f"Cut by Celery at {len(text):,} characters" in shown.note


@pytest.mark.parametrize("text", ["('aaa', 'bb...", "('aaa', ...)", "[[[[...]]]]"])
def test_left_out_by_celery(text: str) -> None:
    """A short text with parts left out says so too."""
    shown = payload(text)
    assert shown is not None
    assert shown.cut


@pytest.mark.parametrize("text", ["('loading...',)", "{'note': 'and so on...'}"])
def test_dots_of_the_sender(text: str) -> None:
    """A short value whose own text ends in dots is whole."""
    shown = payload(text)
    assert shown is not None
    assert not shown.cut


def test_cut_by_flower() -> None:
    """What Flower cut says so and not that Celery did."""
    shown = payload(stored("x" * 100_000), "result")
    assert shown is not None
    assert shown.note == "Cut by Flower at 65,536 characters."


def test_result_names_its_setting() -> None:
    """The note on a result names the setting of results."""
    shown = payload("'" + "x" * 1020 + "...", "result")
    assert shown is not None
    assert "resultrepr_maxsize" in shown.note


def test_large_value_is_bounded() -> None:
    """A list of very many values is drawn in part, and says how many there are more."""
    words = read(draw(list(range(100_000)))).words
    assert (True, True) == (f"and {100_000 - NODES_MOST + 1:,} more" in words, len(words) < 50_000)


def test_deep_value() -> None:
    """A very deep value does not break the page."""
    value: Any = []
    for _ in range(300):
        value = [value, 1]
    assert "nested deeper than is shown" in read(draw(value)).words


def test_markup_is_text() -> None:
    """Keys and values that look like markup are text."""
    reader = read(draw({"<script>": ["</div><img src=x onerror=alert(1)>" * 5]}))
    assert {"div", "span", "details", "summary"} >= reader.tags


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=120),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=20), inner, max_size=6),
    max_leaves=30,
)


@given(VALUES)
def test_any_value_is_sound_markup(value: Any) -> None:
    """Whatever the value: tags are closed in order and none comes from the value."""
    assert {"div", "span", "details", "summary"} >= read(of_value(value).html or "").tags


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    """Whatever the text: the copy is the text itself."""
    shown = payload(text)
    assert shown is None if not text else shown is not None and shown.text == text
