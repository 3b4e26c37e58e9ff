"""Upkeep from the command line: check, export, import, and files of Flower 2.x that must not be believed."""

from __future__ import annotations

import dbm.dumb
import os
import pickle
import sqlite3
import stat
from collections import OrderedDict
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from flower.command import flower
from flower.maintenance import run, transfer
from flower.options import OptionError
from flower.store import NAMES, Store, StoreError, Task, TaskQuery, open_store
from flower.utils.redaction import Redactor
from tests.databases import Databases, EmptyStore

SHELVES = Path(__file__).parent / "shelves"
TASK = {"uuid": "u", "name": "ü", "state": "SUCCESS", "received": 1.5, "succeeded": 2.0, "timestamp": 2.0}
CLI = SimpleNamespace(app=SimpleNamespace(user_options={"preload": ()}), quiet=True)
RICH = {"uuid": "v", "state": "PROGRESS", "custom": 3.0, "custom_state": "PROGRESS", "timestamp": 3.0}


def shelf(path: Path, value: bytes) -> Path:
    """A file as Flower 2.x writes it, with what a pickle there says."""
    with dbm.dumb.open(str(path), "n") as made:
        made["events"] = value
    return path


def tasks_of(store: Store) -> dict[str, Task]:
    return {task.uuid: task for task in store.search(TaskQuery(limit=100)).tasks}


@pytest.fixture
def db(tmp_path: Path) -> str:
    """A file with two tasks."""
    path = str(tmp_path / "db.sqlite3")
    with closing(open_store(path, persistent=True)) as store:
        store.write([dict(TASK), {**RICH, "extra": {"done": 5}, "attempts": [[1.0, "started", None, None]]}])
    return path


def test_what_was_exported_can_be_imported(empty: EmptyStore, db: str, tmp_path: Path) -> None:
    """Every fact of every task goes out and comes in again, into either engine."""
    target = str(tmp_path / "tasks.jsonl")
    run.export(db, print, target)
    with closing(open_store(db, persistent=True)) as store:
        expected = tasks_of(store)
    with empty() as store:
        number = transfer.import_tasks(store, Path(target), Redactor(()))
        assert (2, expected) == (number, tasks_of(store))


def test_import_merges(empty: EmptyStore, tmp_path: Path) -> None:
    """A task that the store knows is completed, not overwritten; and importing twice changes nothing."""
    path = tmp_path / "lines"
    path.write_text('{"uuid": "u", "args": "(1,)", "received": 1.0, "timestamp": 1.0}\n{"no": "id"}\n')
    with empty() as store:
        store.write([dict(TASK)])
        numbers = [transfer.import_tasks(store, path, Redactor(())) for _ in range(2)]
        task = tasks_of(store)["u"]
        assert ([1, 1], 1, "SUCCESS", "(1,)") == (numbers, store.tasks, task.state, task.args)


def test_import_masks_secrets(empty: EmptyStore, tmp_path: Path) -> None:
    """What was kept elsewhere with its secrets is kept here without them."""
    path = tmp_path / "lines"
    path.write_text('{"uuid": "u", "kwargs": "{\'password\': \'hunter2\'}", "timestamp": 1.0}\n')
    with empty() as store:
        transfer.import_tasks(store, path, Redactor(("password",)))
        assert "{'password': '********'}" == tasks_of(store)["u"].kwargs


@pytest.mark.parametrize("value", [2**80, "9" * 400, [1], {"a": 1}, True, "\ud800", float("nan")])
@pytest.mark.parametrize("name", NAMES)
def test_impossible_value_is_mended(name: str, value: Any) -> None:
    """Whatever stands in a line, the store takes what becomes of it, or there is no task."""
    view = transfer.view_of({**TASK, name: value})
    if view is not None:
        with closing(open_store()) as store:
            store.write([view])
            assert 1 == store.tasks


@pytest.mark.parametrize("line", ["[1]", "{", "7", "nonsense"])
def test_bad_line_is_named(empty: EmptyStore, tmp_path: Path, line: str) -> None:
    """A line that is no task ends the import with its number; what came before is stored."""
    path = tmp_path / "lines"
    path.write_text('{"uuid": "u", "timestamp": 1.0}\n' * 2 + line + "\n")
    with empty() as store, pytest.raises(StoreError, match="line 3 is no task in JSON"):
        transfer.import_tasks(store, path, Redactor(()))


@pytest.mark.parametrize("protocol", [2, 4])
def test_shelf_of_flower_2(empty: EmptyStore, tmp_path: Path, protocol: int) -> None:
    """Tasks that Flower 2.2 stored come in with their states, moments and workers."""
    path = shelf(tmp_path / "flower", (SHELVES / f"protocol-{protocol}.pickle").read_bytes())
    with empty() as store:
        transfer.import_tasks(store, path, Redactor(()))
        found = tasks_of(store)
    states = {"ok": "SUCCESS", "bad": "FAILURE", "open": "RECEIVED", "own": "PROGRESS", "rev": "REVOKED"}
    assert states == {uuid: task.state for uuid, task in found.items()}
    bad = found["bad"]
    expected = ("celery@w1", "tasks.bad", "('ü',)", "ValueError('no')", 1795242222.0, "ok")
    assert expected == (bad.worker, bad.name, bad.args, bad.exception, bad.failed, bad.parent_id)


def test_shelf_is_found_by_any_of_its_names(tmp_path: Path) -> None:
    """One may name one of the files that a kind of dbm makes of it."""
    shelf(tmp_path / "flower", (SHELVES / "protocol-4.pickle").read_bytes())
    with closing(open_store()) as store:
        assert 5 == transfer.import_tasks(store, tmp_path / "flower.dat", Redactor(()))


class Evil:
    """Becomes a call of any function when it is unpickled."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call[0], tuple(self.call[1:])


@pytest.mark.parametrize(
    "function, arguments",
    [
        (os.system, ("touch {0}",)),
        (os.mkdir, ("{0}",)),
        (eval, ("open('{0}', 'w')",)),
        (exec, ("open('{0}', 'w')",)),
        (getattr, (os, "environ")),
        (open, ("{0}", "w")),
        (__import__, ("antigravity",)),
    ],
)
def test_code_in_a_shelf_does_not_run(tmp_path: Path, function: Any, arguments: tuple[Any, ...]) -> None:
    """A file that asks for a call is refused, the call is named, and nothing happens."""
    touched = tmp_path / "touched"
    call = [word.format(touched) if isinstance(word, str) else repr(word) for word in arguments]
    path = shelf(tmp_path / "evil", pickle.dumps(OrderedDict(a=Evil(function, *call))))
    with closing(open_store()) as store, pytest.raises(StoreError, match="which no file of Flower 2"):
        transfer.import_tasks(store, path, Redactor(()))
    assert not touched.exists()


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"\x80\x04",
        b"garbage",
        pickle.dumps([1, 2]),
        # Stand-ins may be called by a file, and nothing else: with too much, in a circle, as what they are not.
        b"ccelery.events.state\n_depickle_task\n(tR.",
        b"cflower.events\nEventsState\n(tR}(K\x01K\x02ub.",
        b"\x80\x04ccelery.events.state\nTask\n)\x81}\x8c\x01a\x8c\x01bsb.",
        b"c__main__\nsys\n.",
        b"\x80\x02cflower.events\nEventsState.__init__\n.",
    ],
)
def test_damaged_shelf_imports_nothing(tmp_path: Path, value: bytes) -> None:
    """A file that is cut short or makes no sense is refused, or has no tasks."""
    path = shelf(tmp_path / "odd", value)
    with closing(open_store()) as store:
        with suppress(StoreError):
            transfer.import_tasks(store, path, Redactor(()))
        assert 0 == store.tasks


def test_other_file_is_refused(tmp_path: Path) -> None:
    """What is neither lines of JSON nor a shelf is said to be so."""
    path = tmp_path / "notes"
    path.write_text("Dear diary")
    with closing(open_store()) as store, pytest.raises(StoreError, match="db type could not be determined"):
        transfer.import_tasks(store, path, Redactor(()))


def test_exported_file_is_private_and_new(db: str, tmp_path: Path) -> None:
    """An export is nobody else's business, and overwrites nothing."""
    target = tmp_path / "tasks.jsonl"
    run.export(db, print, str(target))
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)
    with pytest.raises(StoreError, match="File exists"):
        run.export(db, print, str(target))


def test_check_of_a_sound_file(db: str) -> None:
    """It is told what there is, and that nothing is wrong."""
    said: list[str] = []
    assert (0, "2 tasks", "Nothing is wrong") == (run.check(db, said.append), said[0][-7:], said[-1])


def test_check_finds_damage(db: str) -> None:
    """A damaged page is found, and the exit code says so."""
    with closing(open_store(db, persistent=True, max_tasks=10**6)) as store:
        store.write([{"uuid": f"{number}", "state": "SUCCESS", "args": "x" * 99} for number in range(5000)])
    with closing(sqlite3.connect(db)) as file:
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tasks_by_state'").fetchone()[0]
    with Path(db).open("r+b") as raw:
        raw.seek((page - 1) * 4096)
        raw.write(b"\xee" * 400)
    said: list[str] = []
    assert (1, True) == (run.check(db, said.append), any(line.startswith("Wrong: ") for line in said))


def test_check_puts_a_count_right(databases: Databases) -> None:
    """A database whose number of tasks is wrong is told of, and right afterwards."""
    with databases.lent() as url:
        with closing(open_store(url)) as store:
            store.write([dict(TASK)])
            store.engine.writer.execute("UPDATE counts SET number = 7")
        said: list[str] = []
        codes = [run.check(url, said.append) for _ in range(2)]
    assert ([1, 0], True) == (codes, "Wrong: 7 tasks were counted, 1 are there; the number is put right" in said)


@pytest.mark.parametrize("work", [run.check, run.export])
def test_missing_file_is_not_made(tmp_path: Path, work: Any) -> None:
    """To look at a store does not make one."""
    path = tmp_path / "none.sqlite3"
    with pytest.raises(OptionError, match="does not exist"):
        run.run(work, str(path), print, *["-"] * (work is run.export))
    assert not path.exists()


def test_file_in_use_is_left_alone(db: str) -> None:
    """While a server has the file nothing is done to it."""
    with closing(open_store(db, persistent=True)), pytest.raises(OptionError, match="in use by another Flower"):
        run.run(run.check, db, print)


def test_import_says_what_found_no_room(db: str, tmp_path: Path) -> None:
    """When more comes in than may be stored that is told."""
    lines = tmp_path / "lines"
    lines.write_text("".join(f'{{"uuid": "{number}", "timestamp": {number}}}\n' for number in range(20)))
    said: list[str] = []
    run.import_(db, said.append, str(lines), 10, [])
    assert ["20 tasks were read", "It may have 10, the oldest went"] == [
        line[: line.index(",") if n == 0 else 31] for n, line in enumerate(said)
    ]


def test_command_line(db: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The options of the command do it, and no server starts."""
    monkeypatch.setattr("flower.command.setup_logging", lambda: None)
    shelf(tmp_path / "old", (SHELVES / "protocol-4.pickle").read_bytes())
    outputs = [
        CliRunner().invoke(flower, [f"--db={db}", option], obj=CLI, catch_exceptions=False)
        for option in (f"--import={tmp_path / 'old'}", "--check")
    ]
    assert [(0, True), (0, True)] == [
        (outputs[0].exit_code, "5 tasks were read, 5 of them new; the store has 7" in outputs[0].output),
        (outputs[1].exit_code, "7 tasks" in outputs[1].output),
    ]
