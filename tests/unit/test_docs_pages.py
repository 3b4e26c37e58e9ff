"""The documentation leads where it says, and quotes what is really said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flower.options import BY_NAME
from flower.settings import CELERY_OPTIONS, option_of

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)
CODE = re.compile(r"```.*?```", re.DOTALL)
WORKERS = {
    "--heartbeat-interval",
    "--without-heartbeat",
    "--build-arg",
    "--hostname",
    "--flower-conf",
}
"""Options of other programs that are named: celery worker, docker, airflow."""
QUOTED = ("scaling", "troubleshooting", "install", "embedding")


def slug(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.name))
def test_links(page: Path) -> None:
    """Every link within the project leads to a file, and to a heading in it."""
    wrong = []
    for link in LINK.findall(CODE.sub("", page.read_text())):
        name, _, anchor = link.partition("#")
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (page.parent / name) if name else page
        headings = (
            {slug(heading) for heading in HEADING.findall(target.read_text())} if anchor and target.exists() else set()
        )
        if not target.exists() or (anchor and anchor not in headings):
            wrong.append(link)
    assert [] == wrong


@pytest.mark.parametrize("name", QUOTED)
def test_options(name: str) -> None:
    """Every option that is named in a sentence is one of Flower's, or of a program that is known."""
    named = set(re.findall(r"`(--[\w-]+)", (ROOT / "docs" / f"{name}.md").read_text()))
    assert set() == {word for word in named if option_of(word) is None and word not in {*WORKERS, *CELERY_OPTIONS}}


@pytest.mark.parametrize("name", QUOTED)
def test_names_of_options(name: str) -> None:
    """A table of options names them as they are."""
    text = (ROOT / "docs" / f"{name}.md").read_text()
    named = re.findall(r"`(max_\w+|purge_\w+|\w+_retention|url_prefix|unix_socket\w*)`", text)
    assert [] == [word for word in named if word not in BY_NAME]


def test_quoted_refusals() -> None:
    """What troubleshooting quotes is what Flower says."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text()
    section = text.partition("## It does not start")[2].partition("\n## ")[0]
    source = " ".join(path.read_text() for path in (ROOT / "flower").rglob("*.py"))
    quotes = [quote.replace("port: 5555", "").strip() for quote in re.findall(r"^- \*(.+?)\*", section, re.MULTILINE)]
    assert [] == [quote for quote in quotes if quote not in source]
