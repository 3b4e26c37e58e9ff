"""What the dashboard says, from one folder: `flower/texts/<language>/*.json`, a table a page.

An entry is `"key": "text"`, named `file.key` in the code. `{name}` stands for a value: numbers are written with
thousands separators. A text that differs by number has the forms `one` and `other`, chosen by the value `count`.
Texts that are shown by `say_html` may hold marks: `` `code` ``, `**strong**`, `*bold*`, and `[words](address)` with
the name of the value that is the address. The tables below `scripts` are sent to the browser, too.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any

LANGUAGE = "en"
FOLDER = Path(__file__).parents[1] / "texts" / LANGUAGE
SCRIPTS = "scripts"
"""The folder of the tables that static/js/say.js reads."""

Entry = str | Mapping[str, str]
"""A text, or its forms for one and for other numbers."""

PLACE = re.compile(r"\{(\w+)\}")
MARKS = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<b>\1</b>"),
    (re.compile(r"\[([^\]]+)\]\((\w+)\)"), r'<a href="{\2}">\1</a>'),
)


class UnknownText(KeyError):
    """No text has this key."""


class Html(str):
    """Text that is safe HTML already: as a value of `say_html` it is not escaped again."""

    __slots__ = ()


def _tables(folder: Path) -> Iterator[tuple[str, Entry]]:
    for path in sorted(folder.glob("*.json")):
        for key, entry in json.loads(path.read_text(encoding="utf-8")).items():
            yield f"{path.stem}.{key}", entry


SCRIPT_TEXTS: Mapping[str, Entry] = dict(_tables(FOLDER / SCRIPTS))
TEXTS: Mapping[str, Entry] = {**dict(_tables(FOLDER)), **SCRIPT_TEXTS}


def say(key: str, /, **values: Any) -> str:
    """The text of that key as plain text; an unknown key or a missing value is an error."""
    return "".join(
        _written(_value(key, piece, values)) if place % 2 else piece
        for place, piece in enumerate(_pieces(_form(key, values)))
    )


def say_html(key: str, /, **values: Any) -> Html:
    """The text with its marks as safe HTML for `{% raw %}`; values are escaped unless they are `Html`."""
    pieces = enumerate(_pieces(_marked(_form(key, values))))
    return Html("".join(_safe(_value(key, piece, values)) if place % 2 else piece for place, piece in pieces))


def element(name: str, text: str, **attributes: str) -> Html:
    """An element around a value of `say_html`; `data_live` is the attribute `data-live`."""
    given = "".join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items())
    return Html(f"<{name}{given}>{escape(text)}</{name}>")


def for_scripts() -> str:
    """The texts of the scripts, as JSON that may stand in a `<script type="application/json">`."""
    return json.dumps(SCRIPT_TEXTS, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


@functools.cache
def _pieces(form: str) -> list[str]:
    """What stands between the places, and at every second place the name of a value."""
    return PLACE.split(form)


@functools.cache
def _marked(form: str) -> str:
    """The text as HTML, with its places."""
    html = escape(form, quote=False)
    for mark, drawn in MARKS:
        html = mark.sub(drawn, html)
    return html


def _form(key: str, values: Mapping[str, Any]) -> str:
    try:
        entry = TEXTS[key]
    except KeyError:
        raise UnknownText(f"No text has the key {key!r}: add it to a table below {FOLDER}") from None
    if isinstance(entry, str):
        return entry
    return entry["one" if _value(key, "count", values) == 1 else "other"]


def _value(key: str, name: str, values: Mapping[str, Any]) -> Any:
    try:
        return values[name]
    except KeyError:
        raise ValueError(f"The text {key!r} needs a value for {name!r}") from None


def _written(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:,}" if value % 1 else f"{int(value):,}"


def _safe(value: Any) -> str:
    return value if isinstance(value, Html) else escape(_written(value))
