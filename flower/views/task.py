"""One task."""

from __future__ import annotations

from flower.store import BY_NAME, FINAL_STATES, NAMES, Task
from flower.views import BaseHandler
from flower.views.life import attempts_of, payload, summary
from flower.web import NotFoundError


class TaskView(BaseHandler):
    """GET /task/<uuid>: everything known about one task."""

    tab = "tasks"

    async def get(self, uuid: str) -> None:
        found = await self.run(self._read, uuid)
        if found is None:
            raise NotFoundError(f"Unknown task {uuid!r}")
        raw, children = found
        task = self.format_task(raw)
        self.show(
            "task.html",
            {"task": "task_body.html"},
            title=f"{task.name or 'Task'} {uuid[:8]}",
            task=task,
            summary=summary(task),
            attempts=attempts_of(task),
            payloads=[(name, BY_NAME[name].label, payload(task.get(name))) for name in ("args", "kwargs", "result")],
            facts=[BY_NAME[name] for name in TABLED if task.get(name) not in (None, "")],
            children=children,
            final=FINAL_STATES,
        )

    def _read(self, uuid: str) -> tuple[Task, list[str]] | None:
        task = self.cluster.state.task(uuid)
        if task is None:
            return None
        return task, self.cluster.store.children([uuid]).get(uuid, [])


MOMENTS = ("sent", "received", "started", "rejected", "retried", "succeeded", "failed", "revoked", "eta", "expires")
PLACE = ("worker", "queue", "runtime", "retries", "priority")
SHOWN_APART = frozenset(
    {"args", "kwargs", "result", "exception", "traceback", "attempts", "extra", "custom_state", "root_id", "parent_id"}
    | {"name", "uuid", "state"}
)
"""What a task's page shows elsewhere than in its table of facts."""

TABLED = (*MOMENTS, *PLACE, *(name for name in NAMES if name not in SHOWN_APART | {*MOMENTS, *PLACE}))
"""The table of facts: the life first, then where it ran, then the rest."""
