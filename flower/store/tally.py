"""What a number of task events were, for those who count them: metrics, statistics, workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from flower.store.merge import View

Kind = tuple[str, str, str]
"""(task name, event type, worker)."""
Run = tuple[str, str, float]
"""(worker, task name, seconds) of a run that ended."""
Wait = tuple[str, str, float, str]
"""(worker, task name, seconds, queue or nothing) of a wait that ended."""
Fault = tuple[str, str, Any]
"""(`task-failed` or `task-retried`, task name, the exception as the event tells it)."""


@dataclass(slots=True)
class Tally:
    """Every event, in the order of arrival, and what was measured with some of them."""

    events: list[Kind] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def note(self, kind: Kind, task: View, event: dict[str, Any], queues: Collection[str]) -> None:
        """Add an event that was merged into its task. Only the queues among `queues` are told."""
        self.events.append(kind)
        name, type_, worker = kind
        if type_ == "task-started":
            waited = waiting_seconds(task)
            if waited is not None:
                queue = task.get("queue") or ""
                self.waits.append((worker, name, waited, queue if queue in queues else ""))
        elif type_ == "task-succeeded" or type_ == "task-failed":
            runtime = task.get("runtime")
            if runtime is not None:
                self.runs.append((worker, name, runtime))
        if type_ == "task-failed" or type_ == "task-retried":
            self.faults.append((type_, name, event.get("exception")))

    def counts(self) -> Counter[Kind]:
        """How many events there are of each kind."""
        return Counter(self.events)


def waiting_seconds(task: View) -> float | None:
    """How long a task that starts now had waited since it was sent, or received where that is unknown.

    None for one that had to wait until its ETA, and where the beginning is unknown.
    """
    began = task.get("sent") or task.get("received")
    if began is None or task.get("eta"):
        return None
    return max(0.0, float(task["started"] - began))


class Observer(Protocol):
    """Who wants to hear of every task event, in any thread."""

    def observe(self, tally: Tally, counts: Counter[Kind]) -> None: ...
