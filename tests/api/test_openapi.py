"""The description of the API: valid, complete, and what docs/openapi.json says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from flower import urls
from flower.access import LOWEST_ROLE, PERMISSIONS
from flower.api.audit import LIMIT_MOST as AUDIT_MOST
from flower.api.audit import OFFSET_MOST
from flower.api.stats import GROUPS
from flower.api.tasks import LIMIT, LIMIT_MOST, SORTABLE
from flower.control import OPERATIONS, Operation
from flower.control.options import OPTIONS
from flower.openapi import commands, document
from flower.openapi.__main__ import main, text
from flower.openapi.reading import SORTABLE as TOLD_SORTABLE
from flower.openapi.schemas import ANSWERS
from flower.utils import shapes
from tests import factories as make
from tests.api.conftest import Serve, Server

DOCS = Path(__file__).parents[2] / "docs"
WHOLE = document()
ITEMS = [(method, path, item) for path, methods in WHOLE["paths"].items() for method, item in methods.items()]


def parameters(path: str, method: str = "get") -> dict[str, Any]:
    return {parameter["name"]: parameter for parameter in WHOLE["paths"][path][method]["parameters"]}


def faults(schema: str | dict[str, Any], value: Any) -> list[str]:
    """Where the value differs from a schema, or from one that is named."""
    wanted = {"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema
    validator = jsonschema.Draft202012Validator({**wanted, "components": WHOLE["components"]})
    return [error.message for error in validator.iter_errors(value)]


def test_valid() -> None:
    """It is an OpenAPI 3.1 document."""
    assert [] == [error.message for error in OpenAPIV31SpecValidator(WHOLE).iter_errors()]


def test_file() -> None:
    """docs/openapi.json is what the code makes: `python -m flower.openapi > docs/openapi.json`."""
    assert text() == (DOCS / "openapi.json").read_text(encoding="utf-8")


def test_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command writes the document."""
    assert 0 == main([])
    assert WHOLE == json.loads(capsys.readouterr().out)


def test_command_wrongly_used() -> None:
    """Anything else than the one option is told."""
    assert 2 == main(["--what"])


def test_every_route() -> None:
    """Every route under /api is in it, with its methods, and the other way round."""
    known = set()
    for spec in urls.handlers:
        path = re.sub(r"\(.*?\)", "{}", spec.regex.pattern.removesuffix("$")).replace("\\", "")
        if path.startswith("/api/") and path != "/api/.*":
            known |= {(name.lower(), path) for name in ("GET", "POST") if _answers(spec.handler_class, name)}
    told = {(method, re.sub(r"\{.*?\}", "{}", path)) for method, path, _ in ITEMS if path.startswith("/api/")}
    assert known == told


def _answers(handler: Any, method: str) -> bool:
    return method in handler.allowed_methods(object.__new__(handler)).split(", ")


@pytest.mark.parametrize("method, path, item", ITEMS, ids=lambda value: value if isinstance(value, str) else "")
def test_permission(method: str, path: str, item: dict[str, Any]) -> None:
    """The permission and the role are those of the handler."""
    plain = re.sub(r"\{.*?\}", "x", path)
    handler = next(spec.handler_class for spec in urls.handlers if spec.regex.match(plain))
    assert (handler.permission, LOWEST_ROLE[handler.permission]) == (item["x-permission"], item["x-role"])
    assert item["x-permission"] in PERMISSIONS


def test_ids_are_unique() -> None:
    """No two routes have one operationId."""
    assert len(ITEMS) == len({item["operationId"] for _, _, item in ITEMS})


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operations(operation: Operation) -> None:
    """Each has its answer's schema, which its example fits, and each of its arguments is told."""
    assert [] == faults(ANSWERS[operation.name], operation.example)
    item = WHOLE["paths"][commands.path_of(operation)][operation.method.lower()]
    told = {parameter["name"] for parameter in item["parameters"] if parameter["in"] == "query"}
    for content in item.get("requestBody", {}).get("content", {}).values():
        told |= content["schema"]["properties"].keys()
    assert {argument.name for argument in operation.arguments} == told


def test_options() -> None:
    """The options of `apply_async` are those that are read."""
    assert list(OPTIONS) == list(commands.OPTIONS)


@pytest.mark.parametrize("method, path, item", ITEMS, ids=lambda value: value if isinstance(value, str) else "")
def test_examples(method: str, path: str, item: dict[str, Any]) -> None:
    """Examples fit their schemas."""
    contents = [item["responses"]["200"]["content"], item.get("requestBody", {}).get("content", {})]
    for content in [content for found in contents for content in found.values() if "example" in content]:
        assert [] == faults(content["schema"], content["example"])


def test_limits() -> None:
    """Defaults and limits are those that hold."""
    assert {"type": "integer", "minimum": 0, "maximum": LIMIT_MOST, "default": LIMIT} == parameters("/api/tasks")[
        "limit"
    ]["schema"]
    assert sorted(SORTABLE) == TOLD_SORTABLE
    audit = parameters("/api/audit")
    assert (AUDIT_MOST, OFFSET_MOST) == (audit["limit"]["schema"]["maximum"], audit["offset"]["schema"]["maximum"])
    assert list(GROUPS) == parameters("/api/stats")["by"]["schema"]["enum"]


@pytest.mark.parametrize("module", ["audit", "events", "stats", "tasks", "workers"])
def test_every_argument(module: str) -> None:
    """What a reading handler asks for is told, and nothing else."""
    source = Path(urls.HERE, "api", f"{module}.py").read_text(encoding="utf-8")
    asked = set(re.findall(r"(?:get_argument|_filter|_time)\(\"(\w+)\"", source))
    paths = {"tasks": "/api/tasks"}.get(module, f"/api/{module}")
    assert asked == {name for name, told in parameters(paths).items() if told["in"] == "query"}


def test_shapes() -> None:
    """Tasks and workers have exactly the members that are told."""
    schemas = WHOLE["components"]["schemas"]
    assert shapes.task({}).keys() == schemas["Task"]["properties"].keys()
    assert shapes.task_info({}, None, []).keys() == schemas["TaskInfo"]["properties"].keys()
    assert shapes.worker(None, {}, None, 0.0).keys() == schemas["Worker"]["properties"].keys()


def test_answers(server: Server) -> None:
    """Real answers fit."""
    server.feed(make.heartbeat(), make.success("a"), make.retry_then_success("b"), make.failure("c"))
    for path, schema in (
        ("/api/tasks", "TaskPage"),
        ("/api/task/info/a", "TaskInfo"),
        ("/api/task/info/b", "TaskInfo"),
        ("/api/task/types", "TaskTypes"),
        ("/api/workers", "Workers"),
        ("/api/workers?status=1", "Workers"),
        ("/api/queues/length", "QueueLengths"),
        ("/api/stats?step=1h&window=7d", "Stats"),
        ("/api/queues/history?queue=celery", "QueueHistory"),
        ("/api/audit", "AuditPage"),
    ):
        assert [] == faults(schema, server.json(path))
    assert [] == faults("Error", server.get("/api/task/info/nope").json())


def test_served(server: Server) -> None:
    """The server gives it, as JSON."""
    assert WHOLE == server.json("/api/openapi.json")


def test_prefix(serve: Serve) -> None:
    """Below a prefix the server is named with it."""
    server = serve(url_prefix="watch")
    assert [{"url": "/watch"}] == server.json("/watch/api/openapi.json")["servers"]


def test_closed(serve: Serve) -> None:
    """It is closed as the API is."""
    assert 401 == serve(open_api=False).get("/api/openapi.json").status_code


def test_page(server: Server) -> None:
    """The page has every route, its example for this server, and no script or style of its own."""
    answer = server.get("/api/docs")
    assert 200 == answer.status_code
    assert [] == [path for _, path, _ in ITEMS if f">{path}</span>" not in answer.text]
    assert f"{server.url}/api/worker/pool/grow/celery@worker1?n=2" in answer.text
    page = answer.text.partition("<main")[2].partition("</main>")[0]
    assert [] == re.findall(r"<script|<style| style=| on\w+=", page)


def test_footer_leads_to_page(server: Server) -> None:
    """Every page has the way to it at its foot."""
    assert 'href="/api/docs">API</a>' in server.get("/workers").text


def test_page_below_prefix(serve: Serve) -> None:
    """Its examples have the prefix."""
    server = serve(url_prefix="watch")
    assert f"{server.url}/watch/api/tasks" in server.get("/watch/api/docs").text
