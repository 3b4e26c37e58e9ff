"""The operations of the table as OpenAPI describes them."""

from __future__ import annotations

from typing import Any

from flower.access import LOWEST_ROLE, VIEW
from flower.control import OPERATIONS, Argument, Operation
from flower.control.options import FIRST_YEAR, LAST_YEAR, LONGEST_SECONDS
from flower.openapi.route import BOOL, JSON, TEXT, Parameter, Schema, whole
from flower.openapi.schemas import ANSWERS

TARGETS: dict[str, tuple[str, str, str]] = {
    "worker": ("workername", "Name of the worker", "celery@worker1"),
    "task": ("uuid", "Id of the task", "fbbe3520-881f-4db4-a978-551dac435525"),
    "taskname": ("taskname", "Name of the task", "tasks.add"),
    "queue": ("queue", "Name of the queue", "celery"),
}
"""Target -> its name in the path, what it is, an example."""

TAGS = {"worker": "Worker commands", "task": "Task commands", "queue": "Queue commands"}

ERRORS: dict[str, tuple[int, ...]] = {
    "worker": (400, 404, 409, 503, 504),
    "task.apply": (400, 404, 503),
    "task.async-apply": (400, 404, 503),
    "task.send-task": (400, 503),
    "task.result": (400, 503),
    "task.abort": (400, 404, 409, 503),
    "task.revoke": (400, 503, 504),
    "task.revoke-many": (400, 409, 503, 504),
    "task.timeout": (400, 404, 409, 503, 504),
    "task.rate-limit": (400, 404, 409, 503, 504),
    "task.retry": (400, 404, 409, 503),
    "queue.purge": (400, 404, 409, 503),
}
"""Operation, or its target -> statuses beside those of the gate."""

EXAMPLES: dict[str, dict[str, Any]] = {
    "worker.pool.grow": {"n": 2},
    "worker.pool.shrink": {"n": 1},
    "worker.pool.autoscale": {"min": 1, "max": 5},
    "worker.queue.add-consumer": {"queue": "sample"},
    "worker.queue.cancel-consumer": {"queue": "sample"},
    "task.apply": {"args": [1, 2], "timeout": 10},
    "task.async-apply": {"args": [1, 2], "countdown": 30},
    "task.send-task": {"args": [1, 2], "queue": "celery"},
    "task.result": {"timeout": 10},
    "task.revoke": {"terminate": True, "signal": "SIGKILL"},
    "task.revoke-many": {"ids": ["fbbe3520-881f-4db4-a978-551dac435525"]},
    "task.timeout": {"soft": 30, "hard": 60},
    "task.rate-limit": {"ratelimit": "10/m"},
    "task.retry": {"force": True},
}
"""Operation -> the arguments of its example."""

NAME: Schema = {"type": "string", "minLength": 1, "maxLength": 255}
SECONDS: Schema = {"type": "number", "minimum": -LONGEST_SECONDS, "maximum": LONGEST_SECONDS}
POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0, "maximum": LONGEST_SECONDS}
MOMENT: Schema = {
    "type": "string",
    "description": f"ISO 8601, {FIRST_YEAR} to {LAST_YEAR}; without a zone in that of the application",
}
SIGNATURES: Schema = {"type": ["object", "array"], "description": 'Signatures such as {"task": "tasks.add"}'}
OPTIONS: dict[str, Schema] = {
    "countdown": SECONDS,
    "eta": MOMENT,
    "expires": {"oneOf": [SECONDS, MOMENT]},
    "queue": NAME,
    "priority": whole(0, 255),
    "task_id": NAME,
    "routing_key": NAME,
    "exchange": NAME,
    "headers": {"type": "object"},
    "serializer": NAME,
    "compression": NAME,
    "time_limit": POSITIVE,
    "soft_time_limit": POSITIVE,
    "ignore_result": BOOL,
    "retry": BOOL,
    "retry_policy": {"type": "object"},
    "retries": whole(0, 1_000_000),
    "delivery_mode": whole(1, 2),
    "shadow": NAME,
    "root_id": NAME,
    "parent_id": NAME,
    "group_id": NAME,
    "group_index": whole(0, 1_000_000),
    "reply_to": NAME,
    "correlation_id": NAME,
    "link": SIGNATURES,
    "link_error": SIGNATURES,
}
"""The options of `apply_async` in a body; every one may be null."""

TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "list": "array", "object": "object"}


def path_of(operation: Operation) -> str:
    """The path with the name of its target."""
    return operation.path.replace("{target}", "{" + TARGETS[operation.target][0] + "}" if operation.target else "")


def schema_of(argument: Argument) -> Schema:
    """What an argument may be."""
    schema: Schema = {"type": TYPES[argument.type]}
    if argument.minimum is not None:
        schema["minimum"] = _plain(argument.minimum)
    if argument.maximum is not None:
        schema["maximum"] = _plain(argument.maximum)
    if argument.choices:
        schema["enum"] = list(argument.choices)
    return schema


def _plain(number: float) -> float:
    return int(number) if number == int(number) else number


def parameters_of(operation: Operation) -> tuple[list[Parameter], set[str]]:
    """The target and the arguments in the address, and the names of the required ones."""
    found = []
    if operation.target:
        name, what, example = TARGETS[operation.target]
        found.append(Parameter(name, what, {**TEXT, "minLength": 1}, where="path", example=example))
    required = set()
    sample = EXAMPLES.get(operation.name, {})
    for argument in operation.arguments:
        if argument.where == "query":
            required |= {argument.name} if argument.required else set()
            found.append(
                Parameter(
                    argument.name,
                    argument.help,
                    schema_of(argument),
                    argument.default,
                    example=sample.get(argument.name),
                )
            )
    return found, required


def body_of(operation: Operation) -> dict[str, Any] | None:
    """The JSON body, None for an operation that reads none."""
    arguments = [argument for argument in operation.arguments if argument.where == "body"]
    if not arguments:
        return None
    properties = {}
    for argument in arguments:
        schema = schema_of(argument)
        properties[argument.name] = {**schema, "type": [schema["type"], "null"], "description": argument.help}
        if argument.default is not None:
            properties[argument.name]["default"] = argument.default
    body: Schema = {"type": "object", "properties": properties}
    if operation.options:
        body["allOf"] = [{"$ref": "#/components/schemas/TaskOptions"}]
        body["unevaluatedProperties"] = False
    required = [argument.name for argument in arguments if argument.required]
    if required:
        body["required"] = required
    names = properties.keys() | (OPTIONS.keys() if operation.options else set())
    sample = {name: value for name, value in EXAMPLES.get(operation.name, {}).items() if name in names}
    return {"required": bool(required), "content": {JSON: {"schema": body, "example": sample}}}


def errors_of(operation: Operation) -> tuple[int, ...]:
    """The statuses of what can go wrong, but for those of the login."""
    refusals = () if operation.method == "GET" else (403,)
    return (*ERRORS.get(operation.name, ERRORS.get(operation.target, ())), *refusals)


def permission_of(operation: Operation) -> tuple[str, str]:
    """The permission, and the least role that has it."""
    permission = VIEW if operation.method == "GET" else operation.name
    return permission, LOWEST_ROLE[permission]


def tag_of(operation: Operation) -> str:
    """The heading that it stands under."""
    return "Tasks" if operation.method == "GET" else TAGS[operation.name.partition(".")[0]]


def answer_of(operation: Operation) -> str:
    """The name of the schema of its answer."""
    return ANSWERS[operation.name]


def all_operations() -> list[Operation]:
    """In the order of the description: reading ones first."""
    return sorted(OPERATIONS, key=lambda operation: operation.method != "GET")
