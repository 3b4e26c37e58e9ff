"""The plan of the house: what may import what, and how large a room may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(path.relative_to(ROOT) for path in (ROOT / "flower").rglob("*.py") if "migrations" not in path.parts)

FLOORS: list[set[str]] = [
    {"flower", "flower.apikeys", "flower.passwords", "flower.utils"},
    {"flower.control", "flower.inspector", "flower.login", "flower.options"},
    {"flower.access", "flower.admission", "flower.manual", "flower.settings", "flower.store"},
    {"flower.banner", "flower.clusters", "flower.ingest", "flower.shown"},
    {"flower.maintenance", "flower.worker"},
    {"flower.losses", "flower.workers"},
    {"flower.state"},
    {
        "flower.audit",
        "flower.feed",
        "flower.live",
        "flower.metrics",
        "flower.otlp",
        "flower.queues",
        "flower.utils.tasks",
    },
    {"flower.backlog"},
    {"flower.events", "flower.health", "flower.sampler"},
    {"flower.cluster"},
    {"flower.standing"},
    {"flower.catchup", "flower.gate", "flower.openapi", "flower.operate", "flower.problems", "flower.watch"},
    {"flower.site"},
    {"flower.visitor"},
    {"flower.web"},
    {"flower.api", "flower.assets", "flower.views"},
    {"flower.signin", "flower.urls", "flower.watched"},
    {"flower.app", "flower.rights"},
    {"flower.launch"},
    {"flower.command"},
    {"flower.__main__"},
]
"""From the ground up. A part imports from floors below its own, and from itself; never from its neighbour."""

DOOR = "flower.visitor"
"""From this floor up `tornado.web` is known; below it nobody knows HTTP."""

OPTION_READERS = {"flower.options", "flower.command", "flower.launch", "flower.app"}
"""Who may import Tornado's options; every other part gets what it needs as arguments."""

INNER_IMPORTS: dict[tuple[str, str], str] = {
    ("flower/store/locate.py", "flower.store.postgres"): "its driver need not be installed",
    ("flower/otlp/export.py", "flower.otlp.sdk"): "OpenTelemetry's packages need not be installed",
    **{
        ("flower/store/migrate.py", f"alembic.{module}"): "a tenth of a second that only an upgrade needs"
        for module in ("migration", "operations", "script")
    },
}
"""(file, module) -> reason: the imports inside functions, for drivers that need not be installed."""


def module_of(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """The part that a module belongs to: the longest name in FLOORS that is its own or that of a package around it."""
    names = sorted((name for floor in FLOORS for name in floor), key=len, reverse=True)
    return next(name for name in names if f"{module}.".startswith(f"{name}."))


def floor_of(part: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    """What an import statement names: `from flower import state` means flower.state."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    known = {module_of(path) for path in FILES}
    full = [f"{node.module}.{alias.name}" for alias in node.names]
    return [name if name in known else str(node.module) for name in full]


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            for target in targets(node):
                yield node.lineno, target


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_floors(path: Path) -> None:
    """A module imports only from its own part and from floors below."""
    own = part_of(module_of(path))
    assert [] == [
        f"{path}:{line}: {own} (floor {floor_of(own)}) imports {target} (floor {floor_of(part)})"
        for line, target in imports(tree_of(path))
        if target.partition(".")[0] == "flower"
        if (part := part_of(target)) and part != own and floor_of(part) >= floor_of(own)
    ]


def test_every_module_has_a_floor() -> None:
    """A new module at the top of the package is entered in FLOORS."""
    rooms = {module_of(path) for path in FILES} - {"flower"}
    assert [] == [module for module in sorted(rooms) if part_of(module) == "flower"]


def test_door() -> None:
    """Nobody below the door knows HTTP handlers."""
    assert [] == [
        f"{path}:{line}: {target}"
        for path in FILES
        if floor_of(part_of(module_of(path))) < floor_of(DOOR)
        for line, target in imports(tree_of(path))
        if target.startswith("tornado.web")
    ]


def test_options_are_passed_on() -> None:
    """Only the options, the command and the app read Tornado's options."""
    assert [] == [
        f"{path}:{line}"
        for path in FILES
        if module_of(path) not in OPTION_READERS
        for line, target in imports(tree_of(path))
        if target.startswith("tornado.options")
    ]


def test_no_imports_for_types_only() -> None:
    """No import hides behind TYPE_CHECKING: an arrow that only the type checker follows is an arrow."""
    assert [] == [str(path) for path in FILES if "TYPE_CHECKING" in (ROOT / path).read_text(encoding="utf-8")]


def test_inner_imports() -> None:
    """Imports stand at the top of the file, but for the drivers in INNER_IMPORTS."""
    inner = [(path, function) for path in FILES for function in functions(tree_of(path))]
    found = {(str(path), target) for path, function in inner for _, target in imports(function)}
    assert set(INNER_IMPORTS) == found


@pytest.mark.parametrize("path", FILES, ids=str)
def test_file_size(path: Path) -> None:
    """A file has at most 300 lines."""
    assert (ROOT / path).read_text(encoding="utf-8").count("\n") <= 300


@pytest.mark.parametrize("path", FILES, ids=str)
def test_function_size(path: Path) -> None:
    """A function has at most 50 lines."""
    assert [] == [
        f"{path}:{function.lineno} {function.name}"
        for function in functions(tree_of(path))
        if (function.end_lineno or 0) - function.lineno >= 50
    ]
