"""What one option is: how its text, or its Python value, is read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flower.utils import strtobool
from flower.utils.rules import Rule

TYPE_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Callable: "a function",
}


@dataclass(frozen=True, slots=True)
class Option:
    """One option: from it follow command line, environment, file, help and documentation.

    `secret` values are never repeated in a message. `shown` is the default in words.
    """

    name: str
    group: str
    type: Any
    default: Any
    help: str
    metavar: str = ""
    multiple: bool = False
    rule: Rule | None = None
    secret: bool = False
    shown: str = ""

    @property
    def flag(self) -> str:
        """How it is written on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def allowed(self) -> str:
        """The values it takes, in words that follow "must be"."""
        if self.rule:
            return self.rule.allowed
        return TYPE_WORDS[self.type] + (", or several with commas between them" if self.multiple else "")

    @property
    def default_text(self) -> str:
        """The default as one would write it; empty when there is none."""
        if self.shown or self.default is None:
            return self.shown
        if self.type is bool:
            return str(self.default).lower()
        return f"{self.default:g}" if self.type is float else str(self.default)

    def parse(self, text: str) -> Any:
        """The value of a text from the command line or the environment; ValueError says what is allowed."""
        if self.type is Callable:
            raise ValueError("can only be set in the configuration file, as a function")
        try:
            value = [self._one(part) for part in split(text)] if self.multiple else self._one(text)
        except ValueError:
            raise self._refusal(text) from None
        return self._ruled(value, text)

    def convert(self, value: Any) -> Any:
        """The value of a Python object from the configuration file; ValueError says what is allowed."""
        if isinstance(value, str) and (self.multiple or self.type not in (str, Callable)):
            return self.parse(value)
        if self.multiple:
            if not isinstance(value, list | tuple | set):
                raise self._refusal(value)
            return self._ruled([self._cast(item) for item in value], value)
        return self._ruled(self._cast(value), value)

    def _one(self, text: str) -> Any:
        if self.type is bool:
            return bool(strtobool(text))
        value = self.type(text)
        if self.type is float and math.isnan(value):
            raise ValueError
        return value

    def _cast(self, value: Any) -> Any:
        if self.type is Callable:
            fits = callable(value)
        elif self.type is bool:
            fits = value in (0, 1)
        elif self.type is str:
            fits = isinstance(value, str)
        elif self.type is float:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
        else:
            fits = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
        if not fits:
            raise self._refusal(value)
        return value if self.type is Callable else self.type(value)

    def _ruled(self, value: Any, given: object) -> Any:
        if self.rule and not self.rule.holds(value):
            raise self._refusal(given)
        return value

    def _refusal(self, value: object) -> ValueError:
        return ValueError(f"must be {self.allowed}" + ("" if self.secret else f", not {value!r}"))


def split(text: str) -> list[str]:
    r"""The parts between commas; `\,` is a comma within a part."""
    return [part.replace(r"\,", ",") for part in re.split(r"(?<!\\),", text)]
