"""Tasks as readers may see them: secrets hidden, then as `format_task` shows them, and closed when that fails."""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import pytest

from flower.shown import HIDDEN, Shown
from flower.store import NAMES, Task
from flower.utils.redaction import MASK, Redactor

TASK = Task.of(
    {
        "uuid": "a",
        "name": "tasks.add",
        "args": "(1,)",
        "kwargs": "{'password': 'x', 'n': 1}",
        "result": "{'token': 'y'}",
        "exception": "Denied(secret='z')",
        "traceback": "Denied(secret='z')\n",
        "extra": {"step": 1, "api_key": "k"},
        "attempts": [[1.0, "retried", "w", "Denied(secret='z')"]],
    }
)
PLAIN = Redactor([""])


def test_secrets() -> None:
    """Secrets are hidden wherever a task has texts."""
    told = Shown(Redactor()).task(TASK)
    assert (f"{{'password': '{MASK}', 'n': 1}}", f"{{'token': '{MASK}'}}") == (told.kwargs, told.result)
    denied = f"Denied(secret='{MASK}')"
    assert (denied, denied + "\n", denied) == (told.exception, told.traceback, told.attempts[0][3])
    assert ({"step": 1, "api_key": MASK}, "(1,)") == (told.extra, told.args)


def test_nothing_to_hide() -> None:
    """Without names and format_task a task is told as it is."""
    shown = Shown(PLAIN)
    assert (TASK, False) == (shown.task(TASK), bool(shown))


def test_format_task_gets_what_is_redacted() -> None:
    """What format_task gets has no secrets any more."""
    seen: list[Any] = []
    Shown(Redactor(), lambda task: seen.append(task) or task).task(TASK)  # type: ignore[func-returns-value]
    assert f"{{'password': '{MASK}', 'n': 1}}" == seen[0].kwargs


def spoil(task: Task) -> Task:
    task.args = "hidden"
    task.extra["step"] = 2
    task.attempts.clear()
    return task


def test_format_task_gets_a_copy() -> None:
    """Whatever it does with its task, it changes neither the stored one nor another reader's."""
    before, shown = deepcopy(TASK), Shown(PLAIN, spoil)
    first, second = shown.task(TASK), shown.task(TASK)
    assert (before, "hidden", first) == (TASK, first.args, second)


def test_earlier_attempts_are_formatted() -> None:
    """Errors of earlier attempts are shown as `format_task` shows the last one, unless it saw to them itself."""

    def shorten(task: Task) -> Task:
        task.exception = str(task.exception)[:6]
        return task

    def forget(task: Task) -> Task:
        task.attempts = [[1.0, "retried", "w", None]]
        return task

    attempts = [Shown(PLAIN, hook).task(TASK).attempts for hook in (shorten, forget)]
    assert [[[1.0, "retried", "w", "Denied"]], [[1.0, "retried", "w", None]]] == attempts


def fail(task: Task) -> Task:
    raise ValueError(f"cannot format {task.args} {task.kwargs}")


@pytest.mark.parametrize(
    "hook",
    [
        fail,
        lambda _: None,
        lambda _: "text",
        lambda _: [("uuid", "a")],
        lambda _: {},
        lambda _: Task.of({"uuid": "b"}),
        lambda task: task.kwargs.pop("password"),
        lambda task: task.nothing,
    ],
    ids=["raises", "nothing", "text", "list", "empty", "another task", "text methods", "unknown fact"],
)
def test_it_fails_closed(hook: Any) -> None:
    """When it raises, or returns no task, no argument, result or error is told."""
    told = Shown(PLAIN, hook).task(TASK)
    hidden = [told[name] for name in ("args", "kwargs", "result", "exception", "traceback", "extra")]
    assert ([HIDDEN] * 6, None, "tasks.add", set(NAMES)) == (hidden, told.attempts, told.name, told.keys())


def test_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log tells where it failed, once, and nothing of the task."""
    shown = Shown(PLAIN, fail)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            shown.task(TASK)
    assert (1, True, False) == (
        len(caplog.records),
        "ValueError in " in caplog.text and "test_shown.py, line " in caplog.text,
        "(1,)" in caplog.text or "password" in caplog.text,
    )


def test_what_it_leaves_out_is_unknown() -> None:
    """A mapping with a part of the facts is a task without the others."""
    told = Shown(PLAIN, lambda task: {"uuid": task.uuid, "name": "x"}).task(TASK)  # type: ignore[arg-type, return-value]
    assert ("x", None, set(NAMES)) == (told.name, told.args, told.keys())


REQUEST = {"id": "a", "name": "tasks.add", "args": [1, {"token": "x"}], "kwargs": {"password": "x", "n": 1}}


@pytest.mark.parametrize("method", ["active", "reserved", "scheduled"])
def test_tasks_of_a_worker(method: str) -> None:
    """What a worker tells of its tasks has no secrets, and keeps its shape."""
    item: Any = {"eta": "x", "request": REQUEST} if method == "scheduled" else REQUEST
    (told,) = Shown(Redactor()).facts("w", {method: [item], "stats": {}})[method]
    request = told.get("request", told)
    assert ([1, {"token": MASK}], {"password": MASK, "n": 1}, "a") == (
        request["args"],
        request["kwargs"],
        request["id"],
    )


def test_tasks_of_a_worker_are_formatted() -> None:
    """What format_task leaves alone keeps its type, what it changes is as it made it."""

    def hide(task: Task) -> Task:
        task.kwargs = f"hidden for {task.worker}"
        return task

    (told,) = Shown(PLAIN, hide).facts("w", {"active": [REQUEST]})["active"]
    assert ([1, {"token": "x"}], "hidden for w") == (told["args"], told["kwargs"])
    assert {"password": "x", "n": 1} == REQUEST["kwargs"]


@pytest.mark.parametrize("facts", [{"active": None}, {"active": ["x", {"request": 5}, {}]}, {"scheduled": "text"}])
def test_odd_answers_of_workers(facts: dict[str, Any]) -> None:
    """What is no list of tasks is left as it is."""
    assert facts == Shown(Redactor(), spoil).facts("w", facts)
