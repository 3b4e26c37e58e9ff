"""The inspector: whom it asks what, what it keeps, and what it tells when nobody answers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery

from flower import inspector as module
from flower.inspector import InspectError, Inspector, tasks_of
from flower.state import State
from flower.store import open_store
from flower.utils.masking import mask

NOW = 1_795_255_121.0
NONE = "no reply within 1.0 s: busy, or remote control is off"
CHEAP = ("stats", "active_queues", "registered", "conf")
ALL = (*CHEAP, "scheduled", "active", "reserved", "revoked")


class Workers:
    """Stands for the workers: answers, and remembers what was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[tuple[str, ...], tuple[str, ...] | None]] = []
        self.failure: Exception | None = None
        self.go = threading.Event()
        self.go.set()

    def ask(self, capp: Celery, questions: dict[str, Any], destination: Any, timeout: float) -> dict[str, Any]:
        self.asked.append((tuple(questions), destination))
        self.go.wait(10)
        if self.failure:
            raise self.failure
        return {question: self.answers.get(question, {}) for question in questions}

    def answer(self, worker: str, *methods: str) -> None:
        for method in methods:
            self.answers.setdefault(method, {})[worker] = {"of": method}


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    workers = Workers()
    monkeypatch.setattr(module.remote, "ask", workers.ask)
    yield workers
    workers.go.set()


@pytest.fixture
def inspector(workers: Workers) -> Inspector:
    return Inspector(None, Celery(broker="memory://", set_as_current=False), 1.0)


async def ask(inspector: Inspector, *args: Any) -> list[dict[str, Any]]:
    return await asyncio.gather(*inspector.inspect(*args))


async def test_all_workers(workers: Workers, inspector: Inspector) -> None:
    """All workers are asked the four questions with small answers, in one go."""
    await ask(inspector)
    assert [(CHEAP, None)] == workers.asked


async def test_one_worker(workers: Workers, inspector: Inspector) -> None:
    """A named worker is asked everything."""
    await ask(inspector, "w1")
    assert [(ALL, ("w1",))] == workers.asked


async def test_some_workers(workers: Workers, inspector: Inspector) -> None:
    """Several named workers are asked at once."""
    await ask(inspector, ["w2", "w1"])
    assert [(ALL, ("w1", "w2"))] == workers.asked


async def test_some_methods(workers: Workers, inspector: Inspector) -> None:
    """Only the wanted questions are asked."""
    await ask(inspector, "w1", ["active"])
    assert [(("active",), ("w1",))] == workers.asked


async def test_futures(workers: Workers, inspector: Inspector) -> None:
    """There is a future for each question, with the answers by worker."""
    workers.answer("w1", "stats")
    assert [{"w1": {"of": "stats"}}, {}, {}, {}] == await ask(inspector)


async def test_learned(workers: Workers, inspector: Inspector) -> None:
    """The answers are kept by worker and method, with the time."""
    workers.answer("w1", *ALL)
    await ask(inspector, "w1")
    facts = inspector.workers["w1"]
    assert ({*ALL, "timestamp"}, set(ALL)) == (set(facts), set(inspector.learned["w1"]))


async def test_earlier_answers_stay(workers: Workers, inspector: Inspector) -> None:
    """A new inspection adds to what is known, and does not lose what it did not ask."""
    workers.answer("w1", *ALL)
    await ask(inspector, "w1")
    await ask(inspector)
    assert {*ALL, "timestamp"} == set(inspector.workers["w1"])


async def test_callbacks(workers: Workers, inspector: Inspector) -> None:
    """Who wants to know is told each answer."""
    heard: list[Any] = []
    inspector.on_facts.append(lambda *args: heard.append(args))
    workers.answer("w1", "stats")
    await ask(inspector)
    assert [("w1", "stats", {"of": "stats"})] == heard


async def test_silent_worker(workers: Workers, inspector: Inspector) -> None:
    """A worker that does not answer is a failure with its reason, and no fact."""
    await ask(inspector, "w1")
    assert ({"w1": NONE}, {}) == (inspector.failures, inspector.workers)


async def test_half_silent_worker(workers: Workers, inspector: Inspector) -> None:
    """It is told to which questions no answer came."""
    workers.answer("w1", *CHEAP)
    await ask(inspector, "w1")
    to = "scheduled, active, reserved, revoked"
    assert f"no reply to {to} within 1.0 s: busy, or remote control is off" == inspector.failures["w1"]


async def test_known_worker_falls_silent(workers: Workers, inspector: Inspector) -> None:
    """A known worker that does not answer a question to all is a failure, too."""
    workers.answer("w1", *CHEAP)
    await ask(inspector)
    workers.answers.clear()
    await ask(inspector)
    assert NONE == inspector.failures["w1"]


async def test_failure_ends(workers: Workers, inspector: Inspector) -> None:
    """A worker that answers again has no failure."""
    await ask(inspector, "w1")
    workers.answer("w1", *ALL)
    await ask(inspector, "w1")
    assert {} == inspector.failures


async def test_refusal(workers: Workers, inspector: Inspector) -> None:
    """A worker's own error is told, and is no fact."""
    workers.answer("w1", *CHEAP)
    workers.answers["conf"]["w1"] = {"error": "KeyError('x')"}
    await ask(inspector)
    assert ("conf failed at the worker: KeyError('x')", False) == (
        inspector.failures["w1"],
        "conf" in inspector.workers["w1"],
    )


async def test_broker_down(workers: Workers, inspector: Inspector) -> None:
    """When the broker fails, the futures raise what happened."""
    workers.failure = OSError("refused by redis://:secret@host")
    with pytest.raises(InspectError, match=r"the broker does not answer: refused by redis://:\*+@host"):
        await ask(inspector, "w1")


async def test_broker_down_is_remembered(workers: Workers, inspector: Inspector) -> None:
    """The failure is also kept for the worker, and for all."""
    workers.failure = OSError("refused")
    await asyncio.wait(inspector.inspect("w1"))
    text = "the broker does not answer: refused"
    assert ({"w1": text}, text) == (inspector.failures, inspector.error)


async def test_broker_is_back(workers: Workers, inspector: Inspector) -> None:
    """The next inspection that succeeds clears the error."""
    workers.failure = OSError("refused")
    await asyncio.wait(inspector.inspect())
    workers.failure = None
    await ask(inspector)
    assert inspector.error is None


async def test_same_question_is_shared(workers: Workers, inspector: Inspector) -> None:
    """A question that is under way is not asked again."""
    workers.go.clear()
    first, second = inspector.inspect("w1"), inspector.inspect("w1")
    workers.go.set()
    await asyncio.gather(*first, *second)
    assert 1 == len(workers.asked)


async def test_reader_that_leaves(workers: Workers, inspector: Inspector) -> None:
    """A reader that gives up does not take the answer from another."""
    workers.answer("w1", "stats")
    workers.go.clear()
    leaving, staying = inspector.inspect("w1", ["stats"]), inspector.inspect("w1", ["stats"])
    leaving[0].cancel()
    workers.go.set()
    assert [{"w1": {"of": "stats"}}] == await asyncio.gather(*staying)


async def test_forget(workers: Workers, inspector: Inspector) -> None:
    """Nothing is left of a worker that is forgotten."""
    workers.answer("w1", "stats")
    await ask(inspector)
    inspector.forget(["w1", "unknown"])
    assert ({}, {}, {}) == (inspector.workers, inspector.learned, inspector.failures)


async def test_bound(workers: Workers, inspector: Inspector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever answers, the number of workers is bounded."""
    monkeypatch.setattr(module, "MAX_WORKERS", 2)
    for name in ("w1", "w2", "w3"):
        workers.answer(name, "stats")
    await ask(inspector)
    assert 2 == len(inspector.workers)


async def test_passwords_are_masked(workers: Workers, inspector: Inspector) -> None:
    """No password of a broker or backend is kept."""
    url = "redis://:secret@host/1"
    workers.answers = {
        "conf": {
            "w1": {"result_backend": url, "broker_transport_options": {"sentinel_kwargs": {"password": "secret"}}}
        },
        "stats": {"w1": {"broker": {"hostname": "host", "alternates": [url], "transport_options": {"url": url}}}},
    }
    await ask(inspector)
    assert "secret" not in str(inspector.workers)


async def test_alternates_are_dropped(workers: Workers, inspector: Inspector) -> None:
    """As in Flower 2."""
    workers.answers = {"stats": {"w1": {"broker": {"hostname": "host", "alternates": []}}}}
    await ask(inspector)
    assert {"hostname": "host"} == inspector.workers["w1"]["stats"]["broker"]


@pytest.mark.parametrize(
    "value, masked",
    [
        ("redis://localhost/0", "redis://localhost/0"),
        ("redis://:p@h/0", "redis://:********@h/0"),
        ("amqp://u:p/a@ss@h//", "amqp://u:********@h//"),
        ("sentinel://:a@h;sentinel://:b@i", "sentinel://:********@h;sentinel://:********@i"),
        ("db+postgresql://u:p@h/d", "db+postgresql://u:********@h/d"),
        ("https://h/?token=abc&x=1", "https://h/?token=********&x=1"),
        ({"password": "p", "port": 1}, {"password": "********", "port": 1}),
        (["redis://:p@h"], ["redis://:********@h"]),
        ("10:30@noon", "10:30@noon"),
    ],
)
def test_mask(value: Any, masked: Any) -> None:
    """Passwords are hidden wherever they are; everything else is left alone."""
    assert masked == mask(value)


def request(**fields: Any) -> dict[str, Any]:
    delivery = {"exchange": "", "routing_key": "video", "priority": 3, "redelivered": False}
    return {"id": "u", "name": "tasks.add", "args": "(1,)", "kwargs": "{}", "delivery_info": delivery, **fields}


def test_active_task() -> None:
    """A running task is known with its start and its queue."""
    assert [
        {
            "uuid": "u",
            "name": "tasks.add",
            "args": "(1,)",
            "kwargs": "{}",
            "worker": "w1",
            "started": NOW - 5,
            "exchange": "",
            "routing_key": "video",
            "queue": "video",
            "priority": 3,
            "extra": {"inspected": NOW},
        }
    ] == tasks_of("w1", "active", [request(time_start=NOW - 5)], NOW)


def test_active_task_without_start() -> None:
    """A start time that is none is replaced by now."""
    assert NOW == tasks_of("w1", "active", [request(time_start=None)], NOW)[0]["started"]


def test_reserved_task() -> None:
    """A waiting task was received some time before now; its arguments come as values."""
    (task,) = tasks_of("w1", "reserved", [request(args=[9, "x"], kwargs={"a": None})], NOW)
    assert (NOW, "(9, 'x')", "{'a': None}") == (task["received"], task["args"], task["kwargs"])


def test_scheduled_task() -> None:
    """A scheduled task has its ETA."""
    (task,) = tasks_of("w1", "scheduled", [{"eta": "2030-01-01T00:00:00+00:00", "request": request()}], NOW)
    assert ("2030-01-01T00:00:00+00:00", NOW) == (task["eta"], task["received"])


def test_named_exchange() -> None:
    """A named exchange does not say to which queue it routed."""
    delivery = {"exchange": "topics", "routing_key": "a.b", "priority": None}
    (task,) = tasks_of("w1", "reserved", [request(delivery_info=delivery)], NOW)
    assert ("topics", "a.b", None) == (task["exchange"], task["routing_key"], task.get("queue"))


@pytest.mark.parametrize("method, reply", [("stats", {}), ("active", None), ("active", [{}, 5]), ("scheduled", [{}])])
def test_no_task(method: str, reply: Any) -> None:
    """Other answers, and broken ones, have no tasks."""
    assert [] == tasks_of("w1", method, reply, NOW)


def test_adopted() -> None:
    """What inspection found becomes a row with the right state."""
    state = State(open_store())
    scheduled = {"eta": "2030-01-01T00:00:00+00:00", "request": request(id="s", args=[1])}
    state.adopt(tasks_of("w1", "active", [request(id="a", time_start=NOW - 5)], NOW))
    state.adopt(tasks_of("w1", "scheduled", [scheduled], NOW))
    state.flush()
    rows = [state.store.get(uuid) for uuid in ("a", "s")]
    state.stop()
    assert [("STARTED", "w1", "video", {"inspected": NOW}), ("RECEIVED", "w1", "video", {"inspected": NOW})] == [
        (row["state"], row["worker"], row["queue"], row["extra"]) for row in rows if row
    ]
