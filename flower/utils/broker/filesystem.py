"""kombu's filesystem transport: every message is a file, every exchange a file of the queues that it feeds."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from flower.utils.broker.base import Head, Info, is_internal
from flower.utils.broker.passive import Passive

SUFFIX = ".msg"
FOLDERS = {"data_folder_in": "data_in", "control_folder": "control"}
"""Transport option -> the transport's own default."""


class Filesystem(Passive):
    """filesystem://, with the folders of `broker_transport_options`.

    A message is `<time>_<uuid>.<queue>.msg`, so one look into the folder counts all queues.
    """

    tells_heads = True

    def read(self, names: list[str]) -> dict[str, Info]:
        counts = Counter(queue for _, queue in messages(self.folder("data_folder_in")))
        return {name: {"name": name, "messages": counts[name]} for name in names}

    async def names(self) -> list[str]:
        """Queues that an exchange feeds, and those with messages."""
        return await self.run(self.bound)

    def bound(self) -> list[str]:
        """`names`, blocking."""
        waiting = {queue for _, queue in messages(self.folder("data_folder_in"))}
        fed = {queue for path in self.folder("control_folder").glob("*.exchange") for queue in queues_of(path)}
        return sorted(name for name in waiting | fed if name and not is_internal(name))

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        """When the oldest message was written."""
        wanted = set(names)
        return await self.run(lambda: self.oldest(wanted)) if wanted else {}

    def oldest(self, names: set[str]) -> dict[str, list[Head]]:
        """`heads`, blocking."""
        folder, found = self.folder("data_folder_in"), dict[str, list[Head]]()
        # Workers take them by name, too.
        for name, queue in sorted(messages(folder)):
            if queue in names and queue not in found:
                try:
                    found[queue] = [Head(since=os.stat(folder / name).st_mtime)]
                except FileNotFoundError:  # taken meanwhile
                    continue
        return found

    def folder(self, option: str) -> Path:
        """One of the transport's folders."""
        return Path(self.broker_options.get(option, FOLDERS[option]))


def messages(folder: Path) -> list[tuple[str, str]]:
    """(file, queue) of every message."""
    return [(name, name.removesuffix(SUFFIX).partition(".")[2]) for name in os.listdir(folder) if name.endswith(SUFFIX)]


def queues_of(exchange: Path) -> list[str]:
    """The queues that an exchange feeds; none while its file is being written."""
    try:
        rows = json.loads(exchange.read_text())
        return [str(row[2]) for row in rows]
    except (OSError, ValueError, IndexError, TypeError, KeyError):
        return []
