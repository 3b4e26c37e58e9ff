"""The shapes of answers, as JSON Schema."""

from __future__ import annotations

from typing import Any

from flower.audit import OUTCOMES
from flower.openapi.route import Schema
from flower.standing import KINDS as KINDS_OF_STANDING
from flower.store import COLUMNS
from flower.utils import shapes

KINDS = {"text": "string", "time": "number", "seconds": "number", "integer": "integer"}
NUMBER: Schema = {"type": "number"}
TEXT: Schema = {"type": "string"}
BOOL: Schema = {"type": "boolean"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANY: Schema = {}


def ref(name: str) -> Schema:
    """A reference to the schema of that name."""
    return {"$ref": f"#/components/schemas/{name}"}


def null(schema: Schema, help: str = "") -> Schema:
    """The schema, or null."""
    kind = schema["type"]
    told = {"description": help} if help else {}
    return {**schema, "type": [*([kind] if isinstance(kind, str) else kind), "null"], **told}


def mapping(values: Schema, help: str = "") -> Schema:
    """An object with any names."""
    return {"type": "object", "additionalProperties": values, **({"description": help} if help else {})}


def record(optional: tuple[str, ...] = (), /, **members: Schema) -> Schema:
    """An object with these members; a `_` in a name stands for itself."""
    return {"type": "object", "properties": members, "required": [name for name in members if name not in optional]}


def listing(items: str) -> Schema:
    return {"type": "array", "items": ref(items)}


def with_id(schema: Schema) -> Schema:
    """The object with a `task-id`, which is no name in Python."""
    properties = {"task-id": TEXT, **schema["properties"]}
    return {**schema, "properties": properties, "required": ["task-id", *schema["required"]]}


def _task() -> Schema:
    columns = {column.name: column for column in COLUMNS}
    names = ("uuid", "name", "state", "worker", "timestamp", *shapes.TIMES, "runtime", *shapes.PLAIN, *shapes.ORIGIN)
    members: dict[str, Schema] = {
        name: null({"type": KINDS[columns[name].kind]}, columns[name].help) for name in dict.fromkeys(names)
    }
    members["uuid"] = {**TEXT, "description": columns["uuid"].help}
    members["hostname"] = null(TEXT, "The worker, under another name")
    for name in shapes.VALUES:
        members[name] = {"description": f"{columns[name].label}: the value, or a text where it was cut or is no JSON"}
    return record(**members)


def _task_info() -> Schema:
    worker = record(hostname=TEXT, pid=null(WHOLE), sw_ident=null(TEXT), sw_ver=null(TEXT), sw_sys=null(TEXT))
    attempt = record(time=ANY, moment=ANY, worker=ANY, exception=ANY)
    task = _task()
    more: dict[str, Schema] = {
        "worker": null(worker),
        "children": {**TEXTS, "description": "Ids of the tasks that it sent"},
        "attempts": {"type": "array", "items": attempt, "description": "What later attempts superseded"},
        "extra": mapping(ANY, "Fields of custom events"),
    }
    return {**task, "properties": {**task["properties"], **more}, "required": [*task["required"], *list(more)[1:]]}


def _worker() -> Schema:
    freshness = record(age_seconds=null(NUMBER), error=null(TEXT))
    loss = record(since=NUMBER, until=NUMBER, events=COUNT)
    return record(
        status={"enum": ["online", "offline"]},
        active=null(COUNT, "Running tasks"),
        processed=null(COUNT, "Tasks taken since its start"),
        load=null({"type": "array", "items": NUMBER}, "Load averages"),
        heartbeats={"type": "array", "items": NUMBER, "description": "When the last four arrived"},
        pid=null(WHOLE),
        sw_ident=null(TEXT),
        sw_ver=null(TEXT),
        sw_sys=null(TEXT),
        stats=null({"type": "object"}),
        active_queues=null({"type": "array", "items": {"type": "object"}}),
        registered=null(TEXTS),
        conf=null({"type": "object"}),
        scheduled=null({"type": "array"}),
        reserved=null({"type": "array"}),
        revoked=null({"type": "array"}),
        timestamp=null(NUMBER, "When it was last asked"),
        active_tasks=null({"type": "array"}),
        lost_events={**COUNT, "description": "How many of its events are known to be lost, at least"},
        losses={"type": "array", "items": loss, "description": "When that was, the last ten times"},
        freshness=freshness,
    )


def _stats() -> dict[str, Schema]:
    durations = record(count=COUNT, **dict.fromkeys(("mean", "p50", "p95", "p99"), null(NUMBER)))
    cell = record(
        states=mapping(COUNT, "How often a task entered each state"),
        rates=mapping(NUMBER, "The same, a second"),
        failure_share=null(NUMBER),
        runtime=ref("Durations"),
        waiting=ref("Durations"),
    )
    stats = record(
        **{"from": NUMBER},
        to=NUMBER,
        since=null(NUMBER, "When counting began"),
        by={"enum": ["name", "worker", "state"]},
        step=null(WHOLE),
        total=ref("Figures"),
        groups={"type": "array", "items": {"type": "object"}, "description": "Figures with their name or worker"},
        series=null({"type": "array", "items": {"type": "object"}}, "Figures with `at`, the start of the step"),
        interrupted=null(
            record(**{"from": NUMBER}, to=NUMBER),
            "When nothing was heard, as a server was killed and this one had not begun; null outside of the span",
        ),
    )
    return {"Durations": durations, "Figures": cell, "Stats": stats}


def _cluster() -> Schema:
    return record(
        name=TEXT,
        path={**TEXT, "description": "What goes before the paths of this API for this cluster"},
        state={"enum": list(KINDS_OF_STANDING), "description": "What is most wrong with it, else `well`"},
        since=null(NUMBER, "When that began"),
        reason=null(TEXT),
        workers=COUNT,
        online=COUNT,
        running={**COUNT, "description": "Tasks that its workers run"},
    )


def _depths() -> dict[str, Schema]:
    numbers: Schema = {"type": "array", "items": null(COUNT)}
    depths = record(
        queue=TEXT,
        ready={**numbers, "description": "Most messages that waited in each step; null where nothing is known"},
        unacked={**numbers, "description": "Most messages that workers held"},
        consumers={**numbers, "description": "Fewest consumers"},
    )
    starts: Schema = {"type": "array", "items": WHOLE, "description": "The beginnings of the steps"}
    history = record(**{"from": NUMBER}, to=NUMBER, step=WHOLE, at=starts, queues=listing("QueueDepths"))
    return {"QueueDepths": depths, "QueueHistory": history}


def _reading() -> dict[str, Schema]:
    page = {"total": COUNT, "offset": COUNT, "limit": COUNT}
    entry = record(
        at=NUMBER,
        who=TEXT,
        address=TEXT,
        operation=TEXT,
        target=null(TEXT),
        arguments={"type": "object"},
        outcome={"enum": list(OUTCOMES)},
        status=WHOLE,
        message=TEXT,
        seconds=NUMBER,
    )
    types = record(**{"task-types": TEXTS})
    either = {"oneOf": [ref("Worker"), {"type": "boolean", "description": "With `status`: whether it is alive"}]}
    return {
        "Task": _task(),
        "TaskInfo": _task_info(),
        "TaskPage": record(tasks=listing("Task"), **page),
        "TaskTypes": types,
        "Worker": _worker(),
        "Workers": mapping(either, "By name"),
        "Cluster": _cluster(),
        "Clusters": record(clusters=listing("Cluster")),
        "QueueLengths": mapping(null(COUNT), "Messages that wait, by queue; null where the broker does not tell"),
        **_depths(),
        "AuditEntry": entry,
        "AuditPage": record(audit=listing("AuditEntry"), **page),
        **_stats(),
    }


def _answers() -> dict[str, Schema]:
    told: dict[str, Any] = {
        "workers": mapping(TEXT, "Who did it, and what they said"),
        "refused": mapping(TEXT, "Who refused, and why"),
        "silent": {**TEXTS, "description": "Who did not reply"},
    }
    counts = {"revoked": COUNT, "known": COUNT, "unknown": COUNT, "finished": COUNT}
    result = record(
        state=TEXT,
        result=ANY,
        traceback={"description": "Of a failure"},
        success=null(BOOL, "null until it has ended"),
        date_done=null(TEXT),
        known={**BOOL, "description": "Whether anybody has seen the id"},
        stored={**BOOL, "description": "Whether the result backend has a record"},
        expired={**BOOL, "description": "Whether the backend has dropped the record"},
    )
    purged = record(message=TEXT, queue=TEXT, purged=COUNT)
    retried = record(message=TEXT, retry_of=TEXT, name=TEXT)
    return {
        "WorkerTold": record(message=TEXT, worker=TEXT, reply=TEXT),
        "WorkerEnded": record(message=TEXT, worker=TEXT, confirmed_by={"enum": ["goodbye", "silence"]}),
        "WorkerQueue": record(message=TEXT, worker=TEXT, queue=TEXT),
        "TaskSent": with_id(record(state=TEXT)),
        "TaskResult": with_id(result),
        "TaskAborted": with_id(record(message=TEXT, state=TEXT, known=BOOL, abortable=null(BOOL))),
        "TaskRevoked": with_id(record(message=TEXT, state=null(TEXT), **counts, **told)),
        "TasksRevoked": record(message=TEXT, **counts, **told),
        "TimeLimits": record(message=TEXT, task=TEXT, soft=null(NUMBER), hard=null(NUMBER), **told),
        "RateLimit": record(message=TEXT, task=TEXT, **told),
        "TaskRetried": with_id(retried),
        "QueuePurged": purged,
    }


def _error() -> Schema:
    members = {
        "error": {**TEXT, "description": "What is wrong, in words"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "argument": {**TEXT, "description": "The argument at fault"},
        "position": {**WHOLE, "description": "Where the mistake in a search is"},
        "confirm": {**TEXT, "description": "With 409: the token with which the same request does it"},
        "count": {**COUNT, "description": "With 409: how many tasks or messages it would destroy"},
    }
    return {"type": "object", "properties": members, "required": ["error", "status"]}


def schemas() -> dict[str, Schema]:
    """Every shape by name."""
    return {"Error": _error(), **_reading(), **_answers()}


ANSWERS: dict[str, str] = {
    "worker.shutdown": "WorkerEnded",
    "worker.pool.restart": "WorkerTold",
    "worker.pool.grow": "WorkerTold",
    "worker.pool.shrink": "WorkerTold",
    "worker.pool.autoscale": "WorkerTold",
    "worker.queue.add-consumer": "WorkerQueue",
    "worker.queue.cancel-consumer": "WorkerQueue",
    "task.apply": "TaskResult",
    "task.async-apply": "TaskSent",
    "task.send-task": "TaskSent",
    "task.result": "TaskResult",
    "task.abort": "TaskAborted",
    "task.revoke": "TaskRevoked",
    "task.revoke-many": "TasksRevoked",
    "task.timeout": "TimeLimits",
    "task.rate-limit": "RateLimit",
    "task.retry": "TaskRetried",
    "queue.purge": "QueuePurged",
}
"""Operation -> the shape of its answer."""
