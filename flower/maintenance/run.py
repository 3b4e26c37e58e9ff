"""`celery flower --db=... --check`, `--export` and `--import`: one of them, and then the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from flower.maintenance.transfer import export_tasks, import_tasks
from flower.options import OptionError
from flower.store import Store, StoreError, open_store
from flower.store.files import damage_of
from flower.store.locate import is_database
from flower.utils.redaction import Redactor

STANDARD_OUTPUT = "-"
FOUND_FAULTS = 1

Tell = Callable[[str], object]


def run(work: Callable[..., int], *arguments: object) -> int:
    """The exit code of one of these. Raises OptionError with what cannot be done."""
    try:
        return work(*arguments)
    except StoreError as error:
        raise OptionError(f"db: {error}") from None


def check(db: str, tell: Tell) -> int:
    """Tell what the store is and what is wrong with it; the exit code."""
    with closing(_opened(db, must_exist=True)) as store:
        facts, faults = store.engine.check()
        tell(f"{store.description[0].upper()}{store.description[1:]}: {store.tasks} tasks")
        for fact in facts:
            tell(fact)
        for fault in faults:
            tell(f"Wrong: {fault}")
    tell("Nothing is wrong" if not faults else "Export what can be read, and import it into a new store")
    return FOUND_FAULTS if faults else 0


def export(db: str, tell: Tell, target: str) -> int:
    """Write all tasks to a file that must not exist, or to the standard output; the exit code."""
    with closing(_opened(db, must_exist=True)) as store:
        if target == STANDARD_OUTPUT:
            export_tasks(store, sys.stdout.buffer)
            return 0
        try:
            # Arguments of tasks are nobody else's business.
            handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                number = export_tasks(store, file)
        except OSError as error:
            raise StoreError(f"{target} cannot be written: {error.strerror}") from None
    tell(f"{number} tasks were written to {target}")
    return 0


def import_(db: str, tell: Tell, source: str, max_tasks: int, redact: Sequence[str]) -> int:
    """Merge the tasks of a file into the store; the exit code."""
    with closing(_opened(db, max_tasks=max_tasks)) as store:
        before = store.tasks
        number = import_tasks(store, Path(source).expanduser(), Redactor(redact))
        tell(f"{number} tasks were read, {store.tasks - before} of them new; the store has {store.tasks}")
        if store.tasks >= max_tasks:
            tell(f"It may have {max_tasks}, the oldest went: max_tasks allows for more")
    return 0


def _opened(db: str, *, must_exist: bool = False, max_tasks: int = sys.maxsize) -> Store:
    """Raises StoreError, also while a Flower has the file."""
    if must_exist and not is_database(db) and not Path(db).exists():
        raise StoreError(f"{db} does not exist")
    damage = None if is_database(db) else damage_of(Path(db))
    if must_exist and damage:
        raise StoreError(f"{db} is damaged: {damage}; a server would set it aside and begin a new one")
    return open_store(db, persistent=True, max_tasks=max_tasks)
