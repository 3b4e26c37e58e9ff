"""The pages about access and security name what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flower.access import LOWEST_ROLE
from flower.apikeys import ROLES
from flower.options import BY_NAME, ENVIRONMENT_ONLY
from flower.settings import option_of
from flower.views import auth

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("access.md", "security.md")
FILE = "_FILE"


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_options(page: str) -> None:
    """Every option exists."""
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9_-]+", text_of(page)))
    assert [] == sorted(name for name in named if option_of(name) is None)


@pytest.mark.parametrize("page", PAGES)
def test_variables(page: str) -> None:
    """Every variable is that of an option, or names the file of a secret."""
    named = set(re.findall(r"FLOWER_[A-Z0-9_]+", text_of(page))) - set(ENVIRONMENT_ONLY) - {"FLOWER_"}

    def known(name: str) -> bool:
        option = name.removeprefix("FLOWER_").lower()
        secret = BY_NAME.get(option.removesuffix(FILE.lower()))
        return option in BY_NAME or (name.endswith(FILE) and secret is not None and secret.secret)

    assert [] == sorted(name for name in named if not known(name))


def test_providers() -> None:
    """Every class for logging in is named, and each that is named exists."""
    named = set(re.findall(r"`(\w+LoginHandler)`", text_of("access.md")))
    classes = {
        name
        for name in auth.__all__
        if name.endswith("LoginHandler") and name not in ("LoginHandler", "OAuth2LoginHandler")
    }
    assert classes == named


def test_links() -> None:
    """Links within the two pages lead to headings."""
    missing = []
    for page in PAGES:
        for target, anchor in re.findall(r"\]\((access\.md|security\.md)?#([\w-]+)\)", text_of(page)):
            heads = re.findall(r"^#+ (.*)$", text_of(target or page), re.MULTILINE)
            if anchor not in [re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads]:
                missing.append((page, target, anchor))
    assert [] == missing


def test_roles() -> None:
    """The roles are those that permissions are given to."""
    assert set(ROLES) >= set(LOWEST_ROLE.values())
