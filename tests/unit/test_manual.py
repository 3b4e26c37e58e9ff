"""The options told to people."""

from __future__ import annotations

from pathlib import Path

import pytest

from flower.manual import configuration_page, help_text
from flower.options import TABLE
from flower.utils.values import Option

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_page_is_the_tables() -> None:
    """docs/configuration.md is what the table makes: `python -m flower.manual > docs/configuration.md`."""
    assert configuration_page() == PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("option", [option for option in TABLE if option.name != "format_task"], ids=lambda o: o.name)
def test_help_has_every_option(option: Option) -> None:
    """--help lists each option."""
    assert f"  {option.flag}" in help_text()


@pytest.mark.parametrize("group", {option.group for option in TABLE})
def test_help_has_every_group(group: str) -> None:
    """--help shows the groups."""
    assert f"\n{group}:\n" in help_text()


@pytest.mark.parametrize("text", ["[default: 5555]", "[default: 100000, or 1000000 with persistent]", "format_task"])
def test_help_has_defaults(text: str) -> None:
    """--help says the defaults, and what only the file can say."""
    assert text in " ".join(help_text(width=300).split())
