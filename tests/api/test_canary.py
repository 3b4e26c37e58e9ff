"""A secret planted in every place is found in no answer, no file, no stream, no log."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from flower import urls
from flower.control import OPERATIONS
from flower.inspector import remote
from flower.utils.redaction import MASK
from tests import factories as make
from tests.api.conftest import Serve, Server
from tests.api.test_events import Listening

CANARY = "c4n4ry"
DICT = f"{{'password': '{CANARY}', 'n': 1}}"
ERROR = f"Denied('redis://u:{CANARY}@h/0', token='{CANARY}')"
REQUEST = {"id": "held", "name": "tasks.add", "args": [{"token": CANARY}], "kwargs": {"password": CANARY}}
URL = f"redis://user:{CANARY}@127.0.0.1:1/0"
TOLD = {
    "active": [{**REQUEST, "kwargs": DICT}],
    "reserved": [{**REQUEST, "id": "waits"}],
    "scheduled": [{"eta": "2030-01-01T00:00:00+00:00", "request": {**REQUEST, "id": "later"}}],
    "conf": {"broker_url": URL, "result_backend": URL, "mail_password": CANARY},
    "stats": {"broker": {"hostname": "h", "password": CANARY, "uri_prefix": URL}, "pool": {}},
    "active_queues": [],
    "registered": [],
    "revoked": [],
}
COLUMNS = {"tasks_columns": "name,uuid,args,kwargs,result,exception,traceback"}
EVENTS = [
    make.heartbeat(password=CANARY),
    make.sent("u", args=f"({DICT},)", kwargs=DICT),
    *make.success("u", args=f"({DICT},)", kwargs=DICT)[:2],
    make.succeeded("u", result=DICT) | {"api_key": CANARY},
    *make.failure("f")[:2],
    make.retried("f", exception=ERROR),
    make.failed("f", 9.0, exception=ERROR),
    make.event("task-progress", 4.0, uuid="p", secret=CANARY, step={"token": CANARY}),
    make.revoked("r") | {"note": DICT},
]
SAMPLES: dict[str, list[str] | None] = {
    r"/worker/(.+)$": [f"/worker/{make.WORKER}", f"/worker/{make.WORKER}?find=tasks"],
    r"/task/(.+)$": [f"/task/{uuid}?result=1" for uuid in ("u", "f", "p", "r", "held", "waits", "later")],
    r"/api/task/info/(.*)$": [f"/api/task/info/{uuid}" for uuid in ("u", "f", "p", "r", "held")],
    r"/tasks$": ["/tasks", f"/tasks?search={CANARY}", "/tasks?sort=kwargs"],
    r"/tasks/datatable$": ["/tasks/datatable?draw=1&start=0&length=50&order[0][column]=0"],
    r"/tasks/export$": ["/tasks/export?format=csv", "/tasks/export?format=jsonl"],
    r"/tasks/words$": ["/tasks/words", "/tasks/words?q=c4", "/tasks/words?field=kwargs&q=c4"],
    r"/complete$": ["/complete?q=c4", "/complete?q=task"],
    r"/queue/(.+)$": ["/queue/celery"],
    r"/api/workers$": ["/api/workers", f"/api/workers?workername={make.WORKER}"],
    r"/api/tasks$": ["/api/tasks", f"/api/tasks?search={CANARY}"],
    r"/api/task/result/(.+)$": [f"/api/task/result/{uuid}" for uuid in ("u", "f", "text", "gone")],
    r"/stream$": None,
    r"/api/events$": None,
    r"(/.+)/$": None,
    r"/api/.*$": ["/api/nothing"],
}
"""The addresses of routes whose pattern is not one; None for streams, which do not end."""
SAMPLES |= {f"{operation.pattern}$": None for operation in OPERATIONS if f"{operation.pattern}$" not in SAMPLES}
MASKED = [
    *("/tasks", "/tasks/export?format=csv", "/tasks/export?format=jsonl", SAMPLES[r"/tasks/datatable$"][0]),
    *("/task/u?result=1", "/task/held?result=1", f"/worker/{make.WORKER}?find=tasks", "/api/workers", "/api/tasks"),
    *("/api/task/info/u", "/api/task/result/u", "/api/task/result/f", "/api/task/result/text"),
]
"""Those that tell of what is around the secret."""
PATHS = [
    path
    for spec in urls.handlers
    for path in SAMPLES.get(spec.regex.pattern, [spec.regex.pattern.removesuffix("$").replace("\\.", ".")]) or []
]


@pytest.fixture
def planted(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest) -> Server:
    """A server that heard the secret in every place there is, and from a broker whose address has it."""

    def ask(_capp: Any, questions: dict[str, Any], *_: Any) -> dict[str, Any]:
        return {question: {make.WORKER: TOLD[question]} for question in questions}

    monkeypatch.setattr(remote, "ask", ask)
    server = serve(
        capp=Celery("tests", broker=URL, backend=f"file://{tmp_path}"), **(COLUMNS | getattr(request, "param", {}))
    )
    server.app.capp.conf.broker_transport_options = {"max_retries": 0, "socket_connect_timeout": 1}
    server.feed([dict(event) for event in EVENTS])
    assert server.get("/api/workers", refresh=1).status_code == 200
    backend = server.app.capp.backend
    backend.store_result("u", {"password": CANARY, "rows": [DICT]}, "SUCCESS")
    backend.store_result("text", DICT, "SUCCESS")
    backend.store_result("f", ValueError(ERROR), "FAILURE", traceback=ERROR)
    return server


@pytest.mark.parametrize("planted", [{}, {"classic_api": True}, {"format_task": lambda task: task}], indirect=True)
def test_no_answer_tells_it(planted: Server, caplog: pytest.LogCaptureFixture) -> None:
    """No route tells it, whatever is asked, and no log."""
    with caplog.at_level(logging.INFO):
        planted.request("POST", "/api/task/send-task/tasks.add", json={"kwargs": {"password": CANARY}})
        planted.request("POST", "/api/task/retry/u", json={"kwargs": {"password": CANARY}})
        told = {path: planted.get(path.replace(CANARY, "c4n4rz")).text for path in PATHS}
    assert [] == [path for path, text in told.items() if CANARY in text]
    assert [] == [path for path in MASKED if MASK not in told[path]]
    assert [] == [record.getMessage() for record in caplog.records if CANARY in record.getMessage()]


def test_search_tells_nothing(planted: Server) -> None:
    """Who searches for the secret finds as little as who searches for any other text."""
    found = [
        planted.json("/api/tasks", search=text)["total"] for text in (CANARY, f"kwargs:password={CANARY}", "n': 1")
    ]
    assert (0, 0, True) == (found[0], found[1], found[2] > 0)


def test_no_stream_tells_it(planted: Server) -> None:
    """What listeners hear of the same events is masked as well, be they new or of this life of the server."""
    with Listening(planted) as listening:
        planted.feed([dict(event) for event in EVENTS])
        told = json.dumps(listening.take(len(EVENTS)))
    with Listening(planted, search=CANARY) as listening:
        planted.feed([dict(event) for event in EVENTS], make.received("c4n4ry-free", name=CANARY))
        found = listening.take(1)[0]["data"]["uuid"]
    assert (False, True, "c4n4ry-free") == (CANARY in told, MASK in told, found)


def test_masked_arguments_are_not_used_again(planted: Server) -> None:
    """A task whose arguments are masked runs again only with others; the page says why its form is empty."""
    answer = planted.request("POST", "/api/task/retry/u")
    page = planted.get("/task/u").text
    assert (409, True) == (answer.status_code, "a secret in them is hidden (--redact)" in answer.json()["error"])
    assert "Not filled in. A secret in them is hidden." in page


def test_switched_off(serve: Serve) -> None:
    """With an empty --redact everything is told."""
    server = serve(redact=[""])
    server.feed([dict(event) for event in EVENTS])
    assert {"password": CANARY, "n": 1} == server.json("/api/task/info/u")["kwargs"]
