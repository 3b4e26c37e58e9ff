"""Texts of an attacker in every fact and in every argument: shown as text, never run, never a fault of ours."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from flower import urls
from flower.api.control import OperationHandler
from flower.control.options import OPTIONS
from flower.utils.coercion import encodable
from flower.utils.lines import ONE_LINE
from flower.utils.replies import fitting
from flower.views.export import FORMULA
from flower.web import BaseHandler
from tests import factories as make
from tests.api.conftest import SECONDS, Server
from tests.api.impatient import PATIENCE, impatient
from tests.hostile import HOSTILE, MARK, SHORT

ELSEWHERE = (
    *("https://flower.readthedocs.io", "https://github.com/mher/flower"),
    "https://docs.celeryq.dev/en/stable/userguide/configuration.html#std-setting-",
)
"""What pages link to."""
KINDS = ("sent", "received", "started", "succeeded", "failed", "retried", "revoked", "rejected", "progress")
WORKER_KINDS = ("online", "heartbeat", "offline", "moved")
FIELDS = (
    *("name", "args", "kwargs", "eta", "expires", "root_id", "parent_id", "queue", "exchange", "routing_key"),
    *("result", "exception", "traceback", "signum", "note", "sw_ident", "sw_ver", "sw_sys", "loadavg"),
)
NUMBERS = ("retries", "runtime", "priority", "clock", "pid", "utcoffset", "freq", "active", "processed", "terminated")
EVERY = 5
"""Of the texts each argument gets every fifth in `make test`; `make fuzz` puts any into any."""
STREAMS = ("/stream$", "/api/events$")


def events_of(text: str) -> list[make.Event]:
    """Events of every kind with the text in every field, once as a task of its own, once as one that is known."""
    hostile = {**dict.fromkeys(FIELDS, text), text: text}
    kinds = [*(f"task-{kind}" for kind in KINDS), f"task-{text}"]
    tasks = [make.event(kind, at, text, **hostile, uuid=text) for at, kind in enumerate(kinds)]
    tasks += [make.event(kind, at, **hostile, uuid=f"known {text}") for at, kind in enumerate(kinds)]
    broken = [make.event(kind, 0.0, uuid="broken", **dict.fromkeys(NUMBERS, text)) for kind in kinds]
    online = [make.heartbeat(text, kind=f"worker-{kind}", **hostile) for kind in (*WORKER_KINDS, text)]
    online += [make.heartbeat(f"broken {text}", **dict.fromkeys(NUMBERS, text)), make.heartbeat(text)]
    return [*tasks, *broken, *(event | {"timestamp": text} for event in (*broken, *online)), *online]


def begun() -> AbstractContextManager[Server]:
    """A server that knows a worker and some tasks."""
    return impatient(make.success("known"), make.received("waits"), make.heartbeat())


@pytest.fixture(scope="module")
def plain() -> Iterator[Server]:
    """One that heard nothing evil."""
    with begun() as server:
        yield server


@pytest.fixture(scope="module")
def target() -> Iterator[Server]:
    """One that heard every hostile text in every place there is."""
    with begun() as server:
        for text in HOSTILE.values():
            server.feed(events_of(text))
        server.feed(make.heartbeat())
        for name in (*SHORT.values(), make.WORKER):
            server.app.inspector.workers[encodable(name)] = {**told(), "timestamp": server.app.events.state.clock()}
        yield server


def told() -> dict[str, Any]:
    """What a worker says of itself, hostile wherever it can be."""
    texts = list(SHORT.values())
    held = [{"id": text, "name": text, "args": text, "kwargs": text, "delivery_info": text} for text in texts]
    queues = [{"name": text, "routing_key": text, "exchange": {"name": text, "type": text}} for text in texts]
    answers = {
        "stats": {
            "pool": {text: text for text in texts},
            "total": dict.fromkeys(texts, 1),
            "broker": {"hostname": texts},
        },
        "conf": {text: text for text in texts},
        "registered": texts,
        "active_queues": queues,
        "active": held,
        "reserved": held,
        "scheduled": [{"eta": text, "priority": text, "request": held[0]} for text in texts],
        "revoked": texts,
    }
    return {question: fitting(question, reply) for question, reply in answers.items()}


class Page(HTMLParser):
    """What a browser would make of a page: its text, and what in it would run or lead elsewhere."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.told: list[str] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        kind = given.get("type", "")
        if tag == "script" and "src" not in given and kind != "application/json":
            self.faults.append(f"<script> {given}")
        if tag in ("iframe", "object", "embed", "base", "style") or "style" in given:
            self.faults.append(f"<{tag}> {given}")
        self.faults += [f"<{tag} {name}>" for name in given if name.startswith("on") or MARK in name]
        for name in ("href", "src", "action", "formaction", "data", "hx-get", "hx-post"):
            address = given.get(name, "/")
            if not address.startswith(("/", "#", "?", *ELSEWHERE)) or address[:2] in ("//", "/\\"):
                self.faults.append(f"<{tag} {name}={address}>")
        self.told += given.values()

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.told.append(data)

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.faults.append(f"comment {data}")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}>")

    unknown_decl = handle_pi


def problems_of(answer: requests.Response) -> list[str]:
    """What is wrong with an answer, whatever was asked."""
    found = [f"{answer.status_code}"] if answer.status_code >= 500 and answer.status_code not in (503, 504) else []
    found += [f"header {name}" for name, value in answer.headers.items() if MARK in name or "hostile" in name.lower()]
    if answer.headers.get("Location", "/")[:2] in ("//", "/\\", "ht"):
        found.append(f"Location {answer.headers['Location']}")
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if kind == "text/html":
        found += Page(answer.text).faults
    elif kind == "application/json":
        json.loads(answer.content)
    elif kind == "text/csv":
        # The reader of Python 3.10 refuses NUL.
        rows = csv.reader(io.StringIO(answer.content.decode().replace("\0", "")), strict=True)
        found += [f"formula {cell}" for row in rows for cell in row if cell.startswith(FORMULA)]
    elif kind == "application/x-ndjson":
        [json.loads(line) for line in answer.content.splitlines()]
    elif kind == "text/plain" and "version=0.0.4" in answer.headers["Content-Type"]:
        list(text_string_to_metric_families(answer.content.decode()))
    # What is no request at all gets no more than a status.
    if answer.headers and answer.headers["X-Content-Type-Options"] != "nosniff":
        found.append("may be sniffed")
    return found


def addressed(text: str) -> str:
    """The text as a part of an address, half surrogates and all."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def path_of(spec: urls.Url, target: str) -> str:
    """An address of the route with that target."""
    path = spec.regex.pattern.removesuffix("$").removesuffix("/?").replace("\\.", ".")
    return re.sub(r"[(].*?[)]|[.][*]", lambda _: target, path)


def method_of(spec: urls.Url) -> str:
    """POST for what does something."""
    return spec.handler_class.operation.method if issubclass(spec.handler_class, OperationHandler) else "GET"


ROUTES = [spec for spec in urls.handlers if spec.regex.pattern not in STREAMS]
QUESTIONS = [spec for spec in ROUTES if not issubclass(spec.handler_class, OperationHandler)]
TARGETED = [spec for spec in ROUTES if "(.+)" in spec.regex.pattern and spec.regex.pattern[1] != "/"]
FORMS = {
    "/tasks/export$": ["format=csv", "format=jsonl&which=all", "format=csv&which=all"],
    "/tasks/datatable$": ["draw=1&start=0&length=100&order[0][column]=0&columns[0][data]=name"],
    "/tasks$": ["limit=100"],
}


@pytest.mark.parametrize("spec", QUESTIONS, ids=lambda spec: spec.regex.pattern)
def test_every_answer(target: Server, spec: urls.Url) -> None:
    """With hostile texts in every fact no page, list, file or metric is broken, and nothing in it would run."""
    path = path_of(spec, "/" + addressed(HOSTILE["script"]))
    for query in ["", *FORMS.get(spec.regex.pattern, [])]:
        assert [] == problems_of(target.get(f"{path}?{query}"))


@pytest.mark.parametrize("name", SHORT)
def test_every_target(target: Server, name: str) -> None:
    """A worker, a task, a queue of a hostile name has its page and its answers, in which it is text."""
    for spec in TARGETED:
        answer = target.request(method_of(spec), path_of(spec, addressed(SHORT[name])))
        assert (spec.regex.pattern, []) == (spec.regex.pattern, problems_of(answer))


def arguments_of(server: Server, spec: urls.Url) -> set[str]:
    """The arguments that a route looks at."""
    asked: set[str] = set()

    def note(self: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        asked.add(name)
        return given(self, name, *args, **kwargs)

    def note_all(self: Any, name: str, strip: bool = True) -> list[str]:
        asked.add(name)
        return all_given(self, name, strip)

    given, all_given = BaseHandler.get_argument, BaseHandler.get_arguments
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseHandler, "get_argument", note)
        patch.setattr(BaseHandler, "get_arguments", note_all)
        for query in ["", *FORMS.get(spec.regex.pattern, [])]:
            server.request(method_of(spec), f"{path_of(spec, '/known')}?{query}")
    return asked


@pytest.mark.parametrize("spec", ROUTES, ids=lambda spec: spec.regex.pattern)
def test_every_argument(plain: Server, spec: urls.Url) -> None:
    """A hostile text in an argument is taken as one or refused in words."""
    known = make.WORKER if "/worker/" in spec.regex.pattern else "/known"
    form = dict(parse_qsl(FORMS.get(spec.regex.pattern, [""])[0]))
    for shift, name in enumerate(sorted(arguments_of(plain, spec))):
        for text in list(SHORT.values())[shift % EVERY :: EVERY]:
            query = "&".join(f"{key}={addressed(value)}" for key, value in {**form, name: text}.items())
            answer = plain.request(method_of(spec), f"{path_of(spec, known)}?{query}")
            assert (name, []) == (name, problems_of(answer))


@pytest.mark.parametrize("path", ["apply", "async-apply", "send-task"])
@pytest.mark.parametrize("option", ["args", "kwargs", "headers", "link", *OPTIONS])
def test_every_option(plain: Server, path: str, option: str) -> None:
    """A hostile text as an option of a task, or in it, is sent or refused in words."""
    for text in list(HOSTILE.values())[len(path + option) % EVERY :: EVERY]:
        for value in (text, [text], {text: text}):
            answer = plain.request("POST", f"/api/task/{path}/tasks.known", json={option: value, "timeout": PATIENCE})
            assert (option, []) == (option, problems_of(answer))
    assert [] == problems_of(plain.get("/api/audit?limit=100"))


@pytest.mark.parametrize(
    "header", ["Origin", "Cookie", "Authorization", "Host", "Last-Event-ID", "User-Agent", "Accept"]
)
def test_every_header(plain: Server, header: str) -> None:
    """A hostile header is no more than one."""
    for text in SHORT.values():
        value = re.sub(r"[\r\n]", "", text).strip().encode("utf-8", "replace")
        if b"\x00" not in value:
            answer = plain.request("GET", "/api/workers", headers={header: value})
            assert (header, []) == (header, problems_of(answer))


def test_stream(target: Server) -> None:
    """Of hostile events each is one message of the stream, with nothing beside what a message has."""
    events = [event for text in SHORT.values() if len(text) < 1000 for event in events_of(text)]
    with requests.get(f"{target.url}/api/events", stream=True, timeout=SECONDS) as answer:
        parts = answer.iter_content(None)
        # The opening is sent when the listener is known.
        assert b"retry: 2000\n\n" == next(parts)
        target.feed(events, make.heartbeat("the end"))
        told = b""
        while b'"the end"' not in told:
            told += next(parts)
    messages = told.split(b"\n\n")[:-1]
    lines = [line for message in messages for line in message.split(b"\n")]
    assert {b"id", b"data"} == {line.partition(b": ")[0] for line in lines}
    heard = [json.loads(line[6:])["type"] for line in lines if line.startswith(b"data")]
    assert {f"task-{text}" for text in SHORT.values() if len(text) < 1000 and text.isascii()} <= set(heard)


def test_log(target: Server, plain: Server, caplog: pytest.LogCaptureFixture) -> None:
    """What is logged of hostile requests and events stays one line each, and holds what was sent."""
    caplog.handler.addFilter(ONE_LINE)
    with caplog.at_level(logging.INFO):
        for text in SHORT.values():
            plain.get(f"/task/{addressed(text)}")
            plain.request(
                "POST", f"/api/task/revoke/{addressed(text)}", params={"signal": text.encode("utf-8", "replace")}
            )
    lines = [record.getMessage() for record in caplog.records]
    assert [] == [line for line in lines if len(line.splitlines()) > 1 or "\x1b" in line]
    assert len(SHORT) <= len(lines)
