"""Whether the cluster is well, in words: what is wrong, since when, and where something can be done about it.

Pure functions of what is known; nothing is asked of anybody here. What is not known is said, and keeps
"All is well" from being said.
"""

from __future__ import annotations

from flower.health.known import SEVERITIES, Finding, Health, Known, ended, many, names_of
from flower.health.rules import RULES
from flower.store.rollup_rows import Cell

__all__ = ("Finding", "Health", "Known", "judge")


def judge(known: Known) -> Health:
    """The health of the cluster, the worst first."""
    found = [finding for rule in RULES for finding in rule(known)]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    worst = found[0].severity if found else "note"
    number = sum(finding.severity == worst for finding in found)
    if worst == "bad":
        return Health("bad", many(number, "problem", "problems"), "", found)
    if worst == "warn":
        return Health("warn", many(number, "thing", "things") + " to look at", "", found)
    missing = _missing(known)
    if missing:
        return Health("unknown", "Not known yet" if known.online else "Nothing heard yet", missing, found)
    return Health("well", "All is well", _grounds(known), found)


def _missing(known: Known) -> str:
    """What would have to be known before all can be called well."""
    if known.condition["kind"] != "live":
        return "No event has come yet: they come as soon as a worker runs."
    if known.young and any(not worker.status(known.now) for worker in known.workers):
        return "The broker was reached just now: workers that are known from before are being asked."
    if not known.online:
        return "No worker was heard of."
    if known.report is None:
        return "The queues are being counted."
    if known.untold:
        return f"{names_of(known.untold)} did not tell yet which queues they consume."
    return ""


def _grounds(known: Known) -> str:
    """Why all is called well."""
    total = Cell()
    for cell in known.recent.values():
        total.add(cell)
    failed, number = total.states.get("FAILURE", 0), ended(total)
    share = f"{failed / number:.1%}" if failed else "none"
    tasks = f"{share} of {many(number, 'task', 'tasks')} failed" if number else "no task ended"
    workers = many(len(known.online), "worker", "workers")
    return f"{workers} online, no queue waits without a consumer, {tasks} in the last 5 minutes."
