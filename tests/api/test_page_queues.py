"""`/api/queues/history`, `/broker` and `/queue/...`, over HTTP."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from tornado.escape import xhtml_escape as escape

from flower.sampler import Track
from flower.store.depths import Depth
from flower.utils.broker import BrokerError, Head
from tests import factories as make
from tests.api.conftest import Serve, Server


def sample(server: Server, *samples: tuple[float, Depth]) -> float:
    """Let queues have been so deep, so many seconds ago; returns the start of the present step of ten seconds."""
    now = time.time() // 10 * 10
    for ago, depth in samples:
        server.app.cluster.store.depths.add(now - ago, [depth])
    assert server.app.cluster.state.flush()
    return now


def test_history(server: Server) -> None:
    """Each step has its numbers, and null where nothing is known."""
    now = sample(server, (30, ("mail", 3, None, 1)), (10, ("mail", 5, None, 0)), (10, ("video", 1, 1, 1)))
    answer = server.json("/api/queues/history", queue="mail", window="1m")
    places = {at: place for place, at in enumerate(answer["at"])}
    (depths,) = answer["queues"]
    told = {at: (depths["ready"][places[at]], depths["consumers"][places[at]]) for at in (now - 30, now - 20, now - 10)}
    assert ("mail", 10, {now - 30: (3, 1), now - 20: (None, None), now - 10: (5, 0)}) == (
        depths["queue"],
        answer["step"],
        told,
    )
    assert {len(answer["at"])} == {len(depths[name]) for name in ("ready", "unacked", "consumers")}


def test_history_of_all(server: Server) -> None:
    """Without a name all queues are told."""
    sample(server, (10, ("mail", 3, None, 1)), (10, ("video", 1, 1, 1)))
    assert ["mail", "video"] == [each["queue"] for each in server.json("/api/queues/history")["queues"]]


def test_history_of_an_unknown_queue(server: Server) -> None:
    """A queue that was never sampled has no history."""
    assert [] == server.json("/api/queues/history", queue="nope")["queues"]


def test_history_in_steps(server: Server) -> None:
    """A longer step tells the worst in it."""
    sample(server, (20, ("mail", 9, None, 3)), (10, ("mail", 5, None, 1)))
    (depths,) = server.json("/api/queues/history", queue="mail", window="1h", step="30m")["queues"]
    assert (9, 1) == (
        max(ready for ready in depths["ready"] if ready is not None),
        min(number for number in depths["consumers"] if number is not None),
    )


@pytest.mark.parametrize(
    "arguments, argument",
    [
        ({"window": "soon"}, "window"),
        ({"window": "31d"}, "window"),
        ({"window": "0"}, "window"),
        ({"step": "15"}, "step"),
        ({"step": "-1"}, "step"),
        ({"window": "24h", "step": "10"}, "step"),
        ({"window": "7d", "step": "1m", "queue": "mail"}, "step"),
    ],
)
def test_refused_history(server: Server, arguments: dict[str, Any], argument: str) -> None:
    """What cannot be answered is refused, and the argument named."""
    answer = server.get("/api/queues/history", **arguments)
    assert (400, argument) == (answer.status_code, answer.json()["argument"])


def test_closed_history(serve: Serve) -> None:
    """The API's rules hold for it."""
    assert 401 == serve(open_api=False).get("/api/queues/history").status_code


HOSTILE = "<script>alert(1)</script>/../q #%&?+ü'\""


class Broker:
    """A broker that has these queues, and that can fall silent."""

    note: str | None = None
    names_seconds = 0.0
    unacknowledged: int | None = None
    tells_heads = True

    def __init__(self, **infos: dict[str, Any]) -> None:
        self.infos = infos
        self.failure = ""

    def expire(self) -> None:
        """Nothing is kept."""

    async def names(self) -> list[str]:
        return list(self.infos)

    async def heads(self, names: Iterable[str]) -> dict[str, list[Head]]:
        return {name: [Head(since=time.time() - 125)] for name in names}

    async def queues(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        if self.failure:
            raise BrokerError(self.failure)
        return {name: self.infos[name] for name in names if name in self.infos}


def watch(server: Server, **infos: dict[str, Any]) -> Broker:
    """Let the server watch a broker with these queues; one worker is online and consumes `mail`."""
    broker = Broker(**infos)
    queues = server.app.cluster.queues
    queues._broker = broker  # type: ignore[assignment]
    queues._fresh_until = 0.0
    server.app.cluster.state.started_at = 0.0
    server.feed(make.heartbeat("w1@host") | {"timestamp": time.time()}, now=time.time())
    server.app.inspector.workers["w1@host"] = {
        "active_queues": [{"name": "mail", "routing_key": "mail"}],
        "timestamp": 0,
    }
    return broker


def grow(server: Server, queue: str, by: int) -> None:
    """Let a queue have grown steadily in the last five minutes."""
    track = server.app.cluster.sampler.tracks.setdefault(queue, Track())
    track.points.extend((time.time() - 300 + 10 * step, by * step // 30) for step in range(31))


def rows(page: str) -> list[str]:
    """The names in the table, from above."""
    return [unescape(name) for name in re.findall(r'<tr id="queue-(.*?)">', page)]


def test_worst_first(server: Server) -> None:
    """What nobody will take comes first, then what grows, then what is deep."""
    watch(server, lost={"messages": 5}, mail={"messages": 9}, calm={"messages": 0, "consumers": 1})
    grow(server, "mail", 300)
    page = server.get("/broker").text
    assert ["lost", "mail", "celery", "calm"] == rows(page)
    assert ("no consumer" in page, "+300 in 5 min" in page) == (True, True)


@pytest.mark.parametrize(
    "query, expected",
    [
        ("sort=name", ["a2", "a10", "celery", "mail"]),
        ("sort=-name", ["mail", "celery", "a10", "a2"]),
        ("sort=-ready", ["a10", "mail", "a2", "celery"]),
        ("sort=ready", ["a2", "mail", "a10", "celery"]),
        ("q=A&sort=name", ["a2", "a10", "mail"]),
        ("q=w1", ["mail"]),
        ("state=waiting&sort=name", ["a2", "a10", "mail"]),
        ("state=unconsumed&sort=name", ["a2", "a10", "celery"]),
        ("sort=name&limit=1", ["a2"]),
    ],
)
def test_order_and_search(server: Server, query: str, expected: list[str]) -> None:
    """The table is sorted, searched and cut as the address says; what is unknown comes last."""
    watch(server, a2={"messages": 1}, a10={"messages": 7}, mail={"messages": 3})
    assert expected == rows(server.get(f"/queues?{query}").text)


@pytest.mark.parametrize("query", ["sort=nope", "state=nope", "limit=0", "limit=x"])
def test_refused_order(server: Server, query: str) -> None:
    """An address that makes no sense is refused in words."""
    assert 400 == server.get(f"/broker?{query}").status_code


def test_columns_that_are_never_filled(server: Server) -> None:
    """A column that this broker cannot fill is not there, and why is said."""
    watch(server, mail={"messages": 1})
    page = server.get("/broker").text
    assert ("Unacked</a>" in page, "does not tell how many messages of a queue workers hold" in page) == (False, True)


def test_columns_of_rabbitmq(server: Server) -> None:
    """What RabbitMQ tells is there."""
    info = {"messages": 5, "messages_ready": 3, "messages_unacknowledged": 2, "consumers": 4}
    watch(server, mail=info)
    page = server.get("/broker").text
    assert ("Unacked</a>" in page, "Messages</a>" in page) == (True, True)


def test_silent_broker(server: Server) -> None:
    """A broker that falls silent leaves its last numbers, with their time, and not an empty page."""
    broker = watch(server, mail={"messages": 4711})
    server.get("/broker")
    broker.failure = "Redis at x does not answer"
    server.app.cluster.queues._fresh_until = 0.0
    page = server.get("/broker").text
    assert ("numbers as of" in page, "Redis at x does not answer" in page, "4,711" in page) == (True, True, True)


def test_broker_that_never_answered(server: Server) -> None:
    """One that never answered is told as that."""
    watch(server).failure = "Redis at x does not answer"
    assert "The queues cannot be counted" in server.get("/broker").text


def test_nobody_could_be_asked(server: Server) -> None:
    """While a live worker did not say what it consumes, a queue is not called abandoned."""
    watch(server, lost={"messages": 5})
    server.feed(make.heartbeat("silent@host") | {"timestamp": time.time()}, now=time.time())
    page = server.get("/broker").text
    assert ("nobody could be asked" in page, "silent@host did not say" in page) == (True, True)


def test_priorities(server: Server) -> None:
    """Priority steps are shown beside their sum."""
    watch(server, mail={"messages": 7, "priorities": {0: 3, 9: 4}})
    page = server.get("/broker").text
    assert ("priority 0: 3" in page, "priority 9: 4" in page, "<b>7</b>" in page) == (True, True, True)


def test_queue(server: Server) -> None:
    """A queue's own page has its depth, its workers, its tasks by state, and the buttons."""
    watch(server, mail={"messages": 4711})
    server.feed(make.sent("a", queue="mail"), make.sent("b", queue="mail"), make.received("b"))
    page = server.get("/queue/mail").text
    wanted = ("4,711", "w1@host", "queue=mail&amp;state=PENDING", 'data-operation="queue.purge"', "cancel-consumer")
    assert [] == [text for text in wanted if text not in page]


def test_queue_without_a_worker(server: Server) -> None:
    """What to do about a queue that nobody consumes is said, and offered."""
    watch(server, lost={"messages": 5})
    page = server.get("/queue/lost").text
    assert ("celery worker -Q lost" in page, "add-consumer/w1@host" in page) == (True, True)


def test_hostile_queue(server: Server) -> None:
    """Whatever is in a name: it is shown as it is, and its page is found."""
    watch(server, **{HOSTILE: {"messages": 5}})
    listing = server.get("/broker").text
    page = server.get(f"/queue/{quote(HOSTILE, safe='')}")
    assert ("<script>alert" in listing, "<script>alert" in page.text, page.status_code) == (False, False, 200)
    assert escape(HOSTILE) in page.text
    assert f'href="/queue/{quote(HOSTILE, safe="@:")}"' in listing


def test_unknown_queue(server: Server) -> None:
    """A queue that nobody ever saw is not found."""
    watch(server)
    assert 404 == server.get("/queue/nope").status_code


def test_queue_that_is_gone(server: Server) -> None:
    """What was sampled of a queue that is no more can still be seen."""
    watch(server)
    sample(server, (60, ("gone", 5, None, 1)))
    assert "Nobody knows this queue any more" in server.get("/queue/gone").text


def test_depth(server: Server) -> None:
    """The chart's data come without the API, which may be closed."""
    now = sample(server, (20, ("mail", 9, None, 1)))
    chart = server.json("/broker/depth", queue="mail", window="15m")
    (ready,) = chart["series"]
    assert ("ready", 9) == (ready["name"], ready["values"][chart["x"].index(now - 20)])


@pytest.mark.parametrize("query", ["window=1y", "chart=nope"])
def test_refused_depth(server: Server, query: str) -> None:
    """A chart that is not there is refused."""
    assert 400 == server.get(f"/broker/depth?{query}").status_code


def test_no_buttons_without_permission(serve: Serve) -> None:
    """What the visitor may not do is not offered."""
    server = serve(open_api=False)
    watch(server, mail={"messages": 5})
    pages = server.get("/broker").text + server.get("/queue/mail").text
    assert "data-operation" not in pages


def test_region(server: Server) -> None:
    """htmx gets the one region that it asks for."""
    watch(server, mail={"messages": 5})
    answer = server.request("GET", "/broker", headers={"HX-Request": "true", "HX-Target": "queues"})
    assert ('<div id="queues"' in answer.text, "<html" in answer.text) == (True, False)
