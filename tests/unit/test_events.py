"""The events thread: connecting, losing, finding again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from celery import Celery

from flower import events as module
from flower.events import Events
from tests import factories as make


class Broker:
    """Stands for the network: yields the prepared batches, then silence; an exception is raised."""

    more = False

    def __init__(self, *script: Any) -> None:
        self.script = list(script)
        self.silent = threading.Event()

    @contextmanager
    def __call__(self, *_: Any) -> Iterator[tuple[Any, Any]]:
        if self.script and isinstance(self.script[0], OSError):
            raise self.script.pop(0)
        yield self, self

    def as_uri(self, include_password: bool) -> str:
        return "made-up://"

    def receive(self, timeout: float) -> list[make.Event]:
        if not self.script:
            self.silent.set()
            return []
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        events: list[make.Event] = step
        return events


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Events]]:
    """Runs the thread against a scripted broker until nothing is left of the script."""
    capp = Celery(broker="memory://", set_as_current=False)
    monkeypatch.setattr(capp.control, "broadcast", lambda *_, **__: None)
    monkeypatch.setattr(module, "BACKOFF_SECONDS", (0.0,))
    monkeypatch.setattr(module, "RECEIVE_SECONDS", 0.01)
    started: list[Events] = []

    def start(*script: Any, **options: Any) -> Events:
        broker = Broker(*script)
        monkeypatch.setattr(module, "receiving", broker)
        events = Events(capp, **options)
        started.append(events)
        events.start()
        assert broker.silent.wait(10)
        return events

    yield start
    for events in started:
        events.stop()


def test_received_events_are_applied(run: Callable[..., Events]) -> None:
    """What the broker sends ends in the state."""
    events = run(make.success("u"))
    task = events.state.task("u")
    assert task is not None
    assert "SUCCESS" == task.state


def test_connection_is_told(run: Callable[..., Events]) -> None:
    """Connected, with no reason why not."""
    events = run()
    assert (True, None, None) == (events.connected, events.failure, events.disconnected_since)


def test_lost_connection_is_found_again(run: Callable[..., Events]) -> None:
    """After a loss, and however many failed attempts, events go on."""
    refused = [OSError("refused") for _ in range(10)]
    events = run(make.success("a"), ConnectionError("lost"), *refused, make.success("b"))
    assert (True, 6) == (events.connected, events.state.totals["task"])


def test_any_error_of_a_transport_is_survived(run: Callable[..., Events]) -> None:
    """A transport may raise anything; the thread lives on."""
    events = run(KeyError("odd"), RuntimeError("odder"), make.success("u"))
    assert 3 == events.state.totals["task"]


@pytest.mark.parametrize(
    "url, why",
    [("redis://127.0.0.1:1/0", "Connection refused"), ("redis://:c4n4ry#x@127.0.0.1:1/0", "# is written as %23")],
)
def test_unreachable_broker_is_told(monkeypatch: pytest.MonkeyPatch, url: str, why: str) -> None:
    """While there is no broker one can read since when, and why, but no part of a password."""
    told = threading.Event()
    capp = Celery(broker=url, set_as_current=False)
    events = Events(capp)
    monkeypatch.setattr(events._stopping, "wait", lambda _: told.set())
    events.start()
    assert told.wait(10)
    failure = events.failure or ""
    known = (events.connected, why in failure and "c4n4ry" not in failure, events.disconnected_since is not None)
    monkeypatch.undo()
    events.stop()
    assert (False, True, True) == known


def test_appearing_workers_are_announced(run: Callable[..., Events]) -> None:
    """Who greets new workers hears of each once."""
    heard: list[str] = []
    run([make.heartbeat("celery@a"), make.heartbeat("celery@b")], [make.heartbeat("celery@a")], on_workers=heard.extend)
    assert ["celery@a", "celery@b"] == heard


def test_events_without_a_loop() -> None:
    """`Events(capp)` alone is enough to feed and read it from Python."""
    events = Events(Celery(broker="memory://", set_as_current=False))
    events.on_event(make.received("u"))
    task = events.state.task("u")
    events.stop()
    assert task is not None
    assert "RECEIVED" == task.state
