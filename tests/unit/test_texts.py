"""The catalogue of texts, and what is said with it."""

from __future__ import annotations

import json

import pytest

from flower.utils import texts
from flower.utils.texts import Html, element, for_scripts, say, say_html

ENTRIES = {
    "t.plain": "Nothing & nobody {here}",
    "t.many": {"one": "{count} task", "other": "{count} tasks"},
    "t.marked": "**{name}** is *not* `a<b`, see [its page](there)",
}


@pytest.fixture(autouse=True)
def catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "TEXTS", ENTRIES)


def test_say_fills_in() -> None:
    """Values stand where the text names them; nothing is escaped, that is the template's."""
    assert say("t.plain", here="<b>") == "Nothing & nobody <b>"


@pytest.mark.parametrize(("count", "said"), [(0, "0 tasks"), (1, "1 task"), (12345, "12,345 tasks")])
def test_say_by_number(count: int, said: str) -> None:
    """One has its own form, and numbers are written with separators."""
    assert said == say("t.many", count=count)


def test_say_html_escapes() -> None:
    """Marks become elements; the text and the values of it are escaped."""
    said = say_html("t.marked", name="<i>*x*", there='/a?b=1&c="2')
    assert said == (
        "<strong>&lt;i&gt;*x*</strong> is <b>not</b> <code>a&lt;b</code>,"
        ' see <a href="/a?b=1&amp;c=&quot;2">its page</a>'
    )


def test_say_html_keeps_html() -> None:
    """An element is a value that is not escaped twice."""
    worker = element("b", "a<b", data_live="x.y", class_="big")
    assert isinstance(worker, Html)
    assert say_html("t.plain", here=worker) == 'Nothing &amp; nobody <b data-live="x.y" class="big">a&lt;b</b>'


def test_unknown_text() -> None:
    """A key that no table has is named, with the place where tables are."""
    with pytest.raises(texts.UnknownText, match=r"t\.nothing.*texts"):
        say("t.nothing")


@pytest.mark.parametrize(("key", "name"), [("t.plain", "here"), ("t.many", "count")])
def test_missing_value(key: str, name: str) -> None:
    """A text without its value is an error that names it."""
    with pytest.raises(ValueError, match=f"'{key}' needs a value for '{name}'"):
        say(key)


def test_texts_of_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What scripts say cannot end the element that holds it."""
    monkeypatch.setattr(texts, "SCRIPT_TEXTS", ENTRIES)
    told = for_scripts()
    assert ("<" in told, json.loads(told)) == (False, ENTRIES)
