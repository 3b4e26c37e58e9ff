"""Reading tasks from Python: the examples of the documentation, and what they rely on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest
from celery import Celery
from tornado.ioloop import IOLoop

from flower.events import Events
from flower.store import Task
from flower.utils.search import QuerySyntaxError, parse_search_terms, satisfies_search_terms
from flower.utils.tasks import (
    SORT_KEYS,
    TASK_STATES,
    as_dict,
    get_task_by_id,
    iter_tasks,
    search_tasks,
    sort_keys,
    sort_tasks,
)
from tests.factories import T0, failed, received, started, success

NOW = datetime.now(timezone.utc).timestamp()
RECENT = NOW - T0 - 600.0
"""Ten minutes ago, in the time of the factories."""

OLD_DAYS = 3
FED = [
    *success("ok-1", RECENT, name="my_task", args="('alpha', 1)", kwargs="{'mode': 'fast', 'n': 5}"),
    *success("ok-2", RECENT + 10, name="my_task"),
    *success("old-1", RECENT - OLD_DAYS * 86400, name="reports.daily"),
    received("bad-1", RECENT + 21, name="my_task", host="celery@worker1"),
    started("bad-1", RECENT + 22, host="celery@worker1"),
    failed("bad-1", RECENT + 23, host="celery@worker1"),
    started("bad-2", RECENT + 31, host="celery@worker1"),
    received("bad-2", RECENT + 30, name="other", host="celery@worker1"),
    failed("bad-2", RECENT + 32, host="celery@worker1", exception="OperationalError('database connection lost')"),
    received("wait-1", RECENT + 40, name="other"),
]


@pytest.fixture(scope="module")
def events() -> Iterator[Events]:
    """Made as the documentation does, and fed with FED."""
    celery_app = Celery("reading", broker="memory://", set_as_current=False)
    io_loop = IOLoop(make_current=False)
    events = Events(celery_app, io_loop)
    for event in FED:
        events.on_event(event)
    yield events
    events.stop()
    io_loop.close(all_fds=True)


def ids(tasks: Any) -> list[str]:
    return [task["uuid"] for task in tasks]


# The examples


def test_all_failed_tasks(events: Events) -> None:
    """Tasks of one state."""
    assert ["bad-2", "bad-1"] == ids(iter_tasks(events, state="FAILURE", limit=100))


def test_tasks_of_a_worker(events: Events) -> None:
    """Tasks of one worker."""
    assert {"bad-1", "bad-2"} == set(ids(iter_tasks(events, worker="celery@worker1", limit=50)))


def test_recent_tasks(events: Events) -> None:
    """Tasks received since a moment of the local clock, oldest first."""
    an_hour_ago = datetime.now() - timedelta(hours=1)  # noqa: DTZ005 - the example's own words
    recent = list(iter_tasks(events, received_start=an_hour_ago, sort_by="received"))
    assert ["ok-1", "ok-2", "bad-1", "bad-2", "wait-1"] == ids(recent)


def test_matching_tasks(events: Events) -> None:
    """Search terms are tried on each task."""
    search_terms = parse_search_terms("name:my_task state:FAILURE")
    assert ["bad-1"] == ids(task for task in iter_tasks(events) if satisfies_search_terms(task, search_terms))


def test_tasks_by_words(events: Events) -> None:
    """Words are looked for in every text of a task."""
    text_search = parse_search_terms("error database connection")
    found = [task for task in iter_tasks(events, state="FAILURE") if satisfies_search_terms(task, text_search)]
    assert ["bad-2"] == ids(found)


@pytest.mark.parametrize("batch_size", [1, 2, 6, 1000])
def test_batches(events: Events, batch_size: int) -> None:
    """Page by page every task comes once."""
    processed, offset = [], 0
    while True:
        batch = list(iter_tasks(events, limit=batch_size, offset=offset, sort_by="received"))
        if not batch:
            break
        processed += ids(batch)
        offset += batch_size
    assert ["old-1", "ok-1", "ok-2", "bad-1", "bad-2", "wait-1"] == processed


def test_analytics(events: Events) -> None:
    """Counts and averages of the last day, over items used as dicts."""
    yesterday = datetime.now() - timedelta(days=1)  # noqa: DTZ005 - the example's own words
    recent_tasks = list(iter_tasks(events, received_start=yesterday, sort_by="received"))
    state_counts = Counter(task["state"] for task in recent_tasks)
    name_counts = Counter(task["name"] for task in recent_tasks)
    runtimes = [task["runtime"] for task in recent_tasks if task["name"] == "my_task" and task.get("runtime")]
    assert {
        "total_tasks": 5,
        "state_distribution": {"SUCCESS": 2, "FAILURE": 2, "RECEIVED": 1},
        "task_distribution": {"my_task": 3, "other": 2},
        "average_runtime": pytest.approx((0.5 + 0.5 + 1.0) / 3),
        "success_rate": 0.4,
    } == {
        "total_tasks": len(recent_tasks),
        "state_distribution": dict(state_counts),
        "task_distribution": dict(name_counts),
        "average_runtime": sum(runtimes) / len(runtimes),
        "success_rate": state_counts["SUCCESS"] / len(recent_tasks),
    }


def test_a_search_that_fails_safely(events: Events) -> None:
    """A wrong filter raises before anything is read."""
    with pytest.raises(ValueError):
        iter_tasks(events, sort_by="nonsense")


# iter_tasks


@pytest.mark.parametrize(
    "filters, uuids",
    [
        ({"type": "My_Task"}, ["bad-1", "ok-2", "ok-1"]),
        ({"type": "nobody"}, []),
        ({"state": "success", "type": "my_task"}, ["ok-2", "ok-1"]),
        ({"limit": 2}, ["wait-1", "bad-2"]),
        ({"limit": 2, "offset": 1}, ["bad-2", "bad-1"]),
        ({"offset": 4}, ["ok-1", "old-1"]),
        ({"limit": 0}, []),
        ({"limit": -1}, []),
        ({"limit": 1, "offset": -1}, ["wait-1"]),
        ({"sort_by": "runtime", "type": "my_task"}, ["ok-1", "ok-2", "bad-1"]),
        ({"sort_by": "-started", "limit": 1}, ["bad-2"]),
        ({"sort_by": "started", "limit": 1}, ["old-1"]),
        ({"search": "kwargs:mode=fast"}, ["ok-1"]),
        ({"search": "-state:SUCCESS -state:FAILURE"}, ["wait-1"]),
        ({"search": ""}, ["wait-1", "bad-2", "bad-1", "ok-2", "ok-1", "old-1"]),
        ({"started_end": NOW - 86400}, ["old-1"]),
        ({"started_start": NOW - 86400, "type": "other"}, ["bad-2"]),
        ({"received_end": datetime.fromtimestamp(NOW - 86400, timezone.utc)}, ["old-1"]),
    ],
)
def test_filters(events: Events, filters: dict[str, Any], uuids: list[str]) -> None:
    """Every parameter narrows, orders or cuts."""
    assert uuids == ids(iter_tasks(events, **filters))


@pytest.mark.parametrize(
    "when",
    [
        T0,
        int(T0),
        datetime.fromtimestamp(T0),  # noqa: DTZ006 - naive on purpose
        datetime.fromtimestamp(T0, timezone.utc),
        datetime.fromtimestamp(T0, timezone.utc).isoformat(),
        "2026-11-21T06:23:37Z",
        "2026-11-21T07:23:37+01:00",
        datetime.fromtimestamp(T0).isoformat(" "),  # noqa: DTZ006 - naive on purpose
    ],
    ids=str,
)
def test_ways_to_write_a_time(events: Events, when: Any) -> None:
    """Seconds, datetimes and texts name the same moment; without a zone it is local."""
    events.on_event(received("at-t0", 0.0, name="clock"))
    assert [["at-t0"], ["at-t0"]] == [
        ids(iter_tasks(events, type="clock", received_start=when)),
        ids(iter_tasks(events, type="clock", received_end=when)),
    ]


def test_a_minute_may_be_written_as_flower_2_does(events: Events) -> None:
    """`YYYY-MM-DD HH:MM` is local time."""
    events.on_event(received("at-t0", 0.0, name="clock"))
    minute = datetime.fromtimestamp(T0).strftime("%Y-%m-%d %H:%M")  # noqa: DTZ006 - naive on purpose
    assert ["at-t0"] == ids(iter_tasks(events, type="clock", received_start=minute))


@pytest.mark.parametrize(
    "filters, told",
    [
        ({"sort_by": "shoe_size"}, "Cannot sort by 'shoe_size'; allowed: uuid, name, state, "),
        ({"sort_by": "--name"}, "Cannot sort by '-name'; allowed: uuid, "),
        ({"sort_by": "attempts"}, "Cannot sort by 'attempts'; allowed: "),
        ({"received_start": "noon"}, "received_start must be a datetime, seconds since the epoch, "),
        ({"started_end": "2026-13-01 10:00"}, "started_end must be a datetime, "),
        ({"received_end": [1]}, "received_end must be a datetime, "),
        ({"search": "a)"}, "Unexpected ')' at position 1."),
    ],
)
def test_a_wrong_argument_is_refused_at_once(events: Events, filters: dict[str, Any], told: str) -> None:
    """The error names what was given and what is allowed."""
    with pytest.raises(ValueError) as error:
        iter_tasks(events, **filters)
    assert str(error.value).startswith(told)


def test_items_are_dicts_with_attributes(events: Events) -> None:
    """An item serves as a dict and as an object."""
    task = next(iter_tasks(events, search="uuid:ok-1"))
    assert ("my_task", "my_task", "my_task", None) == (task["name"], task.get("name"), task.name, task["exception"])


def test_tasks_that_come_while_walking_are_left_for_the_next_walk(events: Events) -> None:
    """Which tasks are walked is settled when the first is taken."""
    walk = iter_tasks(events, type="growing")
    events.on_event(received("growing-1", RECENT, name="growing"))
    events.state.flush()
    first = next(walk)
    events.on_event(received("growing-2", RECENT, name="growing"))
    events.state.flush()
    assert ["growing-1"] == [first.uuid, *ids(walk)]


def test_more_than_one_page_is_walked(events: Events) -> None:
    """Without a limit all tasks come, in order, however many pages of the store they fill."""
    for number in range(2500):
        events.on_event(received(f"many-{number:04}", RECENT + number / 100, name="many"))
    assert [f"many-{number:04}" for number in range(2500)] == ids(iter_tasks(events, type="many", sort_by="received"))


# search_tasks


def test_a_page_of_ids(events: Events) -> None:
    """The page, how many match, how many there are."""
    page = search_tasks(events, limit=1, offset=1, search="state:FAILURE", sort_by="received")
    assert (["bad-2"], 2, events.state.store.tasks) == (page.task_ids, page.filtered_count, page.total_count)


@pytest.mark.parametrize(
    "order, uuids",
    [
        ({}, ["bad-2", "bad-1"]),
        ({"descending": True}, ["bad-2", "bad-1"]),
        ({"descending": False}, ["bad-1", "bad-2"]),
        ({"sort_by": "received"}, ["bad-1", "bad-2"]),
        ({"sort_by": "received", "descending": True}, ["bad-2", "bad-1"]),
        ({"sort_by": "-received"}, ["bad-2", "bad-1"]),
        ({"sort_by": "-received", "descending": True}, ["bad-1", "bad-2"]),
    ],
)
def test_the_order_of_a_page(events: Events, order: dict[str, Any], uuids: list[str]) -> None:
    """`descending` and a dash each turn the order; the newest come first by default."""
    assert uuids == search_tasks(events, state="FAILURE", **order).task_ids


def test_a_search_that_cannot_be_read(events: Events) -> None:
    """The syntax error reaches the caller."""
    with pytest.raises(QuerySyntaxError):
        search_tasks(events, search="(")


# One task


def test_a_task_by_id(events: Events) -> None:
    """The freshest view of one task, before it is stored too."""
    events.on_event(received("fresh", RECENT, name="fresh"))
    task = get_task_by_id(events, "fresh")
    assert task is not None
    assert ("fresh", "RECEIVED") == (task["uuid"], task["state"])


def test_an_unknown_id(events: Events) -> None:
    """No task is None."""
    assert get_task_by_id(events, "nobody") is None


def test_a_task_as_a_dict(events: Events) -> None:
    """Arguments and results are values, absent facts None, and the worker is the host's name, too."""
    known = as_dict(get_task_by_id(events, "ok-1"))
    expected = {"args": ["alpha", 1], "kwargs": {"mode": "fast", "n": 5}, "result": 3, "exception": None, "eta": None}
    assert {**expected, "hostname": known["worker"]} == {name: known[name] for name in [*expected, "hostname"]}


def test_values_stay_values() -> None:
    """What is a list already is not read again."""
    assert ([1], "<Order 5>") == tuple(map(as_dict({"args": [1], "result": "<Order 5>"}).get, ("args", "result")))


def test_a_foreign_task_as_a_dict() -> None:
    """An object of Celery's state serves as well."""
    task = SimpleNamespace(uuid="a", worker=SimpleNamespace(hostname="w1"), args="(1,)")
    known = as_dict(task)
    assert ("a", "w1", "w1", [1], None) == tuple(map(known.get, ("uuid", "worker", "hostname", "args", "state")))


# Sorting

UNSORTED = [
    Task(uuid="a", name="zebra", runtime=2.0, received=1.0, worker="W1"),
    Task(uuid="b", name="Ape", runtime=None, received=3.0, worker=None),
    Task(uuid="c", name="mouse", runtime=10, received=2.0, worker="w0"),
]


@pytest.mark.parametrize(
    "sort_by, uuids",
    [
        ("name", ["b", "c", "a"]),
        ("-name", ["a", "c", "b"]),
        ("runtime", ["a", "c", "b"]),
        ("-runtime", ["c", "a", "b"]),
        ("received", ["a", "c", "b"]),
        ("worker", ["c", "a", "b"]),
        ("started", ["a", "b", "c"]),
    ],
)
def test_tasks_in_order(sort_by: str, uuids: list[str]) -> None:
    """By any fact, up and down; a task without it comes last either way."""
    assert uuids == ids(sort_tasks(UNSORTED, sort_by))


def test_pairs_stay_pairs() -> None:
    """The pairs of uuid and task that Flower 2.x gave can be sorted."""
    pairs = [(task.uuid, task) for task in UNSORTED]
    assert [pairs[1], pairs[2], pairs[0]] == sort_tasks(pairs, "name")


def test_kinds_may_be_mixed() -> None:
    """Numbers come before texts instead of an error."""
    tasks = [{"uuid": "a", "result": "x"}, {"uuid": "b", "result": 5}, {"uuid": "c", "result": [1]}]
    assert ["b", "c", "a"] == ids(sort_tasks(tasks, "result"))


def test_an_unknown_order() -> None:
    """What cannot be sorted by is refused, even for no tasks."""
    with pytest.raises(ValueError, match="Cannot sort by 'colour'"):
        sort_tasks([], "colour")


@pytest.mark.parametrize("name", ["name", "state", "received", "started", "runtime", "worker"])
def test_sort_keys_are_keys(name: str) -> None:
    """Each orders dicts, with something for an absent fact."""
    tasks = [Task(uuid="a", name="b", state="b", received=2.0, started=2.0, runtime=2.0, worker="b"), Task(uuid="b")]
    assert ["b", "a"] == ids(sorted(tasks, key=sort_keys[name]))


def test_the_names_of_the_documentation() -> None:
    """The constants hold what is documented."""
    assert (["PENDING", "STARTED", "SUCCESS", "FAILURE", "RETRY", "REVOKED"], True) == (
        TASK_STATES,
        set(sort_keys) <= SORT_KEYS,
    )
