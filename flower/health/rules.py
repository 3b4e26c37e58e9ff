"""What may be wrong with a cluster: one rule for each part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flower.health.known import NAMED, Finding, Known, Severity, ended, names_of
from flower.queues import Queue
from flower.utils.template import format_age
from flower.utils.texts import say
from flower.worker import Worker

FAILING_SHARE = 0.10
FAILING_MANY = 0.50
FAILING_LEAST = 3
"""So many failures of a name at least: one of two is no trend."""
SILENT_SECONDS = 30.0
"""A worker that works for so long and tells nothing of it sends no task events."""
MISSED_SECONDS = 3600.0
"""How long lost events are told at first glance; the worker's page tells of them for longer."""
ANSWER_SECONDS = 90.0
"""An answer younger than this shows that a worker lives."""


def _connection(known: Known) -> Iterable[Finding]:
    kind, since = known.condition["kind"], known.condition.get("since")
    if kind == "unreachable":
        reason = known.condition.get("reason") or ""
        yield Finding(
            "broker",
            "bad",
            say("health.unreachable"),
            since,
            say("health.unreachable.detail", reason=reason).strip(),
            say("health.way.queues"),
            ("broker",),
        )
    elif kind == "connecting":
        yield Finding(
            "broker",
            "warn",
            say("health.connecting"),
            since,
            say("health.connecting.detail"),
            say("health.way.queues"),
            ("broker",),
        )
    elif kind == "stale" and (known.online or not known.workers):
        yield Finding(
            "silence",
            "warn",
            say("health.no_event"),
            known.last_event_at,
            say("health.no_event.detail"),
            say("health.way.workers"),
            ("workers",),
        )


def _store(known: Known) -> Iterable[Finding]:
    if known.store_failing_since is not None:
        yield Finding("store", "bad", say("health.not_stored"), known.store_failing_since, known.store_failure or "")


def _workers(known: Known) -> Iterable[Finding]:
    answering = set(_answering(known))
    gone = [each for each in known.workers if not each.status(known.now) and each.hostname not in answering]
    # Without a connection nothing is known of them, and at first they are only remembered.
    if not gone or not known.connected or known.young:
        return
    lost = [worker for worker in gone if not worker.offline]
    left = [worker for worker in gone if worker.offline]
    if lost:
        severity: Severity = "warn" if known.online else "bad"
        yield _absence("lost", severity, lost)
    if left:
        severity = "note" if known.online or lost else "bad"
        yield _absence("left", severity, left)


def _absence(slug: str, severity: Severity, workers: list[Worker]) -> Finding:
    names = [worker.hostname for worker in sorted(workers, key=lambda worker: worker.last_seen)]
    since = min((worker.last_seen for worker in workers if worker.last_seen), default=None)
    one = len(workers) == 1
    text = say(f"health.absent.{slug}", count=len(workers), name=names[0])
    detail = say(f"health.absent.{slug}.detail", count=len(workers), names=names_of(names))
    where = ("worker", names[0]) if one else ("workers",)
    return Finding(
        slug,
        severity,
        text,
        since,
        detail,
        say("health.way.worker" if one else "health.way.workers"),
        where,
        {} if one else {"q": "offline"},
    )


def _silent(known: Known) -> Iterable[Finding]:
    """Workers that live and do not tell what they do."""
    if not known.connected:
        return
    mute = [worker.hostname for worker in known.online if _works_unheard(worker, known)] + _answering(known)
    if not mute:
        return
    one = len(mute) == 1
    yield Finding(
        "mute",
        "warn",
        say("health.mute", count=len(mute), name=mute[0]),
        None,
        say("health.mute.detail", count=len(mute), names=names_of(mute)),
        say("health.way.worker" if one else "health.way.workers"),
        ("worker", mute[0]) if one else ("workers",),
    )


def _answering(known: Known) -> list[str]:
    """Workers that answered lately and are not heard."""
    if known.now - known.started_at < SILENT_SECONDS:
        return []
    heard = {worker.hostname: worker for worker in known.workers}
    found = []
    for name, facts in known.facts.items():
        worker, at = heard.get(name), facts.get("timestamp") or 0.0
        unheard = worker is None or (not worker.status(known.now) and worker.last_seen + SILENT_SECONDS < at)
        if unheard and known.now - at < ANSWER_SECONDS:
            found.append(name)
    return found


def _works_unheard(worker: Worker, known: Known) -> bool:
    told = any(type_.startswith("task-") for type_ in worker.counts)
    # What it did before we listened is no sign.
    works = bool(worker.active) or (bool(worker.processed) and worker.booted is not None)
    heard_for = known.now - max(worker.online_since or known.now, known.started_at)
    return works and not told and heard_for > SILENT_SECONDS


def _queues(known: Known) -> Iterable[Finding]:
    report = known.report
    if report is None or not known.connected:
        return
    if report.error:
        yield Finding(
            "queues", "warn", say("health.uncounted"), None, report.error, say("health.way.queues"), ("broker",)
        )
        return
    lonely = sorted((queue for queue in report.queues if _lonely(queue)), key=lambda queue: -(queue.messages or 0))
    sure = not known.untold
    for queue in lonely[:NAMED]:
        yield Finding(
            f"queue-{queue.name}",
            "bad" if sure else "warn",
            say("health.lonely" if sure else "health.lonely.perhaps", count=queue.messages or 0, queue=queue.name),
            None,
            say("health.lonely.detail") if sure else say("health.lonely.untold", names=names_of(known.untold)),
            say("health.way.queues"),
            ("broker",),
        )
    if lonely[NAMED:]:
        text = say("health.lonely.more", count=len(lonely) - NAMED)
        yield Finding("queue-more", "bad" if sure else "warn", text, None, "", say("health.way.queues"), ("broker",))


def _lonely(queue: Queue) -> bool:
    return bool(queue.messages) and not queue.consumers and not queue.connections


def _failures(known: Known) -> Iterable[Finding]:
    # Tasks without a name are those whose beginning was not heard.
    shares = [(cell.states.get("FAILURE", 0), ended(cell), name) for name, cell in known.recent.items() if name]
    failing = [each for each in shares if each[0] >= FAILING_LEAST and each[0] / each[1] >= FAILING_SHARE]
    failing.sort(key=lambda each: (-each[0] / each[1], -each[0]))
    for failed, number, name in failing[:NAMED]:
        share = failed / number
        yield Finding(
            f"failing-{name}",
            "bad" if share >= FAILING_MANY else "warn",
            say("health.failing", share=f"{share:.0%}", name=name),
            None,
            say("health.failing.detail", failed=failed, ended=number),
            say("health.way.failed"),
            ("tasks",),
            {"name": name, "state": "FAILURE", "search": "failed:-6m"},
        )
    if failing[NAMED:]:
        text = say("health.failing.more", count=len(failing) - NAMED)
        yield Finding(
            "failing-more",
            "warn",
            text,
            None,
            "",
            say("health.way.failed"),
            ("tasks",),
            {"state": "FAILURE", "search": "failed:-6m"},
        )


def _export(known: Known) -> Iterable[Finding]:
    if known.export_failing_since is not None:
        yield Finding(
            "export", "warn", say("health.not_exported"), known.export_failing_since, known.export_failure or ""
        )


def _interrupted(known: Known) -> Iterable[Finding]:
    """What happened while no server ran that should have."""
    if known.interrupted is not None and known.now - known.interrupted[1] < MISSED_SECONDS:
        since, until = known.interrupted
        yield Finding(
            "interrupted",
            "warn",
            say("health.interrupted", span=format_age(until - since)),
            since,
            say("health.interrupted.detail"),
        )


def _missed(known: Known) -> Iterable[Finding]:
    """Events that workers sent of late and nobody heard."""
    late = [
        (worker, loss) for worker in known.workers for loss in worker.losses if known.now - loss[1] < MISSED_SECONDS
    ]
    if not late:
        return
    names = sorted({worker.hostname for worker, _ in late})
    one = len(names) == 1
    since, until = min(loss[0] for _, loss in late), max(loss[1] for _, loss in late)
    of = names[0] if one else say("health.missed.workers", number=len(names))
    yield Finding(
        "missed",
        "warn",
        say("health.missed", count=sum(loss[2] for _, loss in late), of=of),
        since,
        say("health.missed.detail", names=names_of(names), span=format_age(until - since)),
        say("health.way.worker" if one else "health.way.workers"),
        ("worker", names[0]) if one else ("workers",),
    )


def _losses(known: Known) -> Iterable[Finding]:
    if known.totals.get("dropped"):
        yield Finding(
            "dropped",
            "warn",
            say("health.dropped", count=known.totals["dropped"]),
            known.started_at,
            say("health.dropped.detail"),
        )
    if known.totals.get("malformed"):
        yield Finding(
            "malformed",
            "note",
            say("health.malformed", count=known.totals["malformed"]),
            known.started_at,
            say("health.malformed.detail"),
        )


RULES: tuple[Callable[[Known], Iterable[Finding]], ...] = (
    _connection,
    _store,
    _workers,
    _silent,
    _queues,
    _failures,
    _export,
    _interrupted,
    _missed,
    _losses,
)
"""A new rule is one entry here."""
