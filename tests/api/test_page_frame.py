"""The frame of every page over HTTP: the actions that it offers, and to whom."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest

from flower.access import Access
from flower.utils.throttle import Throttle
from flower.views.actions import Actions
from tests.api.conftest import Serve, Server


def open_actions(prefix: str = "", **rules: bool) -> Actions:
    """What anybody is offered where the API is open."""
    access = Access(open_api=True, throttle=Throttle(), **rules)
    return Actions(access, access.user(None), prefix)


def attributes(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', html.partition(">")[0])}


def test_button_names_its_operation() -> None:
    """A button says what it does, to what, and where it is asked for, below the prefix and quoted."""
    found = attributes(open_actions("/flower").button("worker.shutdown", "w@h/1 <b>"))
    told = {name: found[name] for name in ("data-operation", "data-target", "data-url", "data-question")}
    assert {
        "data-operation": "worker.shutdown",
        "data-target": "w@h/1 <b>",
        "data-url": "/flower/api/worker/shutdown/w@h%2F1%20%3Cb%3E",
        "data-question": "Shut down w@h/1 <b>? Nothing starts it again from here.",
    } == told


def test_button_carries_arguments() -> None:
    """What is sent with an operation is JSON, whatever its characters."""
    html = open_actions().button("worker.queue.cancel-consumer", "w", arguments={"queue": "a\"b'&<"})
    assert {"queue": "a\"b'&<"} == json.loads(attributes(html)["data-arguments"])


def test_destructive_button_asks() -> None:
    """Only what destroys something is marked so."""
    actions = open_actions()
    marked = ["data-destructive" in actions.button(name, "w") for name in ("worker.shutdown", "worker.pool.grow")]
    assert [True, False] == marked


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("queue.purge", {}, True),
        ("task.revoke-many", {"search": "x"}, True),
        ("task.revoke-many", {"ids": ["1"]}, False),
        ("task.revoke", {}, False),
    ],
)
def test_button_that_counts_first(name: str, arguments: dict[str, object], expected: bool) -> None:
    """Where the first answer is a count and a token, the question waits for it."""
    assert expected == ("data-preview" in open_actions().button(name, "t", arguments=arguments))


def test_fields_come_from_the_arguments() -> None:
    """A form knows the type, the bounds, and the first value of its arguments."""
    html = open_actions().form("worker.pool.grow", "w", fields=(("n", "Processes"),), arguments={"n": 3})
    assert '<span class="act-label">Processes</span>' in html
    assert 'name="n" data-type="int" type="number" inputmode="decimal" step="1" min="1" max="1000" value="3"' in html


def test_nothing_is_offered_in_read_only() -> None:
    """What would be refused is no button, no form, and told as `may`."""
    actions = open_actions(read_only=True)
    assert ("", "", False, "read only") == (
        actions.button("worker.shutdown", "w"),
        actions.form("worker.pool.grow", "w"),
        actions.may("worker.shutdown"),
        actions.off,
    )


def test_closed_api_turns_actions_off(serve: Serve) -> None:
    """Without a login and without FLOWER_UNAUTHENTICATED_API pages offer nothing, and say what to set."""
    page = serve(open_api=False).get("/tasks").text
    assert "FLOWER_UNAUTHENTICATED_API" in page


def test_open_api_says_nothing_of_it(server: Server) -> None:
    """Where actions are on, nothing is said of them."""
    assert "FLOWER_UNAUTHENTICATED_API" not in server.get("/tasks").text


def test_own_pages_get_whole_answers(classic: Server) -> None:
    """With --classic_api, Flower's own scripts are still told an error with its facts."""
    answer = classic.request("POST", "/api/worker/shutdown/nobody", headers={"X-Requested-With": "Flower"})
    assert {"error": "Unknown worker 'nobody'", "status": 404} == answer.json()
