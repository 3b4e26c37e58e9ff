"""Buttons and small forms for operations, as safe HTML; what the visitor may not do is not offered.

static/js/actions.js makes them work: it asks, sends, and tells what came of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from urllib.parse import quote

from flower.access import PERMISSIONS, READ_ONLY_PERMISSIONS, Access, User
from flower.control import BY_NAME, Argument, Operation
from flower.utils.json import dumps
from flower.utils.template import humanize
from flower.utils.texts import say

Field = str | tuple[str, str]
"""The name of an argument, or the name and how it is labelled."""

LABELS = {
    name: say(f"operations.argument.{name}") for name in ("n", "ratelimit", "soft", "hard", "restart", "workername")
}
"""How arguments are labelled whose name says too little."""

CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Actions:
    """What one visitor is offered."""

    access: Access
    user: User | None
    prefix: str = ""

    def may(self, name: str) -> bool:
        """Whether the visitor's browser could do it: operations are asked for over the API."""
        return self.access.may(name, self.user, api=True)

    @property
    def off(self) -> str:
        """Why nothing at all can be done from here; empty when something can."""
        if any(self.may(name) for name in PERMISSIONS.keys() - READ_ONLY_PERMISSIONS):
            return ""
        if self.access.api_closed:
            return "closed"
        return "read_only" if self.access.read_only else "role"

    def button(
        self,
        name: str,
        target: str | None = None,
        label: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        look: str = "",
        *,
        fields: Sequence[Field] = (),
        question: str | None = None,
        report: str = "",
        title: str | None = None,
    ) -> str:
        """A button that does it, or nothing at all where the visitor may not.

        `arguments` go with it; `fields` are asked for in a dialog first, with the value in `arguments` as the
        first one. `report` is the id of the element that is told the answer.
        """
        if not self.may(name):
            return ""
        operation, given = BY_NAME[name], dict(arguments or {})
        asked = self._fields(operation, fields, given)
        attributes = self._attributes(operation, target, given, question, report)
        if asked:
            attributes["data-fields"] = _json(asked)
        attributes["title"] = _plain(operation.help) if title is None else title
        return _tag(
            "button", {"type": "button", "class": _classes(operation, look), **attributes}, _label(operation, label)
        )

    def form(
        self,
        name: str,
        target: str | None = None,
        fields: Sequence[Field] | None = None,
        label: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        look: str = "",
        *,
        question: str | None = None,
        report: str = "",
    ) -> str:
        """Its arguments as labelled inputs in a line with the button; nothing where the visitor may not."""
        if not self.may(name):
            return ""
        operation, given = BY_NAME[name], dict(arguments or {})
        wanted = fields if fields is not None else [each.name for each in operation.arguments if each.name != CONFIRM]
        shown = self._fields(operation, wanted, given)
        attributes = self._attributes(operation, target, given, question, report)
        button = _tag(
            "button",
            {"type": "submit", "class": _classes(operation, look), "title": _plain(operation.help)},
            _label(operation, label),
        )
        inputs = "".join(_labelled(field) for field in shown)
        return _tag("form", {"class": "act-form scripted", "novalidate": None, **attributes}, inputs + button)

    def _fields(self, operation: Operation, fields: Sequence[Field], given: dict[str, Any]) -> list[dict[str, Any]]:
        """What is asked for; arguments that do more than the visitor may are left out."""
        known = {argument.name: argument for argument in operation.arguments}
        pairs = [(field, "") if isinstance(field, str) else field for field in fields]
        return [
            _field(known[name], label, given.pop(name, None))
            for name, label in pairs
            if not known[name].permission or self.may(known[name].permission)
        ]

    def _attributes(
        self, operation: Operation, target: str | None, arguments: dict[str, Any], question: str | None, report: str
    ) -> dict[str, Any]:
        path = operation.path.replace("{target}", quote(target or "", safe="@:"))
        asked = operation.question(target or "") if question is None else question
        attributes: dict[str, Any] = {
            "data-operation": operation.name,
            "data-target": target or "",
            "data-url": self.prefix + path,
            "data-arguments": _json(arguments),
            "data-question": asked.strip(),
            "data-counts": say("operations.counts.queue" if operation.target == "queue" else "operations.counts.tasks"),
        }
        if operation.destructive:
            attributes["data-destructive"] = None
        # Without the token the first answer tells the count and does nothing: the question can hold it.
        if any(each.name == CONFIRM for each in operation.arguments) and "ids" not in arguments:
            attributes["data-preview"] = None
        if report:
            attributes["data-report"] = report
        return attributes


def _field(argument: Argument, label: str, value: Any) -> dict[str, Any]:
    """An argument as the page asks for it."""
    first = argument.default if value is None else value
    return {
        "name": argument.name,
        "type": argument.type,
        "label": label or LABELS.get(argument.name) or humanize(argument.name),
        "help": _plain(argument.help),
        "required": argument.required,
        "value": first,
        "min": argument.minimum,
        "max": argument.maximum,
        "choices": list(argument.choices),
    }


def _labelled(field: dict[str, Any]) -> str:
    """A field of a form: its label around its input."""
    words = f'<span class="act-label">{escape(field["label"])}</span>'
    inner = _input(field) + words if field["type"] == "bool" else words + _input(field)
    return _tag("label", {"class": f"act-field act-{field['type']}", "title": field["help"]}, inner)


def _input(field: dict[str, Any]) -> str:
    value, name = field["value"], field["name"]
    more: dict[str, Any] = {"name": name, "data-type": field["type"]}
    if field["required"]:
        more["required"] = None
    if field["choices"]:
        options = "".join(
            _tag("option", {"value": choice, **({"selected": None} if choice == value else {})}, escape(choice))
            for choice in field["choices"]
        )
        return _tag("select", more, options)
    if field["type"] == "bool":
        return _open_tag("input", {"type": "checkbox", **more, **({"checked": None} if value else {})})
    if field["type"] in ("int", "float"):
        bounds = {word: f"{field[word]:g}" for word in ("min", "max") if field[word] is not None}
        step = "1" if field["type"] == "int" else "any"
        more |= {"type": "number", "inputmode": "decimal", "step": step, **bounds}
    else:
        more |= {"type": "text", "autocomplete": "off", "spellcheck": "false"}
    return _open_tag("input", {**more, "value": "" if value is None else str(value)})


def _classes(operation: Operation, look: str) -> str:
    """Buttons need script: without it they are not shown."""
    return " ".join(filter(None, ("btn scripted", "btn-danger" if operation.destructive else "", look)))


def _label(operation: Operation, label: str | None) -> str:
    return escape(label or operation.label)


def _plain(text: str) -> str:
    return text.replace("`", "")


def _json(value: Any) -> str:
    return dumps(value).decode()


def _open_tag(name: str, attributes: Mapping[str, Any]) -> str:
    """An attribute without a value is given as None."""
    given = [key if value is None else f'{key}="{escape(str(value))}"' for key, value in attributes.items()]
    return f"<{' '.join([name, *given])}>"


def _tag(name: str, attributes: Mapping[str, Any], inner: str) -> str:
    return f"{_open_tag(name, attributes)}{inner}</{name}>"
