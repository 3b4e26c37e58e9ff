"""The names in events that come again and again: types and workers."""

from __future__ import annotations

from sys import intern

from flower.utils.coercion import name_in

MOST = 5_000


class Names(dict[str, str]):
    """What an event tells as a name -> the name, checked. Raises ValueError for none, TypeError for what cannot be one.

    Counters keep these texts: one of each, not the one that came with each event.
    """

    def __missing__(self, value: str) -> str:
        name = intern(name_in(value))
        # `True` is equal to 1, but no name like it.
        if value.__class__ is str:
            if len(self) >= MOST:
                self.clear()
            self[value] = name
        return name
