"""The OpenAPI 3.1 document, put together from the tables."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

from flower import __version__
from flower.access import LOWEST_ROLE, PUBLIC
from flower.control import Operation
from flower.openapi import commands
from flower.openapi.reading import ROUTES
from flower.openapi.route import JSON, Parameter, Route, Schema
from flower.openapi.schemas import ref, schemas

Document = dict[str, Any]

DESCRIPTION = (
    "Watches and commands a Celery cluster. Times are seconds since the epoch; what is unknown is null. Arguments in "
    "the address can also be sent as a form, those of commands also as members of a JSON body. "
    "With `--classic_api` the answers have the shapes of Flower 2.x instead of these."
)

MEANINGS: dict[int, str] = {
    400: "An argument is missing or wrong; `argument` names it",
    401: "A login is missing or wrong, or the API is closed",
    403: "Not allowed: read-only mode, the role, another web site, or the worker refused",
    404: "There is no such worker, task or queue",
    409: "The worker is offline, the state does not allow it, or a confirmation is needed",
    429: "Too many failed logins from this address",
    503: "The broker, the store or the result backend fails, or there is none; or too many listen",
    504: "No reply from the worker",
}

SCHEMES = {
    "basic": {"type": "http", "scheme": "basic", "description": "A user of `--basic_auth`"},
    "key": {"type": "http", "scheme": "bearer", "description": "A key of `--api_keys`"},
}
TAGS = (
    *("Workers", "Tasks", "Queues", *commands.TAGS.values()),
    *("Statistics", "Live events", "Audit", "Clusters", "Description", "Machines that watch"),
)
"""The headings, in the order of reading."""

OPEN: list[dict[str, list[str]]] = [{"basic": []}, {"key": []}, {}]
"""Any of these; nothing is needed where the API was opened to everybody."""


def document(prefix: str = "") -> Document:
    """The document of a server whose paths are below the prefix."""
    return {**_document(), "servers": [{"url": prefix or "/"}]}


@functools.cache
def _document() -> Document:
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})["get"] = _route(route)
    for operation in commands.all_operations():
        paths.setdefault(commands.path_of(operation), {})[operation.method.lower()] = _operation(operation)
    options = {name: {"anyOf": [schema, {"type": "null"}]} for name, schema in commands.OPTIONS.items()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Flower",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": "/"}],
        "security": OPEN,
        "tags": [{"name": tag} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": {**schemas(), "TaskOptions": {"type": "object", "properties": options}},
            "responses": _problems(JSON, ref("Error")),
            "securitySchemes": SCHEMES,
        },
    }


def _problems(media: str, schema: Schema) -> dict[str, Any]:
    return {str(status): _problem(status, media, schema) for status in MEANINGS}


def _problem(status: int, media: str, schema: Schema) -> dict[str, Any]:
    problem: dict[str, Any] = {"description": MEANINGS[status], "content": {media: {"schema": schema}}}
    if status == 429:
        problem["headers"] = {"Retry-After": {"description": "In seconds", "schema": {"type": "string"}}}
    return problem


def _route(route: Route) -> dict[str, Any]:
    schema = ref(route.schema) if isinstance(route.schema, str) else route.schema
    content = {media: {"schema": schema} for media in route.media}
    if route.example is not None:
        content[route.media[0]]["example"] = route.example
    item = {
        "operationId": route.path.removeprefix("/api").strip("/").replace("/", ".").replace(".{uuid}", ""),
        "tags": [route.tag],
        "summary": route.help,
        "x-permission": route.permission,
        "x-role": LOWEST_ROLE[route.permission],
        "parameters": [_parameter(parameter, set()) for parameter in route.parameters],
        "responses": _responses(content, route.errors, route.permission == PUBLIC, route.media[0]),
    }
    return {**item, "security": []} if route.permission == PUBLIC else item


def _operation(operation: Operation) -> dict[str, Any]:
    parameters, required = commands.parameters_of(operation)
    permission, role = commands.permission_of(operation)
    content = {JSON: {"schema": ref(commands.answer_of(operation)), "example": operation.example}}
    item = {
        "operationId": operation.name,
        "tags": [commands.tag_of(operation)],
        "summary": operation.help,
        "x-permission": permission,
        "x-role": role,
        "parameters": [_parameter(parameter, required) for parameter in parameters],
        "responses": _responses(content, commands.errors_of(operation)),
    }
    body = commands.body_of(operation)
    return {**item, "requestBody": body} if body else item


def _parameter(parameter: Parameter, required: set[str]) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.default is not None:
        schema["default"] = parameter.default
    described = {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.help,
        "required": parameter.where == "path" or parameter.name in required,
        "schema": schema,
    }
    return described if parameter.example is None else {**described, "example": parameter.example}


def _responses(
    content: dict[str, Any], errors: Iterable[int], public: bool = False, media: str = JSON
) -> dict[str, Any]:
    told: dict[str, Any] = {"200": {"description": "Done", "content": content}}
    for status in sorted({*errors, *(() if public else (401, 429))}):
        # Pages and what watchers ask tell their errors in their own form.
        own = media if media.startswith("text/") and media != "text/event-stream" else None
        shared = {"$ref": f"#/components/responses/{status}"}
        told[str(status)] = shared if own is None else _problem(status, own, {"type": "string"})
    return told
