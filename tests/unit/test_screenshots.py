"""The pictures of the pages: there for every page, small, and shown by the README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flower.views import PAGES
from scripts.screenshots import FOLDER, PICTURES, ROOT
from tests.browser.conftest import LOOKS

README = (ROOT / "README.md").read_text(encoding="utf-8")
LOCAL = re.compile(r"""(?:src|srcset)="([^":]+)"|\]\((?!https?:|#)([^)#\s]+)""")


@pytest.mark.parametrize("link", PAGES)
def test_every_page_of_the_navigation_has_a_picture(link: tuple[str, str, str, str]) -> None:
    """The list of pictures names each entry of the navigation."""
    assert f"/{link[1]}" in [picture.path.partition("?")[0] for picture in PICTURES.values()]


def test_every_picture_is_there() -> None:
    """Each page was taken in each look, and nothing else lies among the pictures."""
    expected = {f"{name}-{look}.png" for name in PICTURES for look in LOOKS}
    assert expected == {file.name for file in FOLDER.iterdir()}


def test_pictures_are_small() -> None:
    """All of them together take less than 3 MB of everybody's clone."""
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 3_000_000


def test_readme_shows_what_exists() -> None:
    """Every picture and every file that the README refers to is there."""
    found = {Path(first or second) for first, second in LOCAL.findall(README)}
    assert [] == sorted(str(path) for path in found if not (ROOT / path).exists())


@pytest.mark.parametrize("name", ["overview-light.png", "overview-dark.png"])
def test_readme_opens_with_a_picture(name: str) -> None:
    """The first screen of the README shows the product, in the reader's theme."""
    assert f"docs/screenshots/{name}" in README[:1200]
