"""docs/api.md is true: the routes and names that it has are those that there are."""

from __future__ import annotations

import re
from pathlib import Path

from flower import urls
from flower.access import API_CLOSED
from flower.openapi import document
from flower.openapi.markdown import BLOCK, fill
from flower.store import TASK_STATES
from flower.utils import shapes
from tests import factories as make
from tests.api.conftest import Server

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
ROUTES = re.findall(r"^### (?:GET|POST) (/\S+)$", PAGE, re.MULTILINE)
PLAIN_PAGES = {
    "/",
    "/workers",
    "/worker/{}",
    "/task/{}",
    "/tasks",
    "/tasks/export",
    "/tasks/selection",
    "/tasks/words",
    "/complete",
    "/broker",
    "/broker/depth",
    "/queues",
    "/queue/{}",
    "/clusters",
    "/stream",
    "/login/?",
    "/logout",
}


def written(pattern: str) -> str:
    """A pattern as a reader writes it."""
    return re.sub(r"\(.*?\)", "{}", pattern.removesuffix("$")).replace("\\", "")


def test_every_route_is_described() -> None:
    """Every route for programs has its heading, and every heading its route."""
    known = {written(spec.regex.pattern) for spec in urls.handlers} - PLAIN_PAGES - {"{}/", "/api/.*"}
    assert known == {re.sub(r"\{.*?\}", "{}", route) for route in ROUTES}


def test_generated_parts() -> None:
    """Between heading and notes stands what the code makes: `python -m flower.openapi --markdown docs/api.md`."""
    assert fill(PAGE) == PAGE


def test_every_route_is_generated() -> None:
    """Every route of the description has its generated part."""
    known = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert known == {(found[1], found[2]) for found in BLOCK.finditer(PAGE)}


def test_every_field_is_described(server: Server) -> None:
    """Every field of a task, a worker and a task's information is in the examples or tables."""
    server.feed(make.heartbeat(), make.success("a"))
    task, worker = server.json("/api/task/info/a"), server.json("/api/workers")[make.WORKER]
    assert set() == {name for name in (*task, *worker) if f'"{name}"' not in PAGE and f"`{name}`" not in PAGE}


def test_states() -> None:
    """Every state is named."""
    assert [] == [state for state in TASK_STATES if f"`{state}`" not in PAGE]


def test_variable_is_described() -> None:
    """The variable that opens the API is named as the refusal names it."""
    assert f"`{API_CLOSED.split()[0]}" in PAGE


def test_classic_fields_are_31() -> None:
    """As many fields as the page says."""
    assert 31 == len(shapes.classic_task({}, []))
