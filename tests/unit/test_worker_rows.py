"""The list of workers, without a server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from flower.utils.inspected import slots_of
from flower.views.worker_rows import SORTS, Row, matches, natural_key, pool_kind, row_of, sorted_rows
from flower.views.workers import Choice, listed
from flower.worker import Worker

T0 = 1_795_242_217.0
EVERYTHING = Choice(q="", state="", queue="", sort="name", page=1, limit=50)
PREFORK = {"implementation": "celery.concurrency.prefork:TaskPool", "max-concurrency": 1, "processes": [7, 8, 9]}


def worker(name: str, **counts: int) -> Worker:
    made = Worker(name)
    made.counts.update({f"task-{key}": value for key, value in counts.items()})
    return made


def alive(name: str, active: int = 0, **facts: Any) -> Row:
    made = worker(name)
    made.heartbeats, made.freq, made.active = [T0], 2.0, active
    failure = facts.pop("failure", "")
    return row_of(made, facts, T0 + 1, failure)


def test_worker_row() -> None:
    """A row joins events and facts; what an offline worker said of its load is not told."""
    made = worker("w", received=3)
    made.heartbeats, made.freq, made.active, made.loadavg = [T0], 2.0, 3, [0.5]
    facts = {"stats": {"pool": {"max-concurrency": 4}}, "active_queues": [{"name": "a"}]}
    online, offline = row_of(made, facts, T0 + 1), row_of(made, facts, T0 + 100)
    assert ((True, 3, 0.75, ["a"], [0.5]), (False, 0, None, ["a"], [])) == (
        (online.online, online.active, online.saturation, online.queues, online.load),
        (offline.online, offline.active, offline.saturation, offline.queues, offline.load),
    )


def test_slots_of_a_pool_that_has_grown() -> None:
    """Prefork tells the size that it began with; its processes are those that there are."""
    assert (3, 8, None) == (slots_of(PREFORK), slots_of({"max-concurrency": 8, "threads": 3}), slots_of({}))


@pytest.mark.parametrize(
    "path, kind",
    [
        ("celery.concurrency.prefork:TaskPool", "prefork"),
        ("celery.concurrency.thread:TaskPool", "threads"),
        ("my.pools:Pool", "my.pools:Pool"),
        (None, ""),
    ],
)
def test_kind_of_pool(path: str | None, kind: str) -> None:
    """A pool of Celery has its short name, one's own keeps its path."""
    assert kind == pool_kind({"implementation": path})


def test_uptime_is_of_the_same_process() -> None:
    """The uptime that a former process of this name told is not taken for that of the present one."""
    made = worker("w")
    made.heartbeats, made.pid, made.booted = [T0], 2, T0 - 5
    told = {"stats": {"uptime": 3600, "pid": 1}, "timestamp": T0}
    same = {"stats": {"uptime": 3600, "pid": 2}, "timestamp": T0}
    assert (T0 - 5, T0 - 3600) == (row_of(made, told, T0).booted, row_of(made, same, T0).booted)


def test_failure_share() -> None:
    """The share of failures is of the tasks that ended; without any there is none."""
    some, none = (row_of(worker("w", **counts), {}, T0) for counts in ({"failed": 1, "succeeded": 3}, {"retried": 5}))
    assert (0.25, None) == (some.failure_share, none.failure_share)


def test_workers_are_sorted_as_people_count() -> None:
    """w2 comes before w10; a column sorts first, the name then."""
    rows = [row_of(worker(name, failed=number), {}, T0) for name, number in (("w10", 1), ("w2", 1), ("W1", 5))]
    assert (["W1", "w2", "w10"], ["W1", "w2", "w10"]) == (
        [row.name for row in sorted_rows(rows, "name")],
        [row.name for row in sorted_rows(rows, "-failed")],
    )


@pytest.mark.parametrize("sort", [sign + column for column in SORTS for sign in ("", "-")])
def test_every_column_sorts(sort: str) -> None:
    """A column sorts rows that have a value and rows that have none."""
    rows = [alive("w1", stats={"pool": PREFORK, "uptime": 5}, active_queues=[{"name": "a"}]), alive("w2")]
    rows.append(row_of(worker("gone"), {}, T0))
    assert {"w1", "w2", "gone"} == {row.name for row in sorted_rows(rows, sort)}


def test_unknown_values_are_last_in_both_orders() -> None:
    """What is not known does not push what is known off the first page."""
    rows = [alive("a"), alive("b", 1, stats={"pool": PREFORK}), alive("c", 2, stats={"pool": PREFORK})]
    orders = [[row.name for row in sorted_rows(rows, sort)] for sort in ("busy", "-busy")]
    assert [["b", "c", "a"], ["c", "b", "a"]] == orders


def test_natural_key_of_strange_digits() -> None:
    """Digits that are no numbers do not break the order."""
    assert sorted(["a²", "a2"], key=natural_key)


def test_find_workers() -> None:
    """Every word must be somewhere in the row."""
    row = row_of(worker("w1@host"), {"active_queues": [{"name": "mail"}]}, T0)
    assert (True, False) == (matches(row, "MAIL offline"), matches(row, "mail online"))


def test_states() -> None:
    """A worker without a free slot is busy; one that did not answer is silent; both are online."""
    busy = alive("busy", 3, stats={"pool": PREFORK})
    silent = alive("silent", failure="no reply")
    gone = row_of(worker("gone"), {}, T0)
    shown = listed([busy, silent, gone, alive("free")], EVERYTHING)
    assert (("busy", "silent", "offline"), 3, 4) == (
        (busy.state, silent.state, gone.state),
        shown.states["online"],
        shown.states[""],
    )


def test_queue_filter() -> None:
    """Only the workers of a queue are shown; every queue is offered, with its workers counted."""
    rows = [alive("a", active_queues=[{"name": "mail"}]), alive("b", active_queues=[{"name": "celery"}])]
    shown = listed(rows, replace(EVERYTHING, queue="mail"))
    assert (["a"], [("celery", 1), ("mail", 1)]) == ([row.name for row in shown.rows], shown.queues)


def test_pages_and_totals() -> None:
    """A page shows its part, the totals are those of all that were found, a page too far is the last."""
    rows = [row_of(worker(f"w{number}", failed=1), {}, T0) for number in range(120)]
    shown = listed(rows, replace(EVERYTHING, page=9))
    assert (3, 3, ["w100", "w119"], 120) == (
        shown.page,
        shown.pages,
        [shown.rows[0].name, shown.rows[-1].name],
        shown.sums["failed"],
    )
