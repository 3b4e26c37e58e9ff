"""A place in the list of tasks as a word of the address."""

from __future__ import annotations

import base64
import binascii
import math

import orjson

from flower.store import Cursor
from flower.utils.arguments import ArgumentError

LENGTH_MOST = 8_192
VALUES_MOST = 2
ID_MOST = 2**63 - 1


def word_of(place: Cursor) -> str:
    """The word of a place."""
    return base64.urlsafe_b64encode(orjson.dumps([place.id, *place.values])).decode().rstrip("=")


def place_of(argument: str, word: str) -> Cursor:
    """The place that a word tells. Raises ArgumentError."""
    try:
        id_, *values = orjson.loads(base64.urlsafe_b64decode(word[:LENGTH_MOST] + "=" * (-len(word) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise _wrong(argument) from None
    if not isinstance(id_, int) or not 0 <= id_ <= ID_MOST or not 1 <= len(values) <= VALUES_MOST:
        raise _wrong(argument)
    if not all(map(_storable, values)):
        raise _wrong(argument)
    return Cursor(tuple(values), id_)


def _storable(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return math.isfinite(value) and abs(value) <= ID_MOST
    return value is None or isinstance(value, str)


def _wrong(argument: str) -> ArgumentError:
    return ArgumentError(f"Invalid {argument}, it is no place in the list", argument)
