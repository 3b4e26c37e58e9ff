"""All operations. A new one is an entry of its module, and a module is a line here."""

from __future__ import annotations

from flower.control import execution, limits, purge, results, retry, revoke, workers
from flower.control.operation import Operation

OPERATIONS: tuple[Operation, ...] = (
    *workers.OPERATIONS,
    *execution.OPERATIONS,
    *results.OPERATIONS,
    *revoke.OPERATIONS,
    *limits.OPERATIONS,
    *retry.OPERATIONS,
    *purge.OPERATIONS,
)

BY_NAME: dict[str, Operation] = {operation.name: operation for operation in OPERATIONS}
