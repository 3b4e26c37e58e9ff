"""Tasks out of a store and into one: as lines of JSON, or from a file of Flower 2.x."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import IO, Any

import orjson

from flower.ingest.secrets import without_secrets
from flower.store import BY_NAME, NAMES, TASK_STATES, Store, StoreError, TaskQuery
from flower.store.merge import View, settle
from flower.utils.coercion import number, text, whole
from flower.utils.redaction import Redactor

Facts = Generator[dict[str, Any], None, None]

AT_ONCE = 1_000
EVERY = 2**62
SHELF = Path(__file__).with_name("shelf.py")


def export_tasks(store: Store, file: IO[bytes]) -> int:
    """Write every task as a line of JSON, those received first at the beginning; how many there were."""
    written = 0
    for task in store.iterate(TaskQuery(descending=False, limit=EVERY)):
        facts = {name: value for name, value in task.items() if value is not None}
        file.write(orjson.dumps(facts, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE))
        written += 1
    return written


def import_tasks(store: Store, path: Path, redactor: Redactor) -> int:
    """Merge the tasks of a file into the store, secrets masked; how many there were.

    Raises StoreError when the file cannot be read or is of another kind: what was read until then is stored.
    """
    read = 0
    with closing(_facts(path)) as facts:
        views = (without_secrets(view, redactor) for view in map(view_of, facts) if view is not None)
        while batch := list(islice(views, AT_ONCE)):
            store.write(batch)
            read += len(batch)
    return read


def view_of(facts: dict[str, Any]) -> View | None:
    """What is known of a task, as the store takes it; None without an id."""
    view: View = {}
    for name in NAMES:
        value, kind = facts.get(name), BY_NAME[name].kind
        if value is not None:
            view[name] = _FIT[kind](value)
    view["extra"] = view["extra"] if isinstance(view.get("extra"), dict) else None
    view["attempts"] = [attempt for attempt in view.get("attempts") or () if _is_attempt(attempt)] or None
    if not view.get("uuid"):
        return None
    state = str(view.get("state") or "")
    if state not in TASK_STATES and "custom" not in view:
        view |= {"custom": view.get("timestamp"), "custom_state": state or None}
    settle(view)
    return view


def _storable(value: Any) -> Any:
    """A value that JSON can say, else None."""
    try:
        return orjson.loads(orjson.dumps(value)) if isinstance(value, (dict, list)) else None
    except (TypeError, ValueError):
        return None


_FIT: dict[str, Callable[[Any], Any]] = {
    "text": text,
    "time": number,
    "seconds": number,
    "integer": whole,
    "json": _storable,
}


def _is_attempt(attempt: Any) -> bool:
    """Whether it is a moment of an earlier attempt, as `flower.store.merge` keeps it."""
    return isinstance(attempt, list) and len(attempt) == 4 and number(attempt[0]) == attempt[0] and bool(attempt[1])


def _facts(path: Path) -> Facts:
    try:
        with path.open("rb") as file:
            lines = file.read(1) == b"{"
    except FileNotFoundError:
        lines = False  # Some kinds of dbm add a suffix to the name.
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None
    yield from _of_lines(path) if lines else _of_shelf(path)


def _of_lines(path: Path) -> Facts:
    with path.open("rb") as file:
        yield from _parsed(path, file)


def _of_shelf(path: Path) -> Facts:
    """Read by a process that cannot run code from the file, see `shelf`."""
    command = (sys.executable, "-I", str(SHELF), str(path))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={}) as child:  # noqa: S603
        assert child.stdout  # noqa: S101 # both are pipes
        assert child.stderr  # noqa: S101
        try:
            yield from _parsed(path, child.stdout)
        finally:
            child.stdout.close()
            said = child.stderr.read(10_000).decode(errors="replace").strip()
        if child.wait():
            raise StoreError(f"{path} cannot be imported: {said or 'the process that read it was ended'}")


def _parsed(path: Path, lines: Iterable[bytes]) -> Facts:
    for line_number, line in enumerate(lines, start=1):
        try:
            facts = json.loads(line)
        except ValueError:
            facts = None
        if not isinstance(facts, dict):
            raise StoreError(f"{path}: line {line_number} is no task in JSON")
        yield facts
