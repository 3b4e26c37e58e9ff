"""What becomes of tasks whose ends nobody heard: workers and the result backend are asked, nothing is made up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import pytest

from flower.catchup import BACKEND, CatchUp, end_of
from flower.control.backend import Backend, Meta
from flower.control.errors import NoBackend
from flower.inspector import InspectError
from flower.state import State
from flower.store import Task, open_store
from tests import factories as make

DONE = "2026-11-21T06:24:37+00:00"
"""A minute after T0."""


class Records:
    """A result backend."""

    def __init__(self, records: dict[str, Meta]) -> None:
        self.records = records
        self.asked: list[str] = []
        self.failure: Exception | None = None

    def keeps(self) -> bool:
        return True

    def read(self, uuids: Sequence[str]) -> dict[str, Meta]:
        self.asked += uuids
        if self.failure is not None:
            raise self.failure
        return {uuid: self.records[uuid] for uuid in uuids if uuid in self.records}


class Place:
    """A cluster with one worker: what it still has, and what is known of its tasks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        for name in ("PAUSE_SECONDS", "SETTLE_SECONDS"):
            monkeypatch.setattr(f"flower.catchup.{name}", 0.0)
        self.state = State(open_store(str(tmp_path / "db"), persistent=False), clock=make.Clock())
        self.held: dict[str, Any] = {"active": [], "reserved": [], "scheduled": []}
        self.records = Records({})
        self.on_connected = self.on_drop = None
        self.events = self.inspector = self.losses = self

    def inspect(self, names: Sequence[str], methods: Sequence[str]) -> list[asyncio.Future[Any]]:
        asked = []
        for method in methods:
            future = asyncio.get_running_loop().create_future()
            answer = self.held[method]
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result({} if answer is None else {make.WORKER: answer})
            asked.append(future)
        return asked

    def catch_up(self, *events: make.Event) -> None:
        """Hear these events, then nothing for a while, and look after the tasks."""
        self.state.apply([make.heartbeat(), *events])
        with ThreadPoolExecutor(1) as executor:
            work = CatchUp(cast(Any, self), cast(Backend, self.records), cast(Any, None), executor)
            asyncio.run(work.run(make.T0 + 50))

    def task(self, uuid: str) -> Task:
        found = self.state.task(uuid)
        assert found is not None
        return found


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Any:
    place = Place(monkeypatch, tmp_path)
    yield place
    place.state.stop()


def test_the_backend_tells_the_end(place: Place) -> None:
    """A task that its worker no longer has ends as its record says, and says who told so."""
    place.records.records = {
        "good": {"status": "SUCCESS", "result": {"a": 1}, "date_done": DONE},
        "bad": {"status": "FAILURE", "result": {"exc_type": "OSError", "exc_message": ["no"]}, "traceback": "Trace"},
    }
    place.catch_up(make.received("good"), make.started("good"), make.received("bad"), make.started("bad"))
    good, bad = place.task("good"), place.task("bad")
    assert ("SUCCESS", "{'a': 1}", make.T0 + 60) == (good["state"], good["result"], good["succeeded"])
    assert ("FAILURE", "OSError('no')", "Trace") == (bad["state"], bad["exception"], bad["traceback"])
    assert [{"told_by": BACKEND}] * 2 == [good["extra"], bad["extra"]]


def test_what_nobody_knows_is_said_to_be_unknown(place: Place) -> None:
    """Without an end in the backend the state stays as it was, with a mark; what was noted before is kept."""
    place.records.records = {"u": {"status": "STARTED"}}
    place.catch_up(
        make.received("u"), {**make.event("task-progress", 2.0), "uuid": "u", "current": 1}, make.started("u")
    )
    task = place.task("u")
    assert ("PROGRESS", {"unheard": make.T0, "current": 1}) == (task["state"], task["extra"])
    place.state.flush()
    assert {"unheard": make.T0, "current": 1} == place.task("u")["extra"]


@pytest.mark.parametrize("field", ["current", "zone"])
def test_marks_go_before_what_was_noted(place: Place, field: str) -> None:
    """Whatever the fields of its own events are called; and after another outage the mark is of that one."""
    noted = {**make.event("task-progress", 2.5), "uuid": "u", field: 1, "unheard": make.T0 - 50}
    place.catch_up(make.received("u"), make.started("u"), noted)
    task = place.task("u")
    assert ("PROGRESS", {"unheard": make.T0, field: 1}) == (task["state"], task["extra"])
    place.state.flush()
    assert make.T0 == place.task("u")["extra"]["unheard"]


@pytest.mark.parametrize("failure", [NoBackend("none is configured")])
def test_without_a_backend_ends_stay_unknown(place: Place, failure: Exception) -> None:
    """A backend that is missing or away is no reason to make anything up."""
    place.records.failure = failure
    place.catch_up(*make.success("u")[:2])
    assert ("STARTED", {"unheard": make.T0}) == (place.task("u")["state"], place.task("u")["extra"])


@pytest.mark.parametrize(
    "held",
    [
        {"active": [{"id": "u"}]},
        {"reserved": [{"id": "u"}]},
        {"scheduled": [{"request": {"id": "u"}}]},
        {"active": None},
        {"reserved": InspectError("the broker does not answer")},
    ],
)
def test_what_may_go_on_is_left_alone(place: Place, held: dict[str, Any]) -> None:
    """A task that its worker has, or may have as long as it does not answer, is not asked for."""
    place.held |= held
    place.catch_up(*make.success("u")[:2])
    assert ([], "STARTED", None) == (place.records.asked, place.task("u")["state"], place.task("u")["extra"])


def test_what_was_heard_since_is_left_alone(place: Place) -> None:
    """Only tasks of which the last word is from before are looked after; ended ones and those of others are not."""
    place.catch_up(
        *make.success("ended"), make.received("new", 60.0), make.received("other", host="celery@w2"), make.sent("sent")
    )
    assert [] == place.records.asked


@pytest.mark.parametrize("meta", [{}, {"status": "PENDING"}, {"status": "RETRY", "result": 1}, {"status": None}])
def test_a_record_without_an_end_tells_none(meta: Meta) -> None:
    """States in between are no end."""
    assert {} == end_of({"timestamp": make.T0}, meta)


@pytest.mark.parametrize("done", [None, "yesterday", 5, "2026-11-21T06:00:00"])
def test_an_end_is_not_before_the_beginning(done: Any) -> None:
    """A record without a time, or with one that cannot be, ends when the last word was."""
    end = end_of({"timestamp": make.T0, "started": make.T0 + 1}, {"status": "REVOKED", "date_done": done})
    assert {"timestamp": make.T0 + 1, "revoked": make.T0 + 1} == end
