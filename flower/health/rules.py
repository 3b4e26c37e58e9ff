"""What may be wrong with a cluster: one rule for each part of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flower.health.known import NAMED, Finding, Known, Severity, ended, many, names_of
from flower.queues import Queue
from flower.worker import Worker

FAILING_SHARE = 0.10
FAILING_MANY = 0.50
FAILING_LEAST = 3
"""So many failures of a name at least: one of two is no trend."""
SILENT_SECONDS = 30.0
"""A worker that works for so long and tells nothing of it sends no task events."""
ANSWER_SECONDS = 90.0
"""An answer younger than this shows that a worker lives."""


def _connection(known: Known) -> Iterable[Finding]:
    kind, since = known.condition["kind"], known.condition.get("since")
    if kind == "unreachable":
        reason = known.condition.get("reason") or ""
        yield Finding(
            "broker",
            "bad",
            "Broker unreachable",
            since,
            f"What you see is what was known then. {reason}".strip(),
            "Queues",
            ("broker",),
        )
    elif kind == "connecting":
        yield Finding(
            "broker",
            "warn",
            "Connecting to the broker",
            since,
            "Nothing new is heard until it answers.",
            "Queues",
            ("broker",),
        )
    elif kind == "stale" and (known.online or not known.workers):
        yield Finding(
            "silence",
            "warn",
            "No event heard",
            known.last_event_at,
            "The broker is there, but no worker sends anything, not even a heartbeat.",
            "Workers",
            ("workers",),
        )


def _store(known: Known) -> Iterable[Finding]:
    if known.store_failing_since is not None:
        yield Finding(
            "store", "bad", "Tasks are not being stored", known.store_failing_since, known.store_failure or ""
        )


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
        yield _absence(
            "lost", severity, lost, "offline", "They stopped sending without a goodbye: killed, crashed or cut off."
        )
    if left:
        severity = "note" if known.online or lost else "bad"
        yield _absence("left", severity, left, "shut down", "They said goodbye.")


def _absence(slug: str, severity: Severity, workers: list[Worker], what: str, why: str) -> Finding:
    names = [worker.hostname for worker in sorted(workers, key=lambda worker: worker.last_seen)]
    since = min((worker.last_seen for worker in workers if worker.last_seen), default=None)
    one = len(workers) == 1
    text = f"{names[0]} {what}" if one else f"{len(workers)} workers {what}"
    detail = why.replace("They", "It", 1) if one else f"{names_of(names)}. {why}"
    where = ("worker", names[0]) if one else ("workers",)
    return Finding(
        slug, severity, text, since, detail, "Worker" if one else "Workers", where, {} if one else {"q": "offline"}
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
        f"{mute[0]} sends no task events" if one else f"{len(mute)} workers send no task events",
        None,
        ("" if one else f"{names_of(mute)}. ")
        + "What they run is not seen: start them with -E, or leave --enable_events on.",
        "Worker" if one else "Workers",
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
        yield Finding("queues", "warn", "The queues cannot be counted", None, report.error, "Queues", ("broker",))
        return
    lonely = sorted((queue for queue in report.queues if _lonely(queue)), key=lambda queue: -(queue.messages or 0))
    sure = not known.untold
    for queue in lonely[:NAMED]:
        messages = many(queue.messages or 0, "message", "messages")
        yield Finding(
            f"queue-{queue.name}",
            "bad" if sure else "warn",
            f"Queue {queue.name} has {messages} and no {'' if sure else 'known '}consumer",
            None,
            "Nobody will run them until a worker consumes it."
            if sure
            else f"{names_of(known.untold)} did not tell what they consume.",
            "Queues",
            ("broker",),
        )
    if lonely[NAMED:]:
        text = f"{many(len(lonely) - NAMED, 'more queue has', 'more queues have')} messages and no consumer"
        yield Finding("queue-more", "bad" if sure else "warn", text, None, "", "Queues", ("broker",))


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
            f"{share:.0%} of {name} failed in the last 5 minutes",
            None,
            f"{failed:,} of {number:,} that ended.",
            "Failed tasks",
            ("tasks",),
            {"name": name, "state": "FAILURE", "search": "failed:-6m"},
        )
    if failing[NAMED:]:
        text = f"{many(len(failing) - NAMED, 'more task name fails', 'more task names fail')} often"
        yield Finding(
            "failing-more",
            "warn",
            text,
            None,
            "",
            "Failed tasks",
            ("tasks",),
            {"state": "FAILURE", "search": "failed:-6m"},
        )


def _losses(known: Known) -> Iterable[Finding]:
    if known.totals.get("dropped"):
        yield Finding(
            "dropped",
            "warn",
            f"{many(known.totals['dropped'], 'event was', 'events were')} dropped",
            known.started_at,
            "They came faster than they could be stored: numbers and states may be behind.",
        )
    if known.totals.get("malformed"):
        yield Finding(
            "malformed",
            "note",
            f"{many(known.totals['malformed'], 'event', 'events')} could not be understood",
            known.started_at,
            "They were left out. The server's log shows the first of them.",
        )


RULES: tuple[Callable[[Known], Iterable[Finding]], ...] = (
    _connection,
    _store,
    _workers,
    _silent,
    _queues,
    _failures,
    _losses,
)
"""A new rule is one entry here."""
