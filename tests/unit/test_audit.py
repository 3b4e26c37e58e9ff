"""What is kept of who did what."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flower.access import ANYBODY, User
from flower.audit import ARGUMENTS_MOST, DONE, Audit, name_of
from flower.state import State
from flower.store import audit as rows
from flower.store import open_store
from flower.store.audit import AuditQuery
from flower.utils.throttle import Throttle
from tests.databases import EmptyStore


@pytest.fixture
def state(empty: EmptyStore) -> Iterator[State]:
    with empty() as store:
        state = State(store, clock=lambda: 1000.0)
        yield state
        state.stop()


def record(audit: Audit, operation: str = "task.revoke", **arguments: Any) -> None:
    audit.record(ANYBODY, operation, "t", arguments, DONE, 200, 0.5)


def kept(audit: Audit, **filters: Any) -> list[dict[str, Any]]:
    return audit.search(AuditQuery(**filters))[0]


@pytest.mark.parametrize(
    "user, name",
    [
        (None, "nobody"),
        (ANYBODY, "anybody"),
        (User("ann", "admin", "user"), "user:ann"),
        (User("ci", "viewer", "key"), "key:ci"),
        (User("key:ci", "admin", "user"), "user:key:ci"),
    ],
)
def test_names(user: User | None, name: str) -> None:
    """A user cannot pass for a key of the same name."""
    assert name == name_of(user)


def test_row(state: State) -> None:
    """Every fact comes back."""
    audit = Audit(state)
    audit.record(User("ci", "admin", "key"), "worker.shutdown", "w", {"a": [1, None]}, DONE, 200, 0.25, "m", "10.0.0.1")
    expected = {
        "at": 1000.0,
        "who": "key:ci",
        "address": "10.0.0.1",
        "operation": "worker.shutdown",
        "target": "w",
        "arguments": {"a": [1, None]},
        "outcome": "done",
        "status": 200,
        "message": "m",
        "seconds": 0.25,
    }
    assert [expected] == kept(audit)


@pytest.mark.parametrize(
    "value, expected",
    [
        ("x" * 1000, "x" * 200 + "…"),
        ("redis://u:hush@h/0 " + "x" * 5000, ("redis://u:********@h/0 " + "x" * 5000)[:200] + "…"),
        ({"password": "hush"}, {"password": "********"}),
        ([{"api_key": "hush"}], [{"api_key": "********"}]),
        (list(range(30)), [*range(20), "… 10 more"]),
        ({str(number): 0 for number in range(22)}, {**{str(number): 0 for number in range(20)}, "…": "2 more"}),
        ([[[[[["deep"]]]]]], [[[["…"]]]]),
        (float("nan"), None),
        (10**40, "1.000e+40"),
        (10**400, "…"),
        ("\ud800", "?"),
    ],
    ids=lambda value: str(value)[:20].encode("ascii", "replace").decode(),
)
def test_arguments_are_bounded(state: State, value: Any, expected: Any) -> None:
    """No argument is longer, wider or deeper than a line can bear, and none holds a password."""
    audit = Audit(state)
    record(audit, value=value)
    assert [{"value": expected}] == [entry["arguments"] for entry in kept(audit)]


def test_many_arguments(state: State) -> None:
    """All together are bounded too."""
    audit = Audit(state)
    record(audit, **{f"a{number}": ["x" * 200] * 20 for number in range(20)})
    (entry,) = kept(audit)
    assert len(json.dumps(entry["arguments"])) < ARGUMENTS_MOST
    assert "20 arguments" in entry["arguments"]["…"]


def test_hidden_arguments(state: State) -> None:
    """Named arguments are not told."""
    audit = Audit(state, hidden=("args",))
    record(audit, args=["hush"], n=1)
    assert [{"args": "[hidden: format_task]", "n": 1}] == [entry["arguments"] for entry in kept(audit)]


def test_refusals_are_bounded_apart(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept, and being refused often does not push out what was done."""
    monkeypatch.setattr(rows, "KEPT", 3)
    monkeypatch.setattr(rows, "KEPT_REFUSED", 2)
    audit = Audit(state, throttle=Throttle(limit=1000))
    for number in range(5):
        record(audit, f"done{number}")
    for number in range(5):
        audit.refused(None, f"refused{number}", "t", 401, "no", "10.0.0.1")
    names = ["refused4", "refused3", "done4", "done3", "done2"]
    assert names == [entry["operation"] for entry in kept(audit)]


def test_refusals_are_throttled(state: State, caplog: pytest.LogCaptureFixture) -> None:
    """Of the same refusal from one address a few are kept, and the last says that there were more."""
    audit = Audit(state, throttle=Throttle(limit=2, clock=lambda: 0.0))
    with caplog.at_level(logging.INFO, "flower.audit"):
        for address in ("a", "a", "a", "b"):
            audit.refused(None, "task.revoke", "t", 401, "no", address)
    more = "no (more of these within a minute are not recorded)"
    assert [("b", "no"), ("a", more), ("a", "no")] == [(entry["address"], entry["message"]) for entry in kept(audit)]
    assert 3 == len(caplog.records)


def test_page_and_total(state: State) -> None:
    """A page says how many there are in all."""
    audit = Audit(state)
    for number in range(5):
        record(audit, f"o{number}")
    found, total = audit.search(AuditQuery(limit=2, offset=1))
    assert (["o3", "o2"], 5) == ([entry["operation"] for entry in found], total)


@pytest.mark.parametrize(
    "filters, number", [({"since": 1000.0}, 1), ({"since": 1000.1}, 0), ({"until": 1000.0}, 1), ({"until": 999.0}, 0)]
)
def test_time(state: State, filters: dict[str, float], number: int) -> None:
    """Both ends of a span of time are in it."""
    audit = Audit(state)
    record(audit)
    assert number == len(kept(audit, **filters))


class Broken:
    """A database that fails, then works."""

    def __init__(self, connection: rows.Connection) -> None:
        self.real, self.fails = connection, True

    def __getattr__(self, name: str) -> Any:
        if self.fails:
            raise sqlite3.OperationalError("disk full")
        return getattr(self.real, name)


def test_failing_store_loses_nothing(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is written later, once and in order; beyond a bound it is counted as lost."""
    monkeypatch.setattr(rows, "UNSAVED_MOST", 3)
    state.flush()
    broken = Broken(state.store._writer)
    audited = rows.AuditRows(broken)
    entry = dict.fromkeys(rows.COLUMNS, "x") | {"arguments": "{}", "at": 1.0, "status": 1, "seconds": 1.0}
    for number in range(5):
        audited.add({**entry, "operation": str(number)})
    with pytest.raises(sqlite3.OperationalError):
        audited.write()
    broken.fails = False
    audited.write()
    audited.write()
    found, total = state.store.audited(AuditQuery())
    assert (["2", "1", "0"], 3, 2, 0) == ([row["operation"] for row in found], total, audited.lost, audited.unsaved)


def test_file_of_an_earlier_version(tmp_path: Path) -> None:
    """A store that was made before there was an audit gets one."""
    path = str(tmp_path / "old.sqlite3")
    open_store(path, persistent=True).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE audit")
    connection.close()
    state = State(open_store(path, persistent=True))
    audit = Audit(state)
    record(audit)
    assert 1 == len(kept(audit))
    state.stop()
