"""The requests of docs/api.md: what is written for curl and for Python is the same, and the server takes it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import unquote

import pytest
import requests

from tests.api.conftest import SECONDS, Server

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```sh\n(.*?)^```\s+^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
PLACE = "http://localhost:5555"
WRONG = {400, 401, 403, 405, 500}
"""What would be the example's fault."""


def of_curl(command: str) -> requests.PreparedRequest:
    """The request of a command line."""
    words = shlex.split(command)[1:]
    method, headers, body, url = "GET", {}, None, ""
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = words.pop(0).partition(": ")
            headers[name] = value
        elif word == "-d":
            method, body = "POST", words.pop(0)
        elif word != "-N":
            url = word
    return requests.Request(method, url, headers, data=body).prepare()


def of_python(code: str) -> requests.PreparedRequest:
    """The request that the code makes."""
    asked: list[requests.PreparedRequest] = []

    def ask(method: str, url: str, *, stream: bool = False, **arguments: Any) -> MagicMock:
        asked.append(requests.Request(method, url, **arguments).prepare())
        return MagicMock()

    client = MagicMock(get=lambda *a, **k: ask("GET", *a, **k), post=lambda *a, **k: ask("POST", *a, **k))
    exec(code, {"requests": client})
    (request,) = asked
    return request


def body_of(request: requests.PreparedRequest) -> Any:
    return json.loads(request.body) if request.body else None


@pytest.mark.parametrize(
    ("command", "code"), EXAMPLES, ids=[command.split("5555")[1].strip()[:50] for command, _ in EXAMPLES]
)
def test_requests(server: Server, command: str, code: str) -> None:
    """Both are the same request; it is understood, whatever there is to be found."""
    one, other = of_curl(command), of_python(code)
    assert one.url is not None
    assert other.url is not None
    assert (one.method, unquote(one.url), body_of(one)) == (other.method, unquote(other.url), body_of(other))
    assert one.url.startswith(PLACE)
    one.url = server.url + one.url.removeprefix(PLACE)
    with server.session.send(one, stream=True, timeout=SECONDS) as answer:
        told = "" if answer.ok else answer.text
        assert (False, False) == (answer.status_code in WRONG, "in the API" in told), told


def test_every_route_has_an_example() -> None:
    """None of the generated parts is without one."""
    assert len(EXAMPLES) == PAGE.count("<!-- route: ")
