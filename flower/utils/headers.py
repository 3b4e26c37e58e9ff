"""HTTP headers: those that protect every answer, and those that say who asks."""

from __future__ import annotations

import base64
import binascii
from urllib.parse import urlsplit

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
}


def foreign(fetch_site: str | None, origin: str | None, host: str) -> str | None:
    """Why a browser that sends these was sent here by another site; None if it was not.

    `fetch_site` and `origin` are the headers Sec-Fetch-Site and Origin. Programs send neither; browsers
    send the first to addresses they trust (https, localhost), the second with every unsafe method.
    """
    if fetch_site is not None:
        return None if fetch_site == "same-origin" else "Cross-site request forbidden"
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        return "Cross-origin request forbidden"
    return None


def basic_credentials(authorization: str) -> bytes | None:
    """The `user:password` bytes of an Authorization header, None if it holds none."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def bearer_token(authorization: str) -> bytes | None:
    """The bytes of the API key in an Authorization header, None if it holds none."""
    scheme, _, value = authorization.strip().partition(" ")
    token = value.strip()
    if scheme.lower() != "bearer" or not token:
        return None
    # Tornado reads headers as Latin-1, so this gives back what was sent.
    return token.encode("latin-1", "replace")
