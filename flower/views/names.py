"""Task names and what their tasks did, as the overview lists them."""

from __future__ import annotations

from dataclasses import dataclass

from flower.store.rollup_rows import Cell
from flower.store.sketch import mean, percentile, size
from flower.utils.texts import say
from flower.views.charts import sparkline
from flower.views.trends import Reading

ORDERS: dict[str, str] = {
    "ended": say("overview.order.ended"),
    "p95": say("overview.order.p95"),
    "failed": say("overview.order.failed"),
    "total": say("overview.order.total"),
}


@dataclass(frozen=True, slots=True)
class NameRow:
    """What the tasks of one name did; durations in seconds."""

    name: str
    ended: int
    failed: int
    retried: int
    p50: float | None
    p95: float | None
    waited: float | None
    total: float
    """The sum of all run times, within the accuracy of a sketch."""
    ended_spark: str
    failed_spark: str

    @property
    def share(self) -> float | None:
        """Share of the ended ones that failed."""
        return self.failed / self.ended if self.ended else None


def name_rows(reading: Reading, order: str, most: int) -> list[NameRow]:
    """The names that lead in an order."""
    ordered = sorted(reading.stats.groups.items(), key=lambda item: (-_weight(item[1], order), item[0]))
    return [_name_row(reading, name, cell) for name, cell in ordered[:most]]


def _weight(cell: Cell, order: str) -> float:
    failed = cell.states.get("FAILURE", 0)
    if order == "p95":
        return percentile(cell.runtime, 0.95) or 0.0
    if order == "total":
        return _total(cell)
    return failed if order == "failed" else failed + cell.states.get("SUCCESS", 0)


def _total(cell: Cell) -> float:
    return (mean(cell.runtime) or 0.0) * size(cell.runtime)


def _name_row(reading: Reading, name: str, cell: Cell) -> NameRow:
    failed, ended = cell.states.get("FAILURE", 0), cell.states.get("FAILURE", 0) + cell.states.get("SUCCESS", 0)
    line = reading.stats.lines.get(name, {})
    counts = [line.get(at, {}) for at in reading.stats.series]
    return NameRow(
        name=name,
        ended=ended,
        failed=failed,
        retried=cell.states.get("RETRY", 0),
        p50=percentile(cell.runtime, 0.5),
        p95=percentile(cell.runtime, 0.95),
        waited=percentile(cell.waiting, 0.95),
        total=_total(cell),
        ended_spark=sparkline([each.get("SUCCESS", 0) + each.get("FAILURE", 0) for each in counts]),
        failed_spark=sparkline([each.get("FAILURE", 0) for each in counts], tone="bad", kind="bars") if failed else "",
    )
