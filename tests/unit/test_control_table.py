"""The table of operations, and how each reads what it is given."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import flower.api.control
import flower.api.tasks
from flower import control
from flower.access import PERMISSIONS
from flower.api.control import BY_OPERATION
from flower.control import BY_NAME, OPERATIONS, Operation
from flower.utils.arguments import ArgumentError

NAMES = [operation.name for operation in OPERATIONS]


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_entry(operation: Operation) -> None:
    """Every operation has a handler, a permission, a description, an example and, if it asks, a question."""
    handler = BY_OPERATION[operation.name]
    assert ("view" if operation.method == "GET" else operation.name) == handler.permission
    assert handler.permission in PERMISSIONS
    assert operation.help
    assert operation.example
    assert bool(operation.question("x")) == operation.destructive
    assert ("{target}" in operation.path) == bool(operation.target)


@pytest.mark.parametrize("operation", OPERATIONS, ids=NAMES)
def test_arguments_are_those_of_the_function(operation: Operation) -> None:
    """What is declared is what is called."""
    parameters = list(inspect.signature(operation.run).parameters.values())[2:]
    names = {parameter.name for parameter in parameters if parameter.kind is not parameter.VAR_KEYWORD}
    declared = {argument.name for argument in operation.arguments} | ({"options"} if operation.options else set())
    assert set() == names - declared
    assert names == declared or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def test_names_are_unique() -> None:
    """No two operations share a name or a path."""
    assert len(OPERATIONS) == len(BY_NAME) == len({operation.path for operation in OPERATIONS})


@pytest.mark.parametrize(
    "name, given, argument",
    [
        ("worker.pool.grow", {"n": "0"}, "n"),
        ("worker.pool.grow", {"n": "-1"}, "n"),
        ("worker.pool.grow", {"n": "x"}, "n"),
        ("worker.pool.grow", {"n": "1001"}, "n"),
        ("worker.pool.grow", {"n": 1.5}, "n"),
        ("worker.pool.grow", {"n": True}, "n"),
        ("worker.pool.grow", {"n": [1]}, "n"),
        ("worker.pool.shrink", {"n": "9" * 400}, "n"),
        ("worker.pool.autoscale", {"min": "1"}, "max"),
        ("worker.pool.autoscale", {"max": "1"}, "min"),
        ("worker.pool.autoscale", {"min": "-1", "max": "1"}, "min"),
        ("worker.pool.autoscale", {"min": "0", "max": "0"}, "max"),
        ("worker.queue.add-consumer", {}, "queue"),
        ("worker.queue.add-consumer", {"queue": ""}, "queue"),
        ("worker.queue.add-consumer", {"queue": 5}, "queue"),
        ("worker.queue.add-consumer", {"queue": "x" * 5000}, "queue"),
        ("task.timeout", {"soft": "nan"}, "soft"),
        ("task.timeout", {"soft": "1e30"}, "soft"),
        ("task.rate-limit", {}, "ratelimit"),
        ("task.revoke", {"terminate": "perhaps"}, "terminate"),
        ("task.apply", {"args": "x"}, "args"),
        ("task.apply", {"args": {"a": 1}}, "args"),
        ("task.apply", {"kwargs": [1]}, "kwargs"),
        ("task.apply", {"timeout": "x"}, "timeout"),
        ("task.apply", {"timeout": "inf"}, "timeout"),
        ("task.apply", {"timeout": 1e6}, "timeout"),
        ("task.result", {"timeout": "nan"}, "timeout"),
        ("task.revoke-many", {"ids": "a"}, "ids"),
        ("task.retry", {"force": "x"}, "force"),
    ],
)
def test_wrong_arguments(name: str, given: dict[str, Any], argument: str) -> None:
    """A wrong argument is refused, and named."""
    with pytest.raises(ArgumentError) as error:
        BY_NAME[name].read(given)
    assert argument == error.value.argument


@pytest.mark.parametrize(
    "name, given, expected",
    [
        ("worker.pool.grow", {}, {"n": 1}),
        ("worker.pool.grow", {"n": "2"}, {"n": 2}),
        ("worker.pool.grow", {"n": 3}, {"n": 3}),
        ("task.revoke", {}, {"terminate": False, "signal": "SIGTERM"}),
        ("task.result", {"timeout": "-1"}, {"timeout": -1.0}),
        (
            "task.apply",
            {"args": [1], "queue": "q"},
            {"args": [1], "kwargs": None, "timeout": None, "options": {"queue": "q"}},
        ),
    ],
)
def test_arguments(name: str, given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Arguments are read from texts and from JSON; what is not given has its default."""
    assert expected == BY_NAME[name].read(given)


SEEDS = (
    *("task_apply", "task_async_apply", "task_send_task", "get_task_result", "task_abort", "task_revoke"),
    *("task_rate_limit", "task_timeout", "worker_shutdown", "worker_pool_restart", "worker_pool_grow"),
    *("worker_pool_shrink", "worker_autoscale", "worker_queue_add_consumer", "worker_queue_cancel_consumer"),
)


@pytest.mark.parametrize("name", SEEDS)
def test_functions(name: str) -> None:
    """Every operation of Flower 2.x is a coroutine function, with a description."""
    function = getattr(control, name)
    assert (True, True) == (inspect.iscoroutinefunction(function), bool(function.__doc__))


def test_old_names() -> None:
    """Handlers are found where programs import them."""
    assert flower.api.control.TaskTimout is flower.api.control.TaskTimeout
    assert flower.api.tasks.TaskRevoke is flower.api.control.TaskRevoke
    assert issubclass(flower.api.tasks.TaskApply, flower.api.tasks.BaseTaskHandler)
    assert re.fullmatch(r"/api/task/apply/\(\.\+\)", flower.api.tasks.TaskApply.operation.pattern)
