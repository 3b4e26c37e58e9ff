"""Reads a file that Flower 2.x kept its tasks in, and tells them as lines of JSON. A program of its own.

Such a file is a pickle, which may ask for any function to be called. Here nothing can be called but what stands in
this file: every name in the pickle is looked up in a table of stand-ins, and one that is not there ends the reading.
The process may not write files nor start programs, and has bounds for its memory and time. Only the standard library.
"""

from __future__ import annotations

import collections
import dbm
import io
import json
import pickle
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

MOST_BYTES = 8 << 30
MOST_SECONDS = 3600
SUFFIXES = (".db", ".dat", ".dir", ".bak")


class Thing:
    """Whatever the file calls an object: it remembers what it was made of, and does nothing."""

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __setstate__(self, state: Any) -> None:
        """Nothing of it is needed."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Nothing of it is needed."""


class Reader(pickle.Unpickler):
    """Collects the facts of tasks. Raises UnpicklingError for what a file of Flower 2.x does not have."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.tasks: list[dict[str, Any]] = []
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("celery.events.state", "_depickle_task"): self._task,
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("collections", "defaultdict"): Thing,
            ("collections", "Counter"): Thing,
            ("__builtin__", "set"): set,
            ("builtins", "set"): set,
        }
        things = {
            "flower.events": ("EventsState",),
            "celery.events.state": ("State", "Task", "Worker"),
            "celery.utils.functional": ("LRUCache",),
            "kombu.utils.functional": ("LRUCache",),
        }
        self._known = known | {(module, name): Thing for module, names in things.items() for name in names}

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in for a name; never anything that could be imported."""
        try:
            return self._known[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it has {module}.{name} in it, which no file of Flower 2.x has") from None

    def _task(self, _: Any, facts: Any) -> Thing:
        if isinstance(facts, dict):
            self.tasks.append(facts)
        return Thing()


def tasks_in(name: str) -> Iterator[dict[str, Any]]:
    """The facts of every task in the file."""
    base = name[: -len(Path(name).suffix)] if Path(name).suffix in SUFFIXES else name
    path = next((path for path in (name, base) if dbm.whichdb(path)), name)
    with dbm.open(path, "r") as shelf:
        for key in shelf.keys():  # noqa: SIM118 # not every kind can be iterated over
            reader = Reader(io.BytesIO(shelf[key]))
            reader.load()
            yield from map(plain, reader.tasks)


def plain(facts: dict[str, Any]) -> dict[str, Any]:
    """What JSON can say of a task; a worker is told by its name."""
    worker = facts.get("worker")
    told = {**facts, "worker": worker.parts[0] if isinstance(worker, Thing) and worker.parts else worker}
    return {str(key): value for key, value in told.items() if value is None or isinstance(value, (str, int, float))}


def main() -> None:
    """Read the file that the command line names."""
    for limit, value in (
        (resource.RLIMIT_AS, MOST_BYTES),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(limit)
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (least, least))
    try:
        for facts in tasks_in(sys.argv[1]):
            sys.stdout.write(json.dumps(facts) + "\n")
    except (OSError, *dbm.error, pickle.UnpicklingError, MemoryError, ValueError, EOFError, RecursionError) as error:
        sys.exit(str(error) or type(error).__name__)
    except Exception as error:  # noqa: BLE001 # a pickle that is none of Flower's may fail in any way
        sys.exit(f"it is no file of Flower 2.x ({type(error).__name__}: {error})")


if __name__ == "__main__":
    main()
