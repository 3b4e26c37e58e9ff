"""What goes wrong while somebody logs in, as it is told to them."""

from __future__ import annotations

import re

_CODE = re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,60}")
SAID_MOST = 300
MESSAGE_MOST = 500


class LoginFault(Exception):
    """Why nobody was logged in. `status` is that of the page that tells it."""

    def __init__(self, message: str, status: int = 502) -> None:
        # Part of it may be the provider's, and a log is read in terminals.
        super().__init__("".join(letter if letter.isprintable() else " " for letter in message[:MESSAGE_MOST]))
        self.status = status


def refusal(label: str, code: str, description: str = "") -> LoginFault:
    """What a provider says when it does not log somebody in: RFC 6749, 4.1.2.1 and 5.2."""
    known = code if _CODE.fullmatch(code) else "unknown error"
    said = f": {description.strip()[:SAID_MOST]}" if description.strip() else ""
    return LoginFault(f"{label} did not log you in ({known}){said}", 403 if known == "access_denied" else 502)
