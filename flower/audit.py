"""Who did what: every command, and every command that was refused, in the log and in the store.

`record` and `refused` belong to the web loop and never wait; `search` may block.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from flower.access import User
from flower.state import State
from flower.store.audit import REFUSED, AuditQuery, Entry
from flower.utils.coercion import encodable
from flower.utils.json import dumps
from flower.utils.masking import mask
from flower.utils.redaction import Redactor
from flower.utils.throttle import Throttle

logger = logging.getLogger(__name__)

DONE = "done"
FAILED = "failed"
OUTCOMES = (DONE, FAILED, REFUSED)
"""Done; let in and not done; not let in."""

TEXT_MOST = 200
MASKABLE = 4_096
"""Characters of a text that are looked at for passwords before it is cut."""
ITEMS_MOST = 20
DEPTH_MOST = 4
ARGUMENTS_MOST = 4_096
"""Bytes of all arguments together."""
HIDDEN = "[hidden: format_task]"
FLUSH_SECONDS = 1.0


class Audit:
    """Writes the lines and answers questions about them.

    `hidden` names arguments whose values are not told: what a `format_task` hides on the pages must not be here.
    """

    def __init__(
        self,
        state: State,
        redactor: Redactor | None = None,
        hidden: Collection[str] = (),
        throttle: Throttle | None = None,
    ) -> None:
        self._state = state
        self._redactor = redactor or Redactor()
        self._hidden = frozenset(hidden)
        self._throttle = throttle or Throttle()

    def record(
        self,
        who: User | None,
        operation: str,
        target: str | None,
        arguments: dict[str, Any],
        outcome: str,
        status: int,
        seconds: float,
        message: str = "",
        address: str = "",
    ) -> None:
        """Keep one line. Arguments are cut short, and passwords in them hidden."""
        entry: Entry = {
            "at": round(self._state.clock(), 3),
            "who": _cut(name_of(who)),
            "address": _cut(address),
            "operation": _cut(operation),
            "target": None if target is None else _cut(target),
            "arguments": self._arguments(arguments),
            "outcome": outcome,
            "status": status,
            "message": _cut(self._redactor.text(message)),
            "seconds": round(seconds, 4),
        }
        logger.log(logging.INFO if outcome == DONE else logging.WARNING, "%s", dumps(entry).decode())
        self._state.store.audit.add({**entry, "arguments": dumps(entry["arguments"]).decode()})

    def refused(
        self, who: User | None, operation: str, target: str | None, status: int, message: str, address: str
    ) -> None:
        """Keep that somebody was not let in; of many such tries from one address only the first of a minute."""
        what = operation.encode()
        if self._throttle.wait(address, what):
            return
        self._throttle.count(address, what)
        if self._throttle.wait(address, what):
            message += " (more of these within a minute are not recorded)"
        self.record(who, operation, target, {}, REFUSED, status, 0.0, message, address)

    def search(self, query: AuditQuery) -> tuple[list[Entry], int]:
        """The entries of the page, newest first, and how many match; those of a moment ago are among them."""
        if self._state.store.audit.unsaved:
            self._state.flush(FLUSH_SECONDS)
        return self._state.store.audited(query)

    def _arguments(self, arguments: dict[str, Any]) -> dict[str, Any]:
        shown = {name: HIDDEN if name in self._hidden else value for name, value in arguments.items()}
        known: dict[str, Any] = _shortened(mask(self._redactor.value(_bounded(shown))))
        if len(dumps(known)) > ARGUMENTS_MOST:
            return {"…": f"{len(shown)} arguments, too long to keep: {_cut(', '.join(map(str, shown)))}"}
        return known


def name_of(user: User | None) -> str:
    """`user:ann`, `key:ci`, `anybody` where nobody has to log in, `nobody` when a login was wrong or missing."""
    if user is None:
        return "nobody"
    return f"{user.kind}:{user.name}" if user.name else "anybody"


def _cut(text: str, most: int = TEXT_MOST) -> str:
    # A lone surrogate would keep the whole batch from being written.
    text = encodable(text[: most + 1])
    return text if len(text) <= most else text[:most] + "…"


def _bounded(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON value that is no wider or deeper than allowed, with texts still long enough to be masked."""
    if isinstance(value, (dict, list, tuple)) and depth > DEPTH_MOST:
        return "…"
    if isinstance(value, dict):
        known = {_cut(str(key), 64): _bounded(value[key], depth + 1) for key in list(value)[:ITEMS_MOST]}
        return {**known, "…": f"{len(value) - ITEMS_MOST} more"} if len(value) > ITEMS_MOST else known
    if isinstance(value, (list, tuple)):
        items = [_bounded(item, depth + 1) for item in value[:ITEMS_MOST]]
        return [*items, f"… {len(value) - ITEMS_MOST} more"] if len(value) > ITEMS_MOST else items
    if isinstance(value, int) and abs(value) >= 2**53:
        return f"{value:.3e}" if abs(value) < 10**300 else "…"
    return value if value is None or isinstance(value, (bool, int, float)) else _cut(str(value), MASKABLE)


def _shortened(value: Any) -> Any:
    """The value with every text cut."""
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return _cut(value) if isinstance(value, str) else value
