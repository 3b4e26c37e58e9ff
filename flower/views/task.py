"""One task: its life, its payload, its errors, its family, and what can be done about it."""

from __future__ import annotations

import json
import time
from typing import Any

from celery.contrib.abortable import AbortableTask

from flower.control import BY_NAME as OPERATIONS
from flower.control import OperationError
from flower.store import BY_NAME, FINAL_STATES, NAMES, Task
from flower.store.stats import StatsQuery
from flower.utils.arguments import ArgumentError
from flower.utils.literals import readable
from flower.utils.redaction import MASK
from flower.utils.texts import say
from flower.views import BaseHandler
from flower.views.family import Picture, picture_of
from flower.views.life import attempts_of, summary
from flower.views.others import SPAN_SECONDS, Others, others_of
from flower.views.payload import payload
from flower.views.record import Record, record_of
from flower.views.timeline import epoch, timeline_of
from flower.views.traceback import sections_of

REGIONS = {
    "task": "task_body.html",
    "others": "task_others.html",
    "family": "task_family.html",
    "backend": "task_backend.html",
}
PAYLOADS = ("args", "kwargs", "result")


class TaskView(BaseHandler):
    """GET /task/<uuid>: everything known about one task; with `result` also what the result backend keeps."""

    tab = "tasks"

    async def get(self, uuid: str) -> None:
        raw = await self.run(self.cluster.state.task, uuid)
        record = await self._record(uuid) if self.get_argument("result", None) is not None else None
        if raw is None:
            self.set_status(200 if self._wanted == "backend" else 404)
            self.show(
                "task_unknown.html", REGIONS, title=say("task.title.unknown"), uuid=uuid, record=record, task=None
            )
            return
        task = self.format_task(raw)
        self.show(
            "task.html",
            REGIONS,
            title=f"{task.name or say('task.title')} {uuid[:8]}",
            uuid=uuid,
            task=task,
            record=record,
            **(self._body(task) if self._wants("task") else {}),
            **(await self._actions(raw, task) if self._wants("task") else {}),
            picture=await self.run(self._picture, raw) if self._wants("family") else None,
            others=await self.run(self._others, raw) if self._wants("others") else None,
        )

    @property
    def _wanted(self) -> str:
        """The region that htmx asks for."""
        wanted = self.request.headers.get("HX-Target", "") if self.request.headers.get("HX-Request") else ""
        return wanted if wanted in REGIONS else ""

    def _wants(self, region: str) -> bool:
        return self._wanted in ("", region)

    def _body(self, task: Task) -> dict[str, Any]:
        """What the task itself tells."""
        now = self.cluster.state.clock()
        return {
            "ended": task.state in FINAL_STATES,
            "summary": summary(task),
            "attempts": attempts_of(task),
            "timeline": timeline_of(task, now),
            "epoch": epoch,
            "payloads": [(name, BY_NAME[name].label, payload(task.get(name), name)) for name in PAYLOADS],
            "sections": sections_of(str(task.traceback))[::-1] if task.traceback else [],
            "facts": [BY_NAME[name] for name in TABLED if task.get(name) not in (None, "")],
            "retry_of": _retry_of(task),
            "progress": _progress(task),
            "unheard": _is_unheard(task),
        }

    def _picture(self, task: Task) -> Picture | None:
        return picture_of(self.cluster.store.family(task.uuid, task.root_id), task.uuid)

    def _others(self, task: Task) -> Others | None:
        """The others of its name in the last day; None without a name."""
        if not task.name:
            return None
        now = time.time()
        query = StatsQuery(start=now - SPAN_SECONDS, end=now, name=task.name)
        return others_of(self.cluster.store.stats(query), task, query.first)

    async def _record(self, uuid: str) -> Record:
        """What the result backend says of it."""
        try:
            answer = await OPERATIONS["task.result"].perform(self.site.operations, uuid, {})
        except (OperationError, ArgumentError) as error:
            return Record(str(error), "bad")
        return record_of(answer, self.capp.conf.result_expires)

    async def _actions(self, raw: Task, task: Task) -> dict[str, Any]:
        """What can be done in its state, and the arguments that the form to run it again begins with."""
        over = task.state in FINAL_STATES or task.state == "REJECTED"
        running = not over and task.started is not None and task.state not in ("RETRY", "RECEIVED", "PENDING")
        may_abort = running and self.actions.may("task.abort")
        return {
            "over": over,
            "running": running,
            "abortable": may_abort and await self.run(self._is_abortable, raw.name),
            "editable": bool(raw.name) and self.actions.may("task.retry"),
            "given": {name: _given(raw, task, name) for name in ("args", "kwargs")},
        }

    def _is_abortable(self, name: str | None) -> bool:
        """Whether its code is here and looks for the mark; may block, for the application loads its tasks."""
        return isinstance(self.capp.tasks.get(name), AbortableTask)


def _given(raw: Task, task: Task, which: str) -> tuple[str, str]:
    """(JSON, why not) of arguments to begin with: never a part of them, never what is hidden."""
    text, shown = raw.get(which), task.get(which)
    if text is None:
        return "", say("task.given.untold")
    if MASK in text:
        return "", say("task.given.secret")
    if text != shown:
        return "", say("task.given.part")
    told = payload(text, which)
    if told is not None and told.note:
        return "", told.note
    value = readable(text)
    if not isinstance(value, list if which == "args" else dict):
        return "", say("task.given.value")
    return json.dumps(value, ensure_ascii=False, indent=2 if len(text) > 60 else None), ""


def _retry_of(task: Task) -> str | None:
    extra = task.extra
    found = extra.get("retry_of") if isinstance(extra, dict) else None
    return found if isinstance(found, str) else None


def _progress(task: Task) -> tuple[float, float] | None:
    """(done, all) of a running task whose custom events tell `current` and `total`."""
    extra = task.extra if isinstance(task.extra, dict) and task.state not in FINAL_STATES else {}
    done, whole = extra.get("current"), extra.get("total")
    if not isinstance(done, (int, float)) or not isinstance(whole, (int, float)):
        return None
    return (done, whole) if 0 <= done <= whole and whole > 0 else None


def _is_unheard(task: Task) -> bool:
    """Whether `flower.catchup` marked that its end is not known, and nothing was heard of it since."""
    marked = task.extra.get("unheard") if isinstance(task.extra, dict) else None
    return isinstance(marked, (int, float)) and marked >= (task.timestamp or 0.0)


PLACE = ("worker", "queue", "runtime", "retries", "eta", "expires", "priority")
SHOWN_APART = frozenset(
    {"args", "kwargs", "result", "exception", "traceback", "attempts", "extra", "custom_state", "root_id", "parent_id"}
    | {"sent", "received", "started", "rejected", "retried", "succeeded", "failed", "revoked"}
    | {"name", "uuid", "state"}
)
"""What a task's page shows elsewhere than in its table of facts."""

TABLED = (*PLACE, *(name for name in NAMES if name not in SHOWN_APART | {*PLACE}))
"""The table of facts: where it ran first, then the rest."""
