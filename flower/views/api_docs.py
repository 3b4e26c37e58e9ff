"""The API as a page to read, made from the same tables as its OpenAPI document."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tornado.escape import xhtml_escape

from flower.openapi import Document, document
from flower.openapi.examples import curl, python
from flower.openapi.markdown import compact, rows
from flower.views import BaseHandler


@dataclass(frozen=True, slots=True)
class Entry:
    """One route, ready to be drawn."""

    id: str
    method: str
    path: str
    help: str
    role: str
    arguments: list[dict[str, str]]
    curl: str
    python: str
    answer: str
    errors: list[tuple[str, str]]
    """(status, what it means)."""


class ApiDocs(BaseHandler):
    """GET /api/docs: every route with its arguments, an example and its answers."""

    tab = "api"

    async def get(self) -> None:
        whole = document(self.site.url_prefix)
        base = f"{self.request.protocol}://{self.request.host}{self.site.url_prefix}"
        self.show(
            "api_docs.html", title="API", groups=groups(whole, base), about=whole["info"]["description"], ticked=ticked
        )


def groups(whole: Document, base: str) -> dict[str, list[Entry]]:
    """The routes by the heading that they stand under."""
    found: dict[str, list[Entry]] = {tag["name"]: [] for tag in whole["tags"]}
    for path, methods in whole["paths"].items():
        for method, item in methods.items():
            found[item["tags"][0]].append(_entry(whole, base, method, path, item))
    return found


def _entry(whole: Document, base: str, method: str, path: str, item: dict[str, Any]) -> Entry:
    shared = whole["components"]["responses"]
    errors = [
        (status, answer.get("description") or shared[status]["description"])
        for status, answer in item["responses"].items()
        if status != "200"
    ]
    sample = next(iter(item["responses"]["200"]["content"].values())).get("example")
    return Entry(
        id=item["operationId"].replace("/", "-"),
        method=method.upper(),
        path=path,
        help=item["summary"],
        role="" if item["x-permission"] == "public" else item["x-role"],
        arguments=rows(whole, item),
        curl=curl(base, method, path, item),
        python=python(base, method, path, item),
        answer=sample.strip() if isinstance(sample, str) else "" if sample is None else compact(sample),
        errors=errors,
    )


def ticked(text: str) -> str:
    """HTML of a text that has code between backticks."""
    return re.sub("`([^`]*)`", r"<code>\1</code>", xhtml_escape(text))
