"""`args`, `kwargs` and `result` made readable: parsed where the text is a whole value, folded, told when cut."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from flower.utils.coercion import CUT
from flower.utils.notation import literal_value
from flower.utils.readable import readable
from flower.utils.texts import element, say

PARSED_AT_MOST = 65_536
CUT_FROM = 200
"""Characters from which a text that ends in dots may be cut; shorter ones that are whole values are whole."""
CELERY_CUTS_AT = 1_024
SHORT = 88
"""Characters of a value that is shown on one line."""
DEPTH_MOST = 40
NODES_MOST = 2_000
"""Values of one payload that are drawn; the copy button has all."""
TEXT_MOST = 2_000
OPEN_DEPTH = 2
WORDS: dict[bool | None, str] = {None: "null", True: "true", False: "false"}


@dataclass(frozen=True, slots=True)
class Payload:
    """A text for reading. `html` is its value as safe HTML, None where the text is no value; `note` tells what is
    missing, `json` is the value for programs."""

    text: str
    html: str | None = None
    note: str = ""
    json: str | None = None

    @property
    def cut(self) -> bool:
        """Whether it is only a part."""
        return bool(self.note)


def payload(text: Any, which: str = "args") -> Payload | None:
    """What is shown of a payload; None when there is none."""
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        return of_value(text)
    note = _missing(text, which)
    if note or len(text) > PARSED_AT_MOST:
        return Payload(text, note=note)
    value = readable(text)
    if isinstance(value, str) and value == text:
        return Payload(text)
    return Payload(text, draw(value), "", dumped(value))


def of_value(value: Any) -> Payload:
    """A value as it is, such as one that the result backend keeps."""
    text = dumped(value)
    return Payload(text, draw(value), "", text)


def dumped(value: Any) -> str:
    """The value as JSON; what JSON has no word for as text."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2, default=str)
    except (ValueError, TypeError, RecursionError):
        return str(value)


def _missing(text: str, which: str) -> str:
    """What is said of a text that is only a part; empty for a whole one."""
    if text.endswith(CUT):
        return say("payload.cut.flower", number=len(text) - len(CUT))
    if not _is_cut(text):
        return ""
    setting = "Task.resultrepr_maxsize" if which == "result" else "app.amqp.argsrepr_maxsize"
    if len(text) < CUT_FROM:
        return say("payload.cut.deep")
    return say("payload.cut.celery", number=len(text), most=CELERY_CUTS_AT, setting=setting)


def _is_cut(text: str) -> bool:
    ends_in_dots = text.rstrip(" ,)]}'\"").endswith(("...", "…"))
    if ends_in_dots and len(text) >= CUT_FROM:
        return True
    if "..." not in text and not ends_in_dots:
        return False
    try:
        return _has_ellipsis(literal_value(text), 0)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return ends_in_dots


def _has_ellipsis(value: Any, depth: int) -> bool:
    if value is ... or depth > DEPTH_MOST:
        return True
    if isinstance(value, dict):
        return any(_has_ellipsis(item, depth + 1) for pair in value.items() for item in pair)
    if isinstance(value, (list, tuple, set)):
        return any(_has_ellipsis(item, depth + 1) for item in value)
    return False


# -- drawing


class _Budget:
    """How many values may still be drawn."""

    def __init__(self) -> None:
        self.left = NODES_MOST


def draw(value: Any) -> str:
    """The value as safe HTML: parts fold, long lists and texts are cut with a word about it."""
    return f'<div class="tree">{_drawn(value, 0, _Budget())}</div>'


def _drawn(value: Any, depth: int, budget: _Budget) -> str:
    budget.left -= 1
    if not isinstance(value, (Mapping, list, tuple)):
        return _leaf(value)
    line = _one_line(value)
    if line is not None:
        return line
    if depth >= DEPTH_MOST:
        return element("span", say("payload.deeper"), class_="tree-more")
    pairs: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, Mapping) else enumerate(value)
    rows, told = [], 0
    for key, item in pairs:
        if budget.left <= 0:
            break
        rows.append(_row(key, item, depth, budget, isinstance(value, Mapping)))
        told += 1
    if told < len(value):
        rows.append(element("div", say("payload.more", number=len(value) - told), class_="tree-more"))
    size = say("payload.members" if isinstance(value, Mapping) else "payload.items", count=len(value))
    opened = " open" if depth < OPEN_DEPTH and len(value) <= 50 else ""
    brackets = "{…}" if isinstance(value, Mapping) else "[…]"
    summary = f'<summary><span class="tree-fold">{brackets}</span> {escape(size)}</summary>'
    return f"<details{opened}>{summary}{''.join(rows)}</details>"


def _row(key: Any, item: Any, depth: int, budget: _Budget, named: bool) -> str:
    kind = "tree-key" if named else "tree-index"
    return (
        f'<div class="tree-row"><span class="{kind}">{escape(str(key))}</span>'
        f'<div class="tree-value">{_drawn(item, depth + 1, budget)}</div></div>'
    )


def _one_line(value: Any) -> str | None:
    """A small value without folds: coloured, on one line; None when it is too long for one."""
    if len(value) > SHORT:
        return None
    parts = value.values() if isinstance(value, Mapping) else value
    if any(isinstance(part, (Mapping, list, tuple)) and part for part in parts):
        return None
    if len(str(value)) > SHORT:
        return None
    if isinstance(value, Mapping):
        inner = ", ".join(f'<span class="tree-key">{escape(str(k))}</span>: {_leaf(v)}' for k, v in value.items())
        return f'<span class="tree-line">{{{inner}}}</span>'
    return f'<span class="tree-line">[{", ".join(map(_leaf, value))}]</span>'


def _leaf(value: Any) -> str:
    if isinstance(value, str):
        shown = value if len(value) <= TEXT_MOST else value[:TEXT_MOST]
        left = len(value) - len(shown)
        more = "" if not left else " " + element("span", say("payload.characters", number=left), class_="tree-more")
        return f'<span class="tree-text">“{escape(shown)}”</span>{more}'
    if value is None or isinstance(value, bool):
        return f'<span class="tree-word">{WORDS[value]}</span>'
    if isinstance(value, (int, float)):
        return f'<span class="tree-number">{escape(repr(value))}</span>'
    return f'<span class="tree-line">{escape(str(value) or "{}")}</span>'
