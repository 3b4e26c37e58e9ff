"""`/tasks/export`: every task of a view as a file, written as it is read.

One step is in memory at a time; what a slow client has not taken is not read yet.
"""

from __future__ import annotations

import asyncio
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from tornado.iostream import StreamClosedError

from flower.store import BY_NAME, NAMES, Task
from flower.utils.arguments import one_of
from flower.utils.json import dumps
from flower.views import BaseHandler
from flower.views.filters import View
from flower.views.task_columns import known_columns, visible_task_columns

FORMATS = {"csv": "text/csv; charset=UTF-8", "jsonl": "application/x-ndjson; charset=UTF-8"}
EXPORTS_MOST = 3
"""Files that one user, or one address where nobody logs in, fetches at a time: each reads the whole store."""
PATIENCE_SECONDS = 30.0
"""How long a client may take to accept one part before its connection is closed."""
STEP = 500
"""Tasks read and written at once: a thread is busy with them for some milliseconds."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""How a text begins that a spreadsheet runs instead of showing it."""
QUOTE = '"'
QUOTED = re.compile(r'[",\r\n]')
GZIP = 16 + zlib.MAX_WBITS

Row = Callable[[Task], bytes]


class TasksExport(BaseHandler):
    """GET /tasks/export: the filters and the order of /tasks, `format`, `columns`, and `which` of them."""

    tab = "tasks"

    def head(self) -> None:
        """The headers alone: the length is not known before all is read."""
        self._announce(one_of("format", self.get_argument("format", "csv"), tuple(FORMATS)))

    async def get(self) -> None:
        with self.site.quota.held("exports", self.who, EXPORTS_MOST):
            await self._export()

    async def _export(self) -> None:
        kind = one_of("format", self.get_argument("format", "csv"), tuple(FORMATS))
        view = View.read(self.get_argument, self.zone)
        names = self._names(view)
        query = replace(view.query(), limit=self.cluster.store.max_tasks, offset=0)
        tasks = self.cluster.store.iterate(query, STEP)
        row = _csv_row(names, self.zone) if kind == "csv" else _json_row(names)
        packer = zlib.compressobj(wbits=GZIP) if "gzip" in self.request.headers.get("Accept-Encoding", "") else None
        # Errors of the store must be told before the first byte is sent.
        body = await self.run(self._step, tasks, row, packer, _csv_line(names) if kind == "csv" else b"")
        self._announce(kind)
        if packer is not None:
            self.set_header("Content-Encoding", "gzip")
        try:
            while body is not None:
                self.write(body)
                await asyncio.wait_for(self.flush(), PATIENCE_SECONDS)
                if not self.still_in():
                    raise StreamClosedError
                body = await self.run(self._step, tasks, row, packer)
            self.finish(packer.flush() if packer is not None else b"")
        except (StreamClosedError, asyncio.TimeoutError):
            await self.run(_close, tasks)
            # Cut, not ended: nobody is to take a part for the whole.
            self.request.connection.stream.close()  # type: ignore[union-attr]

    def _names(self, view: View) -> list[str]:
        """The columns of the file."""
        if one_of("which", self.get_argument("which", "shown"), ("shown", "all")) == "all":
            return list(NAMES)
        return [column.slug for column in known_columns(view.columns) or visible_task_columns(self.site.tasks_columns)]

    def _announce(self, kind: str) -> None:
        stamp = datetime.now(self.zone).strftime("%Y%m%d-%H%M%S")
        self.set_header("Content-Type", FORMATS[kind])
        self.set_header("Content-Disposition", f'attachment; filename="flower-tasks-{stamp}.{kind}"')
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "Accept-Encoding, Cookie")
        self.set_header("X-Accel-Buffering", "no")

    def _step(self, tasks: Iterator[Task], row: Row, packer: Any, head: bytes = b"") -> bytes | None:
        """The bytes of the next tasks, after those of `head`; None when there are none. In a thread."""
        data = head + b"".join([row(self.format_task(task)) for task in islice(tasks, STEP)])
        if not data:
            return None
        packed: bytes = data if packer is None else packer.compress(data)
        return packed


def _close(tasks: Any) -> None:
    tasks.close()


def _json_row(names: list[str]) -> Row:
    return lambda task: dumps({name: task.get(name) for name in names}) + b"\n"


def _csv_row(names: list[str], zone: tzinfo) -> Row:
    return lambda task: _csv_line([cell(name, task.get(name), zone) for name in names])


def _csv_line(cells: list[str]) -> bytes:
    # Not by Python's own writer: that of 3.10 refuses a NUL.
    if cells == [""]:
        return b'""\r\n'  # An empty line would be no row.
    quoted = (f'"{text.replace(QUOTE, QUOTE * 2)}"' if QUOTED.search(text) else text for text in cells)
    return (",".join(quoted) + "\r\n").encode("utf-8", "replace")


def cell(name: str, value: Any, zone: tzinfo) -> str:
    """The text of a cell: times in ISO 8601, and no text that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _time(value, zone) if BY_NAME[name].kind == "time" else repr(value)
    text = value if isinstance(value, str) else dumps(value).decode()
    return f"'{text}" if text.startswith(FORMULA) else text


def _time(seconds: float, zone: tzinfo) -> str:
    try:
        return datetime.fromtimestamp(seconds, zone).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return repr(seconds)
