"""Hides credentials in settings and URLs before anybody sees them."""

from __future__ import annotations

import re
from typing import Any

MASK = "********"

NO_PORT = "The port in an address is no number; in a password # is written as %23, / as %2F and ? as %3F"
_PORT = re.compile(r"Port could not be cast to integer value as .*")
"""Of `redis://:pass#word@host` that is `pass`."""
_CREDENTIALS = re.compile(r"(://[^:/?#\s@]*:)[^\s;'\"]+@")
"""To the last @ of the URL: an unquoted password may hold anything."""
_ARGUMENT = re.compile(r"([?&][^=&#\s]*(?:pass|secret|token)[^=&#\s]*=)[^&#;\s]+", re.IGNORECASE)
_SECRET = re.compile(r"passw|passphrase|secret|token|api_?key|credential", re.IGNORECASE)


def mask_text(text: str) -> str:
    """`text` with the password of every URL replaced, also that which Python takes for a port."""
    text = _PORT.sub(NO_PORT, text)
    if "://" not in text:
        return text
    return _ARGUMENT.sub(rf"\1{MASK}", _CREDENTIALS.sub(rf"\1{MASK}@", text))


def mask(value: Any) -> Any:
    """A copy of a JSON value without passwords: of URLs anywhere in it, and under names that mean a secret."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, dict):
        return {key: MASK if _is_secret(key, item) else mask(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask(item) for item in value]
    return value


def _is_secret(key: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and isinstance(key, str) and bool(_SECRET.search(key))
