"""Tasks as readers may see them: the one way on which a task leaves the server.

Secrets are hidden first (`--redact`), then `format_task` shows the task in its own way. Any thread.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from typing import Any

from flower.store import Task
from flower.utils.inspected import WAITING, with_tasks, without_secrets
from flower.utils.redaction import TEXTS, Redactor

logger = logging.getLogger(__name__)

HIDDEN = "[hidden: format_task failed]"
PAYLOAD = (*TEXTS, "extra")

Hook = Callable[[Task], Task]
Facts = dict[str, Any]


class Shown:
    """What is told of tasks. Without names to redact and without a `format_task` all of it."""

    def __init__(self, redactor: Redactor, format_task: Hook | None = None) -> None:
        self.redactor = redactor
        self.format_task = format_task
        self._failed = threading.Event()

    @property
    def formats(self) -> bool:
        """Whether a `format_task` may hide anything."""
        return self.format_task is not None

    def __bool__(self) -> bool:
        """Whether anything may be told otherwise than it is."""
        return self.formats or bool(self.redactor)

    def task(self, task: Task) -> Task:
        """A copy to be told; of one that `format_task` fails to format no argument, result or error."""
        told = self.redacted(task)
        if self.format_task is None:
            return told
        try:
            shown = _same_task(self.format_task(deepcopy(told)), told)
            if told.get("attempts") and shown["attempts"] == told["attempts"]:
                shown["attempts"] = [self._attempt(attempt, told) for attempt in told["attempts"]]
            return shown
        except Exception as error:  # noqa: BLE001  # closed, never open: the function is there to hide secrets
            self._tell(error)
            return Task(told, **{name: HIDDEN for name in PAYLOAD if told.get(name) is not None}, attempts=None)

    def _attempt(self, attempt: list[Any], task: Task) -> list[Any]:
        """An earlier attempt, its error as `format_task` would show it if it were the task's own."""
        if self.format_task is None or not attempt[3]:
            return attempt
        own = Task(deepcopy(task), exception=attempt[3], attempts=None)
        return [*attempt[:3], _same_task(self.format_task(own), task)["exception"]]

    def redacted(self, task: Task) -> Task:
        """A copy without secrets, for whoever only looks whether a search finds it."""
        redactor = self.redactor
        if not redactor:
            return Task(task)
        hidden: Facts = {name: redactor.value(task[name]) for name in TEXTS if task.get(name)}
        for name in ("extra", "attempts"):
            if task.get(name):
                hidden[name] = redactor.value(task[name])
        return Task(task, **hidden)

    def facts(self, worker: str, facts: Mapping[str, Any]) -> Facts:
        """What a worker told of itself, with the arguments of its tasks as they may be shown."""
        told = dict(facts)
        if not self:
            return told
        for method in WAITING:
            if method in told:
                told[method] = with_tasks(method, told[method], partial(self._request, worker))
        return told

    def _request(self, worker: str, request: Facts) -> Facts:
        told = without_secrets(request, self.redactor)
        if not self.formats:
            return told
        given = {name: told[name] for name in ("args", "kwargs") if told.get(name) is not None}
        texts = {name: value if isinstance(value, str) else repr(value) for name, value in given.items()}
        shown = self.task(Task.of({"uuid": request.get("id"), "name": request.get("name"), "worker": worker, **texts}))
        # What the function left alone keeps its type.
        return {**told, **{name: given[name] if shown[name] == texts[name] else shown[name] for name in given}}

    def record(self, answer: Mapping[str, Any], task: Task) -> Facts:
        """What the result backend keeps of a task (`result`, `traceback` by `state`), as it may be shown."""
        value, trace = self.redactor.value(answer.get("result")), self.redactor.value(answer.get("traceback"))
        if self.formats:
            name = "result" if answer.get("state") == "SUCCESS" else "exception"
            text = value if isinstance(value, str) else repr(value)
            shown = self.task(Task(task, traceback=trace, **{name: text}))
            value = value if value is None or shown.get(name) == text else shown.get(name)
            trace = None if trace is None else shown.get("traceback")
        return {**answer, "result": value, "traceback": trace}

    def _tell(self, error: Exception) -> None:
        """Once, and without the error's text, which may have the task in it."""
        if self._failed.is_set():
            return
        self._failed.set()
        places = traceback.extract_tb(error.__traceback__)
        where = f" in {places[-1].filename}, line {places[-1].lineno}" if places else ""
        logger.error("format_task failed, arguments and results are hidden: %s%s", type(error).__name__, where)


def _same_task(answer: Any, task: Task) -> Task:
    """What `format_task` returned. Raises TypeError when that is not the task."""
    if not isinstance(answer, Mapping) or answer.get("uuid") != task.get("uuid"):
        raise TypeError("format_task must return the task that it was given")
    return Task(Task.of(dict(answer)), **{name: answer[name] for name in answer if name in task})
