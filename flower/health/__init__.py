"""Whether the cluster is well, in words: what is wrong, since when, and where something can be done about it.

Pure functions of what is known; nothing is asked of anybody here. What is not known is said, and keeps
say("health.well") from being said.
"""

from __future__ import annotations

from flower.health.known import SEVERITIES, Finding, Health, Known, ended, names_of
from flower.health.rules import RULES
from flower.store.rollup_rows import Cell
from flower.utils.texts import say

__all__ = ("Finding", "Health", "Known", "judge")


def judge(known: Known) -> Health:
    """The health of the cluster, the worst first."""
    found = [finding for rule in RULES for finding in rule(known)]
    found.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    worst = found[0].severity if found else "note"
    number = sum(finding.severity == worst for finding in found)
    if worst == "bad":
        return Health("bad", say("health.bad", count=number), "", found)
    if worst == "warn":
        return Health("warn", say("health.warn", count=number), "", found)
    missing = _missing(known)
    if missing:
        return Health("unknown", say("health.unknown") if known.online else say("health.silent"), missing, found)
    return Health("well", say("health.well"), _grounds(known), found)


def _missing(known: Known) -> str:
    """What would have to be known before all can be called well."""
    if known.condition["kind"] != "live":
        return say("health.missing.event")
    if known.young and any(not worker.status(known.now) for worker in known.workers):
        return say("health.missing.answers")
    if not known.online:
        return say("health.missing.workers")
    if known.report is None:
        return say("health.missing.queues")
    if known.untold:
        return say("health.missing.consumers", names=names_of(known.untold))
    return ""


def _grounds(known: Known) -> str:
    """Why all is called well."""
    total = Cell()
    for cell in known.recent.values():
        total.add(cell)
    failed, number = total.states.get("FAILURE", 0), ended(total)
    share = f"{failed / number:.1%}" if failed else say("health.grounds.none")
    tasks = say("health.grounds.failed", share=share, count=number) if number else say("health.grounds.idle")
    return say("health.grounds", count=len(known.online), tasks=tasks)
