"""A task as readers see it: a dict of `columns.NAMES` whose items are attributes too."""

from __future__ import annotations

from typing import Any

from flower.store.columns import NAMES


class Task(dict[str, Any]):
    """One row; absent facts are None. `task.name` and `task["name"]` are the same."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        """For `format_task` functions, which change a copy of the task."""
        self[name] = value

    @classmethod
    def of(cls, view: dict[str, Any]) -> Task:
        """The view with None for every unknown fact."""
        return cls((name, view.get(name)) for name in NAMES)

    @property
    def hostname(self) -> str | None:
        """The worker's name, as Celery's events call it."""
        return self.get("worker")
