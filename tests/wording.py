"""How the tests of the catalogue read the code: which texts it says, and which words stand in it itself."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
TEMPLATES = sorted((ROOT / "flower" / "templates").glob("*.html"))
SCRIPTS = sorted((ROOT / "flower" / "static" / "js").glob("*.js"))
MODULES = sorted(path for path in (ROOT / "flower").rglob("*.py") if path.name != "texts.py")

TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
CALL = re.compile(r"\bsay(?:_html)?\(")
ANY = r"[\w-]+"
"""What a variable part of a key may be: one word of it."""
OPERATION = r"[\w.-]+"
"""The name of an operation, which has dots."""


class Said(NamedTuple):
    """One call of say: the regular expressions that its key matches, and the values that it gives."""

    where: str
    keys: tuple[str, ...]
    values: frozenset[str]
    more: bool
    """Whether there are values that only show when it runs."""


# -- what is said


def said_in_modules() -> Iterator[Said]:
    for path in MODULES:
        yield from _said_in(ast.parse(path.read_text()), path.name)


def said_in_templates() -> Iterator[Said]:
    for path in TEMPLATES:
        for tag in TAG.findall(path.read_text()):
            for call in calls(tag):
                tree = ast.parse(call, mode="eval")
                yield next(_said_in(tree, path.name))


def said_in_scripts() -> Iterator[Said]:
    for path in SCRIPTS:
        if path.name == "say.js":
            continue
        for call in calls(path.read_text()):
            first, _, values = call.partition("{ ") if "`" not in call else call.rpartition(", { ")
            literals = re.findall(r'"([a-z_]+\.[^"]+)"|`([^`]+)`', first or call)
            keys = [_pattern_of(quoted or template) for quoted, template in literals]
            names = re.findall(r"(?:^|, )(\w+)(?=[:,]| \})", values)
            yield Said(path.name, tuple(keys), frozenset(names), False)


def _pattern_of(template: str) -> str:
    """The key of a JavaScript literal: of its variable parts those that name words, or any word."""
    parts = re.split(r"\$\{([^}]*)\}", template)
    for place in range(1, len(parts), 2):
        words = re.findall(r'"(\w+)"', parts[place])
        parts[place] = f"(?:{'|'.join(words)})" if words else ANY
    parts[::2] = [re.escape(part) for part in parts[::2]]
    return "".join(parts)


def calls(text: str) -> Iterator[str]:
    """Every call of say, up to the bracket that ends it."""
    for found in CALL.finditer(text):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        yield text[found.start() : end]


def _said_in(tree: ast.AST, where: str) -> Iterator[Said]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("say", "say_html"):
            names = {keyword.arg for keyword in node.keywords}
            values = frozenset(name for name in names if name is not None)
            yield Said(f"{where}: {ast.unparse(node)}", tuple(_forms(node.args[0])), values, None in names)


def _forms(node: ast.expr) -> list[str]:
    """The regular expressions of what an expression may be."""
    match node:
        case ast.Constant(value=str(text)):
            return [re.escape(text)]
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            return [*_forms(one), *_forms(other)]
        case ast.BinOp(left=left, right=right):
            return [first + second for first in _forms(left) for second in _forms(right)]
        case ast.JoinedStr(values=parts):
            return ["".join(chosen) for chosen in itertools.product(*map(_forms, parts))]
        case ast.FormattedValue(value=ast.Attribute(value=ast.Name(id="self"), attr="name")):
            return [OPERATION]
        case ast.FormattedValue(value=value):
            return _forms(value)
    return [ANY]


# -- the words that stand in the code

SENTENCE = re.compile(r"[^\W\d_]{2,}[,:]? [^\W\d_]{2,}|^[A-Z][a-z]{2,}$|[^\W\d_]{2} $|^ [^\W\d_]{2}")
"""Two words, or one that begins as a label does, or a piece of a sentence."""

SHOWN_ATTRIBUTES = ("title", "placeholder", "aria-label", "aria-description", "alt", "data-label", "data-counts")
CODE_ELEMENTS = {"code", "pre", "kbd", "script"}
"""Elements of what is typed, pressed or read by programs."""
EXPRESSION = "¤"
"""Stands for an expression where the words of a template are read."""
EMPTY_ELEMENTS = {"meta", "link", "input", "br", "use", "path", "rect", "img"}


class Words(HTMLParser):
    """The words of a template that a reader would see; `found` are those."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []
        self.feed(TAG.sub(EXPRESSION, text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, Any]]) -> None:
        self.found += [value for name, value in attrs if name in SHOWN_ATTRIBUTES and value]
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while tag in self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not CODE_ELEMENTS.intersection(self.open):
            self.found.append(data)


def words_in_template(text: str) -> list[str]:
    """What has letters and comes from no expression, and what expressions hold of sentences."""
    quoted = [one or other for tag in TAG.findall(text) for one, other in re.findall(r"'([^']*)'|\"([^\"]*)\"", tag)]
    shown = [part.strip(" ·–:,.\n") for piece in Words(text).found for part in piece.split(EXPRESSION)]
    return [part for part in shown if re.search(r"[^\W\d_]", part)] + [each for each in quoted if SENTENCE.search(each)]


TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<pattern>(?<=[(,=:!&|?;{\[]\s|.[(,=:!&|?;{\[\n])/(?![/*])(?:\\.|[^/\\\n])+/\w*)"""
    r"""|"(?P<double>(?:\\.|[^"\\\n])*)"|'(?P<single>(?:\\.|[^'\\\n])*)'|`(?P<template>(?:\\.|[^`\\])*)`""",
    re.DOTALL,
)
VARIABLE = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
NO_TEXT = re.compile(r"^[^A-Z]*[\[\]#<>=|/_]|^[a-z]+[.:]|^[^A-Z]*\.[a-z]|^[^A-Z]*[a-z]-[a-z]|^[a-z]+(?:, [a-z]+)*$")
"""Selectors, addresses, classes, names of events: none of them begins with a capital."""


def literals_in_script(text: str) -> list[str]:
    """The literals of a script that read like texts; the variable parts of templates are left out."""
    found = []
    for token in TOKEN.finditer(text):
        whole = (
            token["double"] or token["single"] or re.sub(r"\$\{(?:[^{}]|\{[^{}]*\})*\}", "", token["template"] or "")
        )
        if SENTENCE.search(whole) and not NO_TEXT.search(whole):
            found.append(whole)
    return found


MARKUP = re.compile(r"[<>=]|^[A-Z]\w+(?:-[A-Z]\w+)+$")
UNREAD_CALLS = ("logger.", "re.compile", "self.set_header", "headers.get", "self.request.headers.get")
"""Calls whose arguments nobody reads on a page."""


def literals_in_module(tree: ast.Module) -> list[str]:
    """The literals of a module that read like texts: no docstrings, messages of exceptions, log lines and markup."""
    unread: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            unread.update(ast.walk(node))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(UNREAD_CALLS):
            unread.update(ast.walk(node))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            unread.update(ast.walk(node))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and node not in unread]
    return [
        text for text in texts if isinstance(text, str) and SENTENCE.search(text) and not re.search(r"[<>=-]", text)
    ]
