"""What an operation is: its path, its arguments, who may, what is done. One entry says it all.

From it come the route, the parsing of arguments and their errors, the permission, the description
and the button.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flower.control.context import Context
from flower.control.errors import BadArgument, OperationError
from flower.utils.arguments import ArgumentError, convert
from flower.utils.texts import say

Answer = dict[str, Any]
Run = Callable[..., Awaitable[Answer]]
Kind = Literal["str", "int", "float", "bool", "list", "object"]

TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "object": (dict,),
}
WORDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "an array",
    "object": "an object",
}
TEXT_MOST = 4096


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: in the query, in a form, or in a JSON body. `minimum` and `maximum` are allowed values."""

    name: str
    type: Kind = "str"
    required: bool = False
    default: Any = None
    help: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    where: Literal["query", "body"] = "query"
    permission: str = ""
    """What is needed besides to give it: it does more than the operation."""
    classic_required: bool = False
    classic_error: str = ""
    """What Flower 2.x said of a wrong value."""

    def read(self, value: Any, classic: bool = False) -> Any:
        """The value, from a text or from JSON; as in Flower 2.x of any size. Raises ArgumentError."""
        try:
            return self._read(value, classic)
        except ArgumentError as error:
            if self.classic_error:
                error.classic = self.classic_error
            raise

    def _read(self, value: Any, classic: bool) -> Any:
        if value is None or (value == "" and self._empty_is_none(classic)):
            if self.required or (classic and self.classic_required):
                raise BadArgument(self.name, f"Missing argument {self.name}")
            return self.default
        if isinstance(value, str) and self.type in ("int", "float", "bool"):
            value = convert(self.name, value, {"int": int, "float": float, "bool": bool}[self.type])
        if not isinstance(value, TYPES[self.type]) or (isinstance(value, bool) and self.type != "bool"):
            raise BadArgument(self.name, f"{self.name} must be {WORDS[self.type]}")
        if isinstance(value, str) and len(value) > TEXT_MOST:
            raise BadArgument(self.name, f"{self.name} is longer than {TEXT_MOST} characters")
        if self.choices and value not in self.choices:
            raise BadArgument(self.name, f"Invalid {self.name} {value!r}, expected one of {', '.join(self.choices)}")
        return value if classic else self._bounded(value)

    def _empty_is_none(self, classic: bool) -> bool:
        """Whether an empty text means that nothing was given; Flower 2.x takes it for a wrong number."""
        return self.type != "list" and not (classic and self.type in ("int", "float", "bool") and not self.required)

    def _bounded(self, value: Any) -> Any:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            too_low = self.minimum is not None and value < self.minimum
            if too_low or (self.maximum is not None and value > self.maximum):
                raise BadArgument(self.name, f"Invalid {self.name} {value}, expected {self._range()}")
        return value

    def _range(self) -> str:
        word = WORDS[self.type]
        if self.maximum is None:
            return f"{word} of at least {self.minimum:g}"
        if self.minimum is None:
            return f"{word} of at most {self.maximum:g}"
        return f"{word} from {self.minimum:g} to {self.maximum:g}"


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done to a worker, a task, the tasks of a name, or a queue.

    `name` is also the permission. `run(context, target, **arguments)` does it; without a `target`
    in the path the target is None. With `options` every further member of the JSON body is
    handed to `run` as the mapping `options`.
    """

    name: str
    path: str
    target: Literal["worker", "task", "taskname", "queue", ""]
    run: Run
    help: str
    arguments: tuple[Argument, ...] = ()
    role: Literal["viewer", "operator", "admin"] = "operator"
    method: Literal["GET", "POST"] = "POST"
    options: bool = False
    waits: bool = False
    """Whether it may wait long, and need not be finished once nobody waits for the answer."""
    destructive: bool = False
    example: Answer = field(default_factory=dict)
    classic: tuple[str, ...] = ("message",)
    """The members of the answer that Flower 2.x gives too; none for what it does not have."""
    classic_message: str = ""
    """What Flower 2.x says whatever became of it; `{}` is the target."""
    forgiven: tuple[type[OperationError], ...] = ()
    """Failures of which Flower 2.x did not tell: there it says that it is done."""

    @property
    def label(self) -> str:
        """What a button says."""
        return say(f"operations.label.{self.name}")

    def question(self, target: str) -> str:
        """What a page asks before a destructive operation; empty for others."""
        return say(f"operations.ask.{self.name}", target=target) if self.destructive else ""

    @property
    def pattern(self) -> str:
        """The path as a regular expression."""
        return self.path.replace("{target}", "(.+)")

    def read(self, given: Mapping[str, Any], classic: bool = False) -> dict[str, Any]:
        """The arguments of `run` from what was sent. Raises ArgumentError."""
        arguments = {argument.name: argument.read(given.get(argument.name), classic) for argument in self.arguments}
        if self.options:
            arguments["options"] = {name: value for name, value in given.items() if name not in arguments}
        return arguments

    def permissions(self, given: Mapping[str, Any]) -> list[str]:
        """What is needed besides for these arguments. Raises ArgumentError."""
        guarded = [argument for argument in self.arguments if argument.permission]
        return [argument.permission for argument in guarded if argument.read(given.get(argument.name))]

    async def perform(self, context: Context, target: str | None, given: Mapping[str, Any]) -> Answer:
        """Do it with arguments as they were sent. Raises ArgumentError and OperationError."""
        if target is not None and len(target.encode("utf-8", "replace")) > TEXT_MOST:
            raise ArgumentError(f"The {self.target} is longer than {TEXT_MOST} bytes", self.target)
        return await self.run(context, target, **self.read(given, context.classic))


def queue_name(argument: str, name: str) -> str:
    """The name if a broker can have a queue of it."""
    if len(name.encode("utf-8", "replace")) > 255:  # AMQP's short string
        raise BadArgument(argument, f"{argument} is longer than 255 bytes")
    return encodable(argument, name)


def encodable(argument: str, text: str) -> str:
    """The text if it can be sent at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadArgument(argument, f"{argument} has characters that no message can hold") from None
    return text
