"""What health is judged by, and what it is told in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flower.queues import QueueReport
from flower.store.rollup_rows import Cell
from flower.utils.texts import say
from flower.worker import Worker

Severity = Literal["bad", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("bad", "warn", "note")

NAMED = 3
"""Entries of one kind that are named; the others are counted."""
YOUNG_SECONDS = 10.0
"""Within which workers answer the call for a heartbeat that a new connection begins with."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    `since` belongs to the text. `where` are the segments of a page's address, `arguments` its arguments, and
    `label` says what can be done there.
    """

    slug: str
    severity: Severity
    text: str
    since: float | None = None
    detail: str = ""
    label: str = ""
    where: tuple[str, ...] = ()
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """`kind` is bad, warn, well or unknown, `text` its headline, `detail` what it rests on."""

    kind: Literal["bad", "warn", "well", "unknown"]
    text: str
    detail: str
    findings: list[Finding]


@dataclass(frozen=True, slots=True)
class Known:
    """What health is judged by. Times are seconds since the epoch.

    `condition` is that of `flower.live`, `facts` what workers told when asked, `report` None while the queues
    were not counted, `recent` what each task name did in the last five minutes.
    """

    now: float
    started_at: float
    condition: Mapping[str, Any]
    workers: Sequence[Worker]
    facts: Mapping[str, Mapping[str, Any]]
    report: QueueReport | None
    recent: Mapping[str, Cell]
    totals: Mapping[str, int]
    last_event_at: float | None = None
    store_failing_since: float | None = None
    store_failure: str | None = None
    interrupted: tuple[float, float] | None = None
    export_failing_since: float | None = None
    export_failure: str | None = None

    @property
    def online(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.status(self.now)]

    @property
    def untold(self) -> list[str]:
        """Workers that are online and have not told what they consume."""
        return [
            worker.hostname
            for worker in self.online
            if self.facts.get(worker.hostname, {}).get("active_queues") is None
        ]

    @property
    def young(self) -> bool:
        """Whether the connection is too new for silence to mean anything."""
        return self.now - max(self.started_at, self.condition.get("since") or 0.0) < YOUNG_SECONDS

    @property
    def connected(self) -> bool:
        return self.condition["kind"] not in ("unreachable", "connecting")


def ended(cell: Cell) -> int:
    return cell.states.get("SUCCESS", 0) + cell.states.get("FAILURE", 0)


def names_of(names: Sequence[str]) -> str:
    """The first names, and how many there are besides."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else say("health.names", names=shown, number=len(names) - NAMED)
