"""Values written as JSON for browsers and programs: valid always, fast mostly."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import orjson

from flower.utils.coercion import TOO_DEEP, encodable

DEPTH_MOST = 250
"""Deeper values are cut: readers of JSON give up somewhere, and so does Python's writer."""
COMPRESS_FROM = 65_536
"""Bytes from which compressing on the web loop would be felt by others."""

# 1 is nearly as small as 6 for lists of similar objects, at a third of the time.
COMPRESS_LEVEL = 1


def dumps(value: Any) -> bytes:
    """`value` as JSON: NaN and infinity become null, what JSON does not know becomes text."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # Integers over 64 bits, lone surrogates and deep nesting are valid JSON that orjson refuses.
        return json.dumps(_tame(value), default=encodable, separators=(",", ":")).encode()


def compress(body: bytes) -> bytes | None:
    """The gzip form of a large body, None for one that is not worth it."""
    return gzip.compress(body, COMPRESS_LEVEL, mtime=0) if len(body) >= COMPRESS_FROM else None


def _tame(value: Any, depth: int = 0) -> Any:
    if depth > DEPTH_MOST and isinstance(value, (dict, list, tuple)):
        return TOO_DEEP
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _tame(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tame(item, depth + 1) for item in value]
    return value
