"""What many open tabs ask for at once is drawn once, and is never older than what they were told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from flower.views.workers import WorkersView
from tests import factories as make
from tests.api.conftest import SECONDS, Serve, Server

ASK = {"HX-Request": "true", "HX-Target": "workers"}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each drawing of the workers."""
    found: list[str] = []
    show = WorkersView.show

    def counted(self: WorkersView, *args: Any, **kwargs: Any) -> None:
        found.append(self.request.uri or "")
        show(self, *args, **kwargs)

    monkeypatch.setattr(WorkersView, "show", counted)
    return found


@pytest.fixture
def watched(server: Server) -> Iterator[Server]:
    """A server with somebody at its stream."""
    stream = requests.get(f"{server.url}/stream", stream=True, timeout=SECONDS)
    lines = stream.iter_lines()
    assert next(lines).startswith(b"id:")
    yield server
    stream.close()


def region(server: Server, **headers: str) -> str:
    answer = requests.get(f"{server.url}/workers", headers={**ASK, **headers}, timeout=SECONDS)
    assert 200 == answer.status_code
    return answer.text


def test_one_drawing_for_many(watched: Server, drawn: list[str]) -> None:
    """Ten tabs that ask for the same get the same, drawn once."""
    watched.app.cluster.hub.tick = lambda now=None: None  # no message meanwhile
    with ThreadPoolExecutor(10) as pool:
        answers = set(pool.map(lambda _: region(watched), range(10)))
    assert (1, 1) == (len(answers), len(drawn))


def test_drawn_anew_after_each_message(watched: Server, drawn: list[str]) -> None:
    """What was told to have changed is in the next answer."""
    before = region(watched)
    watched.feed(make.heartbeat("new@host"))
    told = threading.Event()
    watched.loop.add_callback(lambda: (watched.app.cluster.hub.tick(), told.set()))
    assert told.wait(SECONDS)
    assert ("new@host" in before, "new@host" in region(watched)) == (False, True)


def test_drawn_anew_for_who_acted(watched: Server, drawn: list[str]) -> None:
    """After an action nobody is shown what was drawn before it."""
    watched.app.cluster.hub.tick = lambda now=None: None
    region(watched)
    region(watched, **{"Cache-Control": "no-cache"})
    assert 2 == len(drawn)


def test_drawn_for_each_language_of_time(watched: Server, drawn: list[str]) -> None:
    """Whoever sees other times is not given somebody else's."""
    watched.app.cluster.hub.tick = lambda now=None: None
    region(watched)
    region(watched, Cookie="flower_zone=Asia/Tokyo")
    assert 2 == len(drawn)


def test_address_goes_with_the_answer(watched: Server) -> None:
    """What was drawn for another tells htmx the same address to show."""
    watched.app.cluster.hub.tick = lambda now=None: None
    watched.feed(make.heartbeat("w@host"))
    headers = {"HX-Request": "true", "HX-Target": "worker-tabs", "HX-Trigger": "config-find"}
    url = f"{watched.url}/worker/w@host?config_find=zone"
    told = [requests.get(url, headers=headers, timeout=SECONDS).headers.get("HX-Replace-Url") for _ in range(2)]
    assert ["/worker/w@host?config_find=zone#tab-config"] * 2 == told


def test_nothing_is_kept_while_nobody_listens(server: Server, drawn: list[str]) -> None:
    """Without a stream nobody is told of changes, so every answer is new."""
    region(server)
    region(server)
    assert 2 == len(drawn)


def test_kept_only_for_who_may_see_it(serve: Serve) -> None:
    """What was drawn for a user is not shown to whoever did not log in."""
    server = serve(basic_auth=["u:p"])
    stream = requests.get(f"{server.url}/stream", stream=True, timeout=SECONDS, auth=("u", "p"))
    assert next(stream.iter_lines()).startswith(b"id:")
    codes = [
        requests.get(f"{server.url}/workers", headers=ASK, timeout=SECONDS, auth=auth).status_code
        for auth in (("u", "p"), None, ("u", "wrong"))
    ]
    stream.close()
    assert [200, 401, 401] == codes
