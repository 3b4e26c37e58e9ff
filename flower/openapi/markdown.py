"""The generated parts of docs/api.md: the heading and the notes of a route are written by hand, the rest is here."""

from __future__ import annotations

import json
import re
from typing import Any

from flower.openapi.document import Document, document
from flower.openapi.examples import curl, python

BASE = "http://localhost:5555"
BLOCK = re.compile(r"<!-- route: (GET|POST) (\S+) -->\n.*?<!-- end -->", re.DOTALL)
WIDTH = 100
MANY = 10**9
"""A limit that nobody needs to be told."""

OPEN = {
    "public": "everybody, without a login",
    "metrics": "everybody, without a login unless `--metrics_auth` asks for one",
}
"""For whom a route is whose permission is not a matter of roles."""


def fill(text: str) -> str:
    """The text with each `<!-- route: METHOD PATH --> ... <!-- end -->` made anew. KeyError for an unknown route."""
    whole = document()

    def block(found: re.Match[str]) -> str:
        method, path = found[1].lower(), found[2]
        inside = section(whole, method, path, whole["paths"][path][method])
        return f"<!-- route: {found[1]} {path} -->\n{inside}\n<!-- end -->"

    return BLOCK.sub(block, text)


def section(whole: Document, method: str, path: str, item: dict[str, Any]) -> str:
    """Summary, arguments, an example of the request in two languages, and the answer."""
    parts = [f"{item['summary']}.", *_table(rows(whole, item))]
    sample = next(iter(item["responses"]["200"]["content"].values())).get("example")
    parts.append(f"```sh\n{curl(BASE, method, path, item)}\n```")
    parts.append(f"```python\n{python(BASE, method, path, item)}\n```")
    if isinstance(sample, str):
        parts.append(f"```\n{sample.strip()}\n```")
    elif sample is not None:
        parts.append(f"```json\n{compact(sample)}\n```")
    statuses = ", ".join(status for status in item["responses"] if status != "200")
    roles = {"viewer": "viewers, operators and admins", "operator": "operators and admins", "admin": "admins"}
    who = OPEN.get(item["x-permission"]) or roles[item["x-role"]]
    parts.append(f"For {who}." + (f" Errors: {statuses}." if statuses else ""))
    return "\n\n".join(parts)


def rows(whole: Document, item: dict[str, Any]) -> list[dict[str, str]]:
    """The arguments as texts: name, where, type, default, help."""
    found = []
    for parameter in item["parameters"]:
        described = {**parameter["schema"], "description": parameter["description"]}
        found.append(_row(parameter["name"], parameter["in"], described, parameter["required"]))
    for content in item.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        for name, described in schema["properties"].items():
            found.append(_row(name, "body", described, name in schema.get("required", ())))
        if "allOf" in schema:
            names = ", ".join(f"`{name}`" for name in whole["components"]["schemas"]["TaskOptions"]["properties"])
            found.append({"name": "", "where": "body", "type": "", "default": "", "help": f"Options: {names}"})
    return found


def _row(name: str, where: str, schema: dict[str, Any], required: bool) -> dict[str, str]:
    kind = schema.get("title") or schema.get("type", "string")
    kind = kind if isinstance(kind, str) else kind[0]
    bounds = [schema.get("minimum"), schema.get("maximum")]
    if bounds[0] is not None:
        kind += f" {bounds[0]} to {bounds[1]}" if (bounds[1] or MANY) < MANY else f" from {bounds[0]}"
    elif bounds[1] is not None:
        kind += f" up to {bounds[1]}"
    if "enum" in schema:
        kind = ", ".join(map(str, schema["enum"]))
    default = "required" if required else json.dumps(schema["default"]).strip('"') if "default" in schema else ""
    return {"name": name, "where": where, "type": kind, "default": default, "help": schema["description"]}


def _table(found: list[dict[str, str]]) -> list[str]:
    if not found:
        return []
    lines = ["| argument | in | type | default | meaning |", "| --- | --- | --- | --- | --- |"]
    for row in found:
        name = f"`{row['name']}`" if row["name"] else "…"
        meaning = row["help"].replace("|", "\\|")
        lines.append(f"| {name} | {row['where']} | {row['type']} | {row['default']} | {meaning} |")
    return ["\n".join(lines)]


def compact(value: Any, indent: str = "") -> str:
    """JSON with as much on a line as fits."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + len(indent) <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return line
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {compact(item, deeper)}" for key, item in value.items()]
    else:
        items = [compact(item, deeper) for item in value]
    brackets = "{}" if isinstance(value, dict) else "[]"
    return f"{brackets[0]}\n{deeper}" + f",\n{deeper}".join(_joined(items)) + f"\n{indent}{brackets[1]}"


def _joined(items: list[str]) -> list[str]:
    """Short neighbours on one line."""
    lines: list[str] = []
    for item in items:
        fits = lines and "\n" not in item + lines[-1] and len(lines[-1]) + len(item) < WIDTH - 10
        if fits:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return lines
