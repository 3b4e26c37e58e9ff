"""Log lines that stay one line: what visitors and workers send cannot forge a second, nor command a terminal."""

from __future__ import annotations

import logging
import re

_UNFIT = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, half surrogates, and those that are not seen or turn the direction of writing."""
_SHORT = {"\n": r"\n", "\r": r"\r"}


def one_line(text: str) -> str:
    """The text with what is not to be printed written as an escape."""
    return _UNFIT.sub(lambda found: _SHORT.get(found[0]) or _escape(ord(found[0])), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


class OneLine(logging.Filter):
    """Makes every record one line, but for those with `extra={"lines": True}`. Tracebacks are none of a record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not getattr(record, "lines", False):
            message = record.getMessage()
            told = one_line(message)
            if told != message:
                record.msg, record.args = told, ()
        return True


ONE_LINE = OneLine()
