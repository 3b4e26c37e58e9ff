"""A request as a line for curl and as lines of Python."""

from __future__ import annotations

import json
import pprint
import shlex
from typing import Any
from urllib.parse import quote, urlencode

Item = dict[str, Any]
WIDTH = 120
"""Longer lines are broken, as the formatter would."""


def body_of(item: Item) -> Any:
    """The example of the body, None without one."""
    contents = item.get("requestBody", {}).get("content", {})
    return next((content.get("example") for content in contents.values()), None)


def _address(base: str, path: str, item: Item) -> tuple[str, dict[str, Any]]:
    """The address with its path filled in, and the arguments that go behind it."""
    query = {}
    for parameter in item["parameters"]:
        value = parameter.get("example")
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", quote(str(value), safe="@"))
        elif parameter["in"] == "query" and value is not None:
            query[parameter["name"]] = json.dumps(value) if isinstance(value, bool) else value
    return base + path, query


def curl(base: str, method: str, path: str, item: Item) -> str:
    """The request for a shell."""
    address, query = _address(base, path, item)
    body = body_of(item)
    if query:
        address += "?" + urlencode(query, safe="/@")
    parts = ["curl"]
    if "text/event-stream" in item["responses"]["200"]["content"]:
        parts.append("-N")
    if method == "post" and body is None:
        parts += ["-X", "POST"]
    parts.append(shlex.quote(address))
    if body is not None:
        parts += ["-H 'Content-Type: application/json' -d", shlex.quote(json.dumps(body))]
    return " ".join(parts)


def python(base: str, method: str, path: str, item: Item) -> str:
    """The request with the package requests."""
    address, query = _address(base, path, item)
    body = body_of(item)
    arguments = [json.dumps(address)]
    if query:
        arguments.append(f"params={_literal(query)}")
    if body is not None:
        arguments.append(f"json={_literal(body)}")
    if "text/event-stream" in item["responses"]["200"]["content"]:
        lines = f"with requests.{method}({', '.join([*arguments, 'stream=True'])}) as answer:\n"
        return f"{lines}    for line in answer.iter_lines():\n        print(line.decode())"
    media = next(iter(item["responses"]["200"]["content"]))
    read = "json()" if media == "application/json" else "text"
    line = f"requests.{method}({', '.join(arguments)}).{read}"
    if len(line) <= WIDTH:
        return line
    inside = "".join(f"    {argument},\n" for argument in arguments)
    return f"requests.{method}(\n{inside}).{read}"


def _literal(value: Any) -> str:
    return pprint.pformat(value, width=1_000, compact=True, sort_dicts=False).replace("'", '"')
