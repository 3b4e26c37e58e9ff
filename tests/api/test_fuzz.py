"""Requests made from the API's own description: nothing a client sends makes a 500, and answers are as described."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import checks
from schemathesis.core.failures import FailureGroup

from flower.openapi import document
from tests import factories as make
from tests.api.conftest import SECONDS, Server
from tests.api.impatient import PATIENCE, TASK, impatient

EXAMPLES = 30
"""Requests for each route, twice."""

WHOLE = document()
STREAM = "/api/events"
KNOWN = {"workername": make.WORKER, "uuid": "a", "taskname": TASK, "queue": "celery"}


CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
# A copy: what is sent is changed on its way, and the examples belong to the document.
schema = schemathesis.openapi.from_dict(deepcopy(WHOLE))
bounded = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def target() -> Iterator[Server]:
    """A server that knows a worker and a few tasks."""
    with impatient(make.heartbeat(), make.success("a"), make.failure("b"), make.received("c")) as server:
        yield server


def send(server: Server, case: Any) -> tuple[int, str]:
    """Send it; the status, and in what the answer differs from its description."""
    if isinstance(case.query, dict) and "timeout" in case.query:
        case.query["timeout"] = PATIENCE
    if isinstance(case.body, dict) and isinstance(case.body.get("timeout"), (int, float)):
        case.body["timeout"] = min(case.body["timeout"], PATIENCE)
    answer = case.call(base_url=server.url, session=server.session, timeout=SECONDS, allow_redirects=False)
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as failures:
        return answer.status_code, "\n".join(map(str, failures.exceptions))
    return answer.status_code, ""


@schema.exclude(path=STREAM).parametrize()
@bounded
def test_anything(case: Any, target: Server) -> None:
    """Whatever is sent, the answer is described, and never a fault of ours: 503 and 504 tell of others."""
    status, differs = send(target, case)
    assert (False, "") == (status == 500, differs)


@schema.include(path_regex="[{]").parametrize()
@bounded
def test_known_targets(case: Any, target: Server) -> None:
    """Also when it is about a worker, a task or a queue that there is."""
    for name in case.path_parameters:
        case.path_parameters[name] = KNOWN[name]
    status, differs = send(target, case)
    assert (False, "") == (status == 500, differs)


@schema.include(path=STREAM).parametrize()
@bounded
def test_stream(case: Any, target: Server) -> None:
    """The stream, which does not end, begins as described or tells what is wrong."""
    sent = case.as_transport_kwargs(base_url=target.url)
    with target.session.request(**sent, timeout=SECONDS, stream=True) as answer:
        assert answer.status_code in (200, 400)
        kind = "text/event-stream" if answer.status_code == 200 else "application/json"
        assert answer.headers["Content-Type"].startswith(kind)
