"""Everything that the dashboard says stands in the catalogue, and everything in it is said."""

from __future__ import annotations

import ast
import functools
import json
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from flower.control import OPERATIONS
from flower.utils.texts import FOLDER, PLACE, SCRIPT_TEXTS, TEXTS, Entry
from tests import wording
from tests.wording import ROOT, SCRIPTS, TEMPLATES, Said

TABLES = sorted(FOLDER.rglob("*.json"))
NAMES = {"Flower"}
"""What is called so in every language."""
CODE = {"Flower", "Enter", "Escape", "Tab", "use strict", " ms", " µs", " min", "No text has the key "}
"""Literals of scripts that look like texts and are none: a header, keys, units, the error of say itself."""
PAGES = [
    path.relative_to(ROOT / "flower") for name in ("views", "health") for path in (ROOT / "flower" / name).glob("*.py")
]
LITERALS = {
    "views/__init__.py": {"Html"},
    "views/actions.py": {"btn scripted"},
    "views/drawings.py": {"Accept", "Vary"},
    "views/facts.py": {"None"},
    "views/filters.py": {"All"},
    "views/monitor.py": {"not connected yet"},
    "views/payload.py": {" open"},
    "views/places.py": {"Invalid ", ", it is no place in the list"},
    "views/rusage.py": {" kB", " MB"},
    "views/tasks.py": {"Lax"},
    "views/traceback.py": {
        "The above exception was the direct cause of the following exception:",
        "During handling of the above exception, another exception occurred:",
    },
}
"""Literals of modules that look like texts and are none: what Python, HTTP, workers and 2.x call so, and answers of
the monitoring routes.
"""


LINKED = re.compile(r"\]\((\w+)\)")


@functools.cache
def all_said() -> list[Said]:
    return [*wording.said_in_modules(), *wording.said_in_templates(), *wording.said_in_scripts()]


def forms(entry: Entry) -> list[str]:
    return [entry] if isinstance(entry, str) else list(entry.values())


def keys_of(said: Said, known: Iterable[str]) -> list[str]:
    return [key for key in known if any(re.fullmatch(pattern, key) for pattern in said.keys)]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_templates_have_no_words(template: Path) -> None:
    """What a template shows comes from the catalogue or from the data."""
    assert set(wording.words_in_template(template.read_text())) <= NAMES


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_have_no_words(script: Path) -> None:
    """What a script puts on the page comes from the catalogue or from the server."""
    assert set(wording.literals_in_script(script.read_text())) <= CODE


@pytest.mark.parametrize("module", PAGES, ids=str)
def test_pages_have_no_words(module: Path) -> None:
    """Tables of labels and sentences of views and of the health are in the catalogue."""
    read = set(wording.literals_in_module(ast.parse((ROOT / "flower" / module).read_text())))
    assert read == LITERALS.get(str(module), set())


def test_words_are_found() -> None:
    """The rules of the tests above see a word in each place where one could stand."""
    template = "<p title=\"A b\">{{ x }} more</p><b>{{ say('a.b') if y else 'Two words' }}</b><code>no text</code>"
    assert wording.words_in_template(template) == ["A b", "more", "Two words"]
    script = 'f("Close", `${n} tasks left`, ".a .b", "btn btn-small"); // It is said\ng(/"No/, "as ")'
    assert wording.literals_in_script(script) == ["Close", " tasks left", "as "]
    module = 'A = {"a": "Labelled", "b": f"{x} of it"}\nraise E("Not shown to anybody")'
    assert wording.literals_in_module(ast.parse(module)) == ["Labelled", " of it"]


def test_every_key_exists() -> None:
    """Nothing is said that has no text."""
    assert [] == [said.where for said in all_said() if not keys_of(said, TEXTS)]


def test_scripts_have_their_texts() -> None:
    """What a script says is in the tables that pages bring along."""
    for said in wording.said_in_scripts():
        for pattern in said.keys:
            assert any(re.fullmatch(pattern, key) for key in SCRIPT_TEXTS), (said.where, pattern)


def test_every_text_is_said() -> None:
    """No table has a text that nobody says."""
    used = {key for said in all_said() for key in keys_of(said, TEXTS)}
    assert [] == sorted(TEXTS.keys() - used)


def values_of(key: str) -> set[str]:
    """The names of the values that a text needs."""
    named = {name for form in forms(TEXTS[key]) for name in [*PLACE.findall(form), *LINKED.findall(form)]}
    return named | (set() if isinstance(TEXTS[key], str) else {"count"})


def test_values_fit() -> None:
    """Each text gets the values that it names, and no value is given that no text names."""
    wrong = []
    for said in all_said():
        needed = {key: values_of(key) for key in keys_of(said, TEXTS)}
        wrong += [(said.where, key) for key, names in needed.items() if not said.more and names - said.values]
        wrong += [(said.where, name) for name in said.values - set().union(*needed.values())]
    assert [] == wrong


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.stem)
def test_table(table: Path) -> None:
    """A table is small, names each text once, and its texts are texts or have both forms of number."""
    content = table.read_text(encoding="utf-8")
    pairs = json.loads(content, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)
    assert content.count("\n") <= 300
    wrong = [
        key
        for key, entry in json.loads(content).items()
        if not isinstance(entry, str) and set(entry) != {"one", "other"}
    ]
    assert [] == wrong


def test_tables_have_their_own_names() -> None:
    """The name of a table is the first word of its keys."""
    assert len({table.stem for table in TABLES}) == len(TABLES)


def test_operations_are_named() -> None:
    """Every operation has a label, and a question exactly where it destroys something."""
    named = [
        bool(operation.label) and bool(operation.question("x")) == operation.destructive for operation in OPERATIONS
    ]
    assert [True] * len(OPERATIONS) == named
