"""Texts of a request turned into values, with errors that say what is allowed."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

TRUE = ("1", "y", "yes", "t", "true", "on")
FALSE = ("0", "n", "no", "f", "false", "off")
DIGITS_AT_MOST = 18
"""More digits than a 64-bit database integer holds are refused, not overflowed."""


class ArgumentError(ValueError):
    """An argument of a request is missing or wrong; the text names it and what is allowed.

    `classic` is Flower 2.x's text.
    """

    def __init__(self, message: str, argument: str | None = None, classic: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument
        self.classic = classic or message


def convert(name: str, text: str, kind: type | None) -> Any:
    """The value of an argument as `bool`, `int`, `float` or text."""
    if kind is bool:
        return _bool(name, text)
    if kind is int:
        return _int(name, text)
    if kind is float:
        return _float(name, text)
    if kind is None or kind is str:
        return text
    try:
        return kind(text)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"Invalid argument {text!r} of type {kind.__name__!r}: {name}: {error}", name) from None


def moment(name: str, text: str) -> float:
    """Seconds since the epoch from `YYYY-MM-DD HH:MM`, ISO 8601 or a number; times without a zone are local."""
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        if math.isfinite(seconds):
            return seconds
    try:
        # Python 3.10 does not read the Z of ISO 8601.
        return datetime.fromisoformat(text[:-1] + "+00:00" if text[-1:] in "zZ" else text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise ArgumentError(
            f"Invalid {name} {text!r}, expected format 'YYYY-MM-DD HH:MM', ISO 8601 or seconds since the epoch",
            name,
            "Invalid received_start or received_end, expected format 'YYYY-MM-DD HH:MM'",
        ) from None


def one_of(name: str, value: str, allowed: list[str] | tuple[str, ...]) -> str:
    """The value if it is allowed."""
    if value not in allowed:
        raise ArgumentError(f"Invalid {name} {value!r}, expected one of {', '.join(allowed)}", name)
    return value


def within(name: str, value: int, least: int, most: int) -> int:
    """The value if it lies in the range."""
    if not least <= value <= most:
        raise ArgumentError(f"Invalid {name} {value}, expected a number from {least} to {most}", name)
    return value


def _bool(name: str, text: str) -> bool:
    word = text.lower()
    if word in TRUE:
        return True
    if word in FALSE:
        return False
    allowed = ", ".join(TRUE + FALSE)
    raise _wrong(name, text, "bool", f"one of {allowed}")


def _int(name: str, text: str) -> int:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits.isdecimal() and digits.isascii() and len(digits) <= DIGITS_AT_MOST:
        return int(text)
    raise _wrong(name, text, "int", "a whole number")


def _float(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _wrong(name, text, "float", "a finite number")
    return value


def _wrong(name: str, text: str, kind: str, allowed: str) -> ArgumentError:
    said = f"Invalid argument {text!r} of type {kind!r}"
    return ArgumentError(f"{said}: {name} must be {allowed}", name, said)
