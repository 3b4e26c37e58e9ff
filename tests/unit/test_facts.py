"""What workers told, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from flower.utils.inspected import without_time_limits
from flower.views.facts import Limit, facts_of, limit_text, slots_of
from flower.views.worker_lists import listing

STATS: dict[str, Any] = {
    "pid": 9,
    "uptime": 100,
    "pool": {"max-concurrency": 2, "processes": [11, 12, 13], "timeouts": [0, 300], "writes": {"total": 7}},
    "rusage": {"utime": 1.5, "stime": 0.5, "maxrss": 58280, "inblock": 3112, "nvcsw": 720},
}


def test_facts_of_nothing() -> None:
    """What was not told is not known, which is not the same as empty."""
    facts = facts_of({"active": []})
    assert (None, []) == (facts.reserved, facts.active)


def test_rate_limits() -> None:
    """The limit of each registered task is set apart from its name."""
    told = {"registered": ["b [rate_limit=10/m]", "a", "c [rate_limit=0]"]}
    assert [Limit("a"), Limit("b", "10/m"), Limit("c")] == facts_of(told).limits


def test_time_limits_of_tasks() -> None:
    """A task's own time limits are beside its rate."""
    told = {"registered": ["a [rate_limit=5]", "b"]}
    assert [Limit("a", "5", 30.0, 60.0), Limit("b")] == facts_of(told, {"a": (30.0, 60.0)}).limits


def test_registered_tasks_without_their_time_limits() -> None:
    """What was asked for besides is taken out of the answer, which is then as without."""
    told = ["a [rate_limit=5 soft_time_limit=30 time_limit=60.5]", "b [time_limit=9]", "c", 4]
    assert (["a [rate_limit=5]", "b", "c", 4], {"a": (30.0, 60.5), "b": (None, 9.0)}) == without_time_limits(told)


@pytest.mark.parametrize("seconds, text", [(None, "none"), (0, "none"), (300, "300 s"), (3600, "1h 00m 00s")])
def test_limit_text(seconds: float | None, text: str) -> None:
    """A limit is in seconds until minutes are easier to read."""
    assert text == limit_text(seconds)


def test_eta_of_scheduled_tasks() -> None:
    """A scheduled task tells when it will run; the next one is the first."""
    late = {"eta": "2027-11-21T07:23:37+00:00", "request": {"id": "v"}}
    told = {"scheduled": [late, {"eta": "2026-11-21T07:23:37+00:00", "request": {"id": "u", "args": [1]}}]}
    request, other = facts_of(told).scheduled or ()
    assert ("u", 1_795_245_817.0, "[1]", "v") == (request.uuid, request.eta, request.args, other.uuid)


def test_slots() -> None:
    """Each running task is in its process; the other processes are free."""
    facts = facts_of({"stats": STATS, "active": [{"id": "u", "worker_pid": 12, "time_start": 5.0}]})
    slots = slots_of(facts, 3)
    assert ([(12, "u")], [11, 13], 2) == ([(s.process, s.request.uuid) for s in slots.busy], slots.idle, slots.free)


def test_slots_of_threads() -> None:
    """Threads share a process: what runs has no process of its own, and the rest is counted."""
    told = {"stats": {"pool": {"max-concurrency": 4}}, "active": [{"id": "u", "worker_pid": 9}]}
    slots = slots_of(facts_of(told), 4)
    assert ([None], [], 3) == ([slot.process for slot in slots.busy], slots.idle, slots.free)


def test_slots_are_unknown_without_an_answer() -> None:
    """A worker that did not say what it runs has no free slots that are known."""
    assert slots_of(facts_of({"stats": STATS}), 3).free is None


@pytest.mark.parametrize(
    ("pool", "timed"),
    [
        ({"implementation": "celery.concurrency.prefork:TaskPool", "timeouts": [0, 0]}, True),
        ({"implementation": "celery.concurrency.thread:TaskPool"}, False),
        ({"implementation": "celery.concurrency.solo:TaskPool"}, False),
        ({"implementation": "celery.concurrency.gevent:TaskPool"}, None),
    ],
)
def test_whether_time_limits_are_in_force(pool: dict[str, Any], timed: bool | None) -> None:
    """A pool that tells its limits has them, one of threads has none, of others it is not known."""
    assert timed is facts_of({"stats": {"pool": pool}}).timed


def test_time_limits_of_the_pool() -> None:
    """Zero is no limit."""
    facts = facts_of({"stats": STATS})
    assert (None, 300) == (facts.soft, facts.hard)


def test_parts_of_a_value_are_lines() -> None:
    """No Python or JSON text stands in the table of the pool."""
    assert ("Writes, total", "7") in (facts_of({"stats": STATS}).pool or ())


def test_usage_is_readable() -> None:
    """Memory, reading and time have units, and the load of the processor is a share."""
    system = dict(facts_of({"stats": STATS}).system or ())
    assert ("2.0% since it started", "1.50 s", "56.9 MB", "1.5 MB") == (
        system["Share of one processor"],
        system["Processor time, own code"],
        system["Largest memory"],
        system["Read from disk"],
    )


def test_passwords_of_the_configuration() -> None:
    """Neither URLs nor settings whose name means a secret show it."""
    conf = {"result_backend": "redis://:pw@h/1", "my_secret": "hush", "timezone": "UTC"}
    expected = [("my_secret", "********"), ("result_backend", "redis://:********@h/1"), ("timezone", "UTC")]
    assert expected == facts_of({"conf": conf}).config


def test_listing() -> None:
    """A list is searched by every word and shown by the page; a page too far is the last."""
    entries = [f"task {number}" for number in range(120)]
    found = listing("revoked", "tasks", entries, "TASK 11", 9, 5, str)
    assert found is not None
    assert (120, 11, 3, 11, 11, ["task 119"]) == (
        found.total,
        found.found,
        found.page,
        found.first,
        found.last,
        found.shown,
    )


def test_listing_of_what_was_not_told() -> None:
    """A list that was not told is not an empty one."""
    assert listing("revoked", "tasks", None, "", 1, 10, str) is None
