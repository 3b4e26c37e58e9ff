"""Health in words: what is said of which cluster, and what it leads to."""

from __future__ import annotations

from typing import Any

import pytest

from flower.health import Finding, Known, judge
from flower.queues import Queue, QueueReport
from flower.store.rollup_rows import Cell
from flower.worker import Worker
from tests.factories import T0

LIVE = {"kind": "live", "since": T0 - 3600, "reason": None}
TOLD = {"active_queues": [{"name": "mail"}], "timestamp": T0}


def worker(name: str = "celery@w1", silent: float = 0.0, **facts: Any) -> Worker:
    """A worker that was heard of for the last time so many seconds before T0."""
    worker = Worker(name)
    worker.hear("online", {"freq": 2.0}, T0 - 3600)
    worker.hear("heartbeat", {"freq": 2.0, **facts}, T0 - silent)
    worker.online_since = T0 - 3600
    worker.count("task-received", 1)
    return worker


def gone(name: str, silent: float) -> Worker:
    """A worker that said goodbye."""
    left = worker(name, silent)
    left.hear("offline", {}, T0 - silent)
    return left


def report(*queues: Queue, error: str | None = None) -> QueueReport:
    return QueueReport(list(queues), error, T0)


def known(**given: Any) -> Known:
    """A cluster that is well but for what is given."""
    workers = given.get("workers", [worker()])
    well: dict[str, Any] = {
        "now": T0,
        "started_at": T0 - 3600,
        "condition": LIVE,
        "workers": workers,
        "facts": {each.hostname: TOLD for each in workers if each.status(T0)},
        "report": report(Queue("mail", 0, consumers=["celery@w1"])),
        "recent": {"pay.charge": Cell({"SUCCESS": 100})},
        "totals": {},
        "last_event_at": T0,
    }
    return Known(**well | given)


def findings(**given: Any) -> list[Finding]:
    return judge(known(**given)).findings


def texts(**given: Any) -> list[tuple[str, str]]:
    return [(finding.severity, finding.text) for finding in findings(**given)]


def test_lost_events_are_told() -> None:
    """How many of whom, and since when; an hour later no more."""
    one, more, old = worker(), worker("celery@w2"), worker("celery@w3")
    one.lose(312, T0 - 120, T0 - 60)
    old.lose(5, T0 - 9000, T0 - 8000)
    found = findings(workers=[one, old])
    assert ("At least 312 events of celery@w1 were lost", T0 - 120) == (found[0].text, found[0].since)
    assert "celery@w1, within 1 min. Tasks that ended then may be shown as unfinished." == found[0].detail
    more.lose(1, T0 - 30, T0 - 20)
    assert [("warn", "At least 313 events of 2 workers were lost")] == texts(workers=[one, more, old])


def test_all_is_well() -> None:
    """What is known to be well is called well, with the grounds for it."""
    health = judge(known())
    told = "1 worker online, no queue waits without a consumer, none of 100 tasks failed in the last 5 minutes."
    assert ("well", "All is well", told, []) == (health.kind, health.text, health.detail, health.findings)


@pytest.mark.parametrize(
    "given, headline",
    [
        ({"condition": {**LIVE, "kind": "quiet"}, "workers": [], "last_event_at": None}, "Nothing heard yet"),
        ({"workers": []}, "Nothing heard yet"),
        ({"report": None}, "Not known yet"),
        ({"facts": {}}, "Not known yet"),
        ({"condition": {**LIVE, "since": T0 - 1}, "workers": [worker(), worker("celery@w2", 99)]}, "Not known yet"),
    ],
)
def test_what_is_not_known_is_not_called_well(given: dict[str, Any], headline: str) -> None:
    """Without events, workers, a count of the queues or what is consumed, nothing is promised."""
    health = judge(known(**given))
    assert ("unknown", headline, []) == (health.kind, health.text, health.findings)


def test_broker_unreachable() -> None:
    """An unreachable broker is told with its reason; of workers and queues nothing is claimed then."""
    lost = {"kind": "unreachable", "since": T0 - 60, "reason": "Connection refused"}
    (finding,) = findings(condition=lost, workers=[worker(silent=60)], report=report(error="refused"))
    assert ("bad", "Broker unreachable", T0 - 60, ("broker",)) == (
        finding.severity,
        finding.text,
        finding.since,
        finding.where,
    )


def test_one_worker_offline() -> None:
    """A lost worker is named, with when it was heard of last and its page."""
    (finding,) = findings(workers=[worker(), worker("celery@w2", 99)])
    assert ("warn", "celery@w2 offline", T0 - 99, ("worker", "celery@w2")) == (
        finding.severity,
        finding.text,
        finding.since,
        finding.where,
    )


def test_workers_offline() -> None:
    """Several are counted since the first was lost, and some of them named."""
    (finding,) = findings(workers=[worker(), *(worker(f"w{number}", 100 + number) for number in range(5))])
    assert ("5 workers offline", T0 - 104, "w4, w3, w2 and 2 more.") == (
        finding.text,
        finding.since,
        finding.detail.partition(" They")[0],
    )


def test_no_worker_left() -> None:
    """Without any worker the loss of one is a problem."""
    assert [("bad", "celery@w2 offline")] == texts(workers=[worker("celery@w2", 99)])


def test_goodbye_is_no_trouble() -> None:
    """A worker that was shut down is noted, and all is well if the others are."""
    health = judge(known(workers=[worker(), gone("celery@w2", 99)]))
    assert ("well", [("note", "celery@w2 shut down")]) == (
        health.kind,
        [(finding.severity, finding.text) for finding in health.findings],
    )


def test_queue_without_consumer() -> None:
    """A queue that fills up while nobody consumes it is a problem."""
    assert [("bad", "Queue mail has 40 messages and no consumer")] == texts(report=report(Queue("mail", 40)))


def test_queue_whose_consumers_are_not_known() -> None:
    """As long as a worker did not say what it consumes, it may be the consumer."""
    found = texts(report=report(Queue("mail", 1)), facts={})
    assert [("warn", "Queue mail has 1 message and no known consumer")] == found


@pytest.mark.parametrize("queue", [Queue("mail", 0), Queue("mail", None), Queue("mail", 5, connections=1)])
def test_queue_that_is_fine(queue: Queue) -> None:
    """An empty queue, one that cannot be counted, and one that somebody consumes need nobody."""
    assert [] == findings(report=report(queue))


def test_many_lonely_queues() -> None:
    """The fullest are named, the others counted."""
    found = texts(report=report(*(Queue(f"q{number}", number) for number in range(1, 6))))
    assert ["Queue q5", "Queue q4", "Queue q3", "2 more q"] == [text[:8] for _, text in found]


def test_queues_cannot_be_counted() -> None:
    """A broker that does not tell its queues is told with its reason."""
    (finding,) = findings(report=report(error="management API answered 401"))
    assert ("warn", "management API answered 401") == (finding.severity, finding.detail)


def test_failing_tasks() -> None:
    """A name of which many fail is told with its share, and leads to its failures."""
    (finding,) = findings(recent={"pay.charge": Cell({"SUCCESS": 88, "FAILURE": 12}), "a": Cell({"SUCCESS": 9})})
    assert ("warn", "12% of pay.charge failed in the last 5 minutes", "12 of 100 that ended.", "pay.charge") == (
        finding.severity,
        finding.text,
        finding.detail,
        finding.arguments["name"],
    )


@pytest.mark.parametrize(
    "states, severities",
    [
        ({"SUCCESS": 91, "FAILURE": 9}, []),
        ({"SUCCESS": 1, "FAILURE": 2}, []),
        ({"SUCCESS": 3, "FAILURE": 3}, ["bad"]),
        ({"RETRY": 50, "SUCCESS": 10}, []),
    ],
)
def test_how_many_failures_matter(states: dict[str, int], severities: list[str]) -> None:
    """A tenth of at least a few is worth a look, half of them is a problem, retries are neither."""
    assert severities == [finding.severity for finding in findings(recent={"t": Cell(states)})]


def test_worker_without_task_events() -> None:
    """A worker that works and tells nothing of it lacks -E."""
    mute = worker(active=2)
    mute.counts.clear()
    (finding,) = findings(workers=[mute])
    assert ("celery@w1 sends no task events", True) == (finding.text, "-E" in finding.detail)


def test_idle_worker_may_be_silent() -> None:
    """A worker that has nothing to do sends no task events, and that is no sign."""
    idle = worker(active=0, processed=0)
    idle.counts.clear()
    assert [] == findings(workers=[idle])


def test_worker_that_only_answers() -> None:
    """A worker that answers questions but was never heard sends nothing at all."""
    found = texts(facts={"celery@w1": TOLD, "celery@mute": {**TOLD, "timestamp": T0 - 10}})
    assert [("warn", "celery@mute sends no task events")] == found


def test_worker_that_answers_is_not_offline() -> None:
    """A worker that is not heard any more and answers is silent, not gone."""
    lost = worker("celery@w2", 99)
    found = texts(workers=[worker(), lost], facts={"celery@w1": TOLD, "celery@w2": TOLD})
    assert [("warn", "celery@w2 sends no task events")] == found


def test_losses() -> None:
    """Events that were dropped or not understood are told since when they are counted."""
    found = findings(totals={"dropped": 1204, "malformed": 1})
    assert [
        ("warn", "1,204 events were dropped", T0 - 3600),
        ("note", "1 event could not be understood", T0 - 3600),
    ] == [(finding.severity, finding.text, finding.since) for finding in found]


def test_store_that_fails() -> None:
    """Tasks that cannot be stored are a problem, with the reason."""
    (finding,) = findings(store_failing_since=T0 - 5, store_failure="disk is full")
    assert ("bad", T0 - 5, "disk is full") == (finding.severity, finding.since, finding.detail)


def test_export_that_fails() -> None:
    """Metrics that do not arrive are worth a look, with the reason; nothing of the cluster is wrong."""
    (finding,) = findings(export_failing_since=T0 - 5, export_failure="no answer")
    assert ("warn", T0 - 5, "no answer") == (finding.severity, finding.since, finding.detail)


def test_silence() -> None:
    """Connected and stale while workers should send: nothing is heard."""
    found = texts(condition={"kind": "stale", "since": T0 - 20, "reason": None}, last_event_at=T0 - 20)
    assert [("warn", "No event heard")] == found


def test_the_worst_comes_first() -> None:
    """Findings are ordered by severity, and the headline counts the worst."""
    health = judge(known(report=report(Queue("q", 1)), totals={"dropped": 1, "malformed": 1}))
    assert ("1 problem", ["bad", "warn", "note"]) == (health.text, [each.severity for each in health.findings])


@pytest.mark.parametrize("ago, told", [(60.0, ["interrupted"]), (7200.0, [])])
def test_killed_server_is_told_for_an_hour(ago: float, told: list[str]) -> None:
    """After a start that follows no orderly end the overview says since when and for how long nothing was heard."""
    found = findings(interrupted=(T0 - ago - 12.0, T0 - ago))
    assert told == [finding.slug for finding in found]
    assert [(T0 - ago - 12.0, True)] * len(told) == [(finding.since, "12 s" in finding.text) for finding in found]
