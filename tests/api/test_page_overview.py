"""The overview: what it says of a cluster, and that its numbers are those of /api/stats."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from typing import Any

import pytest
import requests

from flower.queues import Queue, QueueReport
from tests import factories as make
from tests.api.conftest import Serve, Server


def text_of(answer: requests.Response) -> str:
    """The words of a page, as a reader sees them."""
    body = re.sub(r"<script.*?</script>", "", answer.text, flags=re.DOTALL).partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def links_of(answer: requests.Response) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]*)"', answer.text)]


def live(event: dict[str, Any]) -> dict[str, Any]:
    return event | {"timestamp": time.time()}


def connected(server: Server) -> Server:
    server.app.events.connected_since, server.app.events.failure = server.app.cluster.state.started_at - 60, None
    server.app.cluster.state.started_at -= 60
    return server


def busy(server: Server, failures: int = 3, successes: int = 5) -> Server:
    """A worker that is online, tasks that succeeded and failed."""
    connected(server)
    server.feed(live(make.heartbeat()))
    server.feed(*(make.success(f"s{number}", name="shop.add") for number in range(successes)))
    server.feed(*(make.failure(f"f{number}", name="pay.charge") for number in range(failures)))
    return server


def embedded(server: Server, slug: str, path: str = "/") -> dict[str, Any]:
    """The JSON of a chart as it stands in the page."""
    figure = server.get(path).text.partition(f'id="chart-{slug}"')[2]
    found: dict[str, Any] = json.loads(re.search(r'<script type="application/json">(.*?)</script>', figure)[1])  # type: ignore[index]
    return found


def test_empty_cluster(server: Server) -> None:
    """Before anything is heard nothing is promised, and it is told how to begin."""
    connected(server)
    text = text_of(server.get("/"))
    assert [True, True, False] == [words in text for words in ("Nothing heard yet", "celery -A proj worker", "well")]


def test_failures_are_told_and_lead_to_the_tasks(server: Server) -> None:
    """What fails is said in words, and the link shows exactly those tasks."""
    answer = busy(server).get("/")
    (link,) = [link for link in links_of(answer) if "search=failed%3A-6m" in link]
    assert "100% of pay.charge failed in the last 5 minutes" in text_of(answer)
    assert "name=pay.charge&state=FAILURE" in link


def test_broker_unreachable(server: Server) -> None:
    """A broker that cannot be reached is the first thing said."""
    server.app.events.disconnected_since, server.app.events.failure = time.time(), "Connection refused by test"
    text = text_of(server.get("/"))
    assert ("1 problem" in text, "Broker unreachable since" in text, "Connection refused by test" in text) == (
        True,
        True,
        True,
    )


@pytest.mark.parametrize("window", ["5m", "1h", "24h", "7d"])
def test_numbers_are_those_of_the_api(server: Server, window: str) -> None:
    """The page links the statistics of its span, and says what they say."""
    answer = busy(server).get("/", window=window)
    (link,) = {link for link in links_of(answer) if link.startswith("/api/stats")}
    states = server.json(link)["total"]["states"]
    text = text_of(answer)
    assert {"RECEIVED": 8, "STARTED": 8, "SUCCESS": 5, "FAILURE": 3} == states
    assert ("Succeeded 5" in text, "Failed 3 38% of 8" in text) == (True, True)


@pytest.mark.parametrize("window", ["5m", "1h", "24h", "7d"])
def test_charts_add_up_to_the_numbers(server: Server, window: str) -> None:
    """Every step together is what the tile says, whatever the steps."""
    series = embedded(busy(server), "ended", f"/?window={window}")["series"]
    assert [("SUCCESS", 5), ("FAILURE", 3), ("RECEIVED", 8)] == [
        (each["name"], sum(value or 0 for value in each["values"])) for each in series
    ]


def test_steps_of_five_minutes(server: Server) -> None:
    """The shortest window is drawn by five seconds."""
    assert 5 == embedded(busy(server), "ended", "/?window=5m")["step"]


def test_chart_for_itself(server: Server) -> None:
    """A chart is asked for again without its page, with the same shape."""
    busy(server)
    chart = server.json("/", chart="failed")
    assert ([3, 0], ["start", "end", "step", "unit", "x", "series"]) == (
        [sum(value or 0 for value in series["values"]) for series in chart["series"]],
        list(chart),
    )


def test_numbers_and_lists_come_together(server: Server) -> None:
    """htmx gets the numbers, and with them the lists, in one answer without the page around them."""
    headers = {"HX-Request": "true", "HX-Target": "overview-now"}
    answer = busy(server).request("GET", "/", headers=headers)
    assert (200, True, 1) == (
        answer.status_code,
        answer.text.lstrip().startswith('<div id="overview-now"'),
        answer.text.count('id="overview-lists" class="overview-lists" hx-swap-oob="morph"'),
    )


def test_charts_come_together(server: Server) -> None:
    """All charts are asked for at once, each in the shape that it has alone."""
    busy(server)
    together = server.json("/", chart="all")["charts"]
    assert ({"ended", "failed", "waiting", "runtime"}, server.json("/", chart="failed")["series"]) == (
        set(together),
        together["failed"]["series"],
    )


def test_order_and_window_stay_in_the_address(server: Server) -> None:
    """Choosing an order keeps the window, choosing a window keeps the order."""
    links = links_of(busy(server).get("/", window="24h", order="failed"))
    assert [True, True] == [
        link in links for link in ("/?window=24h&order=p95#names-title", "/?window=7d&order=failed")
    ]


def test_own_span(server: Server) -> None:
    """A span that was dragged shows what happened within, and not what came after."""
    busy(server)
    past = time.time() - 7200
    answer = server.get("/", start=past, end=past + 600)
    assert (True, True) == ("Succeeded 0" in text_of(answer), "No task did anything in this time" in text_of(answer))


@pytest.mark.parametrize(
    "arguments", [{"window": "2h"}, {"order": "x"}, {"chart": "nope"}, {"start": "9", "end": "5"}, {"start": "x"}]
)
def test_wrong_arguments(server: Server, arguments: dict[str, str]) -> None:
    """A wrong argument is a 400 on a page that names it."""
    answer = server.get("/", **arguments)
    assert (400, True) == (answer.status_code, f"Invalid {next(iter(arguments))}" in answer.text)


def test_saturation_is_bounded(server: Server) -> None:
    """The fullest workers are listed, the others counted."""
    connected(server)
    for number in range(14):
        name = f"celery@w{number:02}"
        server.feed(live(make.heartbeat(name, active=number % 5)))
        server.app.inspector.workers[name] = {"stats": {"pool": {"max-concurrency": 4}}, "timestamp": time.time()}
    text = text_of(server.get("/"))
    assert [True, True, True] == [words in text for words in ("celery@w04 4 of 4", "and 4 more", "of 56 slots")]


def test_queue_depths(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queues are listed with what waits in them, the fullest first, and a lonely one is a problem."""
    busy(server).app.inspector.workers[make.WORKER] = {"active_queues": [], "timestamp": time.time()}

    async def read() -> QueueReport:
        return QueueReport([Queue("a", 1, consumers=["w"]), Queue("mail", 40)], None, time.time())

    monkeypatch.setattr(server.app.cluster.queues, "read", read)
    text = text_of(server.get("/"))
    assert [True, True] == [
        words in text for words in ("mail no consumer 40 a 1", "mail has 40 messages and no consumer")
    ]


def test_hostile_names_are_escaped(server: Server) -> None:
    """A name is text wherever the overview shows it."""
    connected(server)
    server.feed(*(make.failure(f"h{number}", name="<script>alert(1)</script>") for number in range(3)))
    assert "<script>alert" not in server.get("/").text


def test_prefix(serve: Serve) -> None:
    """Below a prefix every address of the page has it."""
    server = busy(serve(url_prefix="ops/flower"))
    page = server.get("/ops/flower/").text
    found = re.findall(r'(?:href|data-src|data-zoom|hx-get)="(/[^"]*)"', page)
    charts = [series["link"] for series in embedded(server, "failed", "/ops/flower/")["series"]]
    assert [] == [link for link in [*found, *charts] if not link.startswith("/ops/flower/")]


def test_without_auto_refresh(serve: Serve) -> None:
    """With auto_refresh off nothing of the page asks again."""
    page = busy(serve(auto_refresh=False)).get("/").text.partition("<main")[2]
    assert (False, False) == ("hx-get" in page, "data-src" in page)
