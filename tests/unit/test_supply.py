"""What comes from others: pinned, hashed, and asked about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import audit, vendor

LOCK = json.loads((vendor.ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]


def test_lock_has_what_is_pinned() -> None:
    """Every package of package.json is in the lock, in that very version, with a hash."""
    locked = {name: LOCK[f"node_modules/{name}"] for name in vendor.pinned()}
    assert vendor.pinned() == {name: entry["version"] for name, entry in locked.items()}
    assert [] == [name for name, entry in LOCK.items() if name and not entry["integrity"].startswith("sha512-")]


def test_lock_names_no_registry() -> None:
    """The lock says what, not from where."""
    assert [] == [name for name, entry in LOCK.items() if "resolved" in entry]


def test_integrity(tmp_path: Path) -> None:
    """The hash of an archive is written as npm writes it."""
    (tmp_path / "a").write_bytes(b"")
    empty = "z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="
    assert f"sha512-{empty}" == vendor.integrity(tmp_path / "a")


@pytest.mark.parametrize(
    "line, wanted",
    [
        ("celery>=5.2", ("celery", ())),
        ("PyJWT[crypto]>=2.10; extra == 'oidc'", ("pyjwt", ("crypto",))),
        ("typing_extensions", ("typing-extensions", ())),
        ("a [b, c] (>=1)", ("a", ("b", "c"))),
    ],
)
def test_requirements(line: str, wanted: tuple[str, tuple[str, ...]]) -> None:
    """A requirement names a package and its extras."""
    assert wanted == audit.named(line)


def test_needed() -> None:
    """What Flower needs is asked about, also what that needs; what only its tests need is not."""
    found = audit.needed()
    assert {"celery", "kombu", "tornado", "vine", "redis"} <= found.keys()
    assert not {"flower", "pytest", "ruff"} & found.keys()


FAULT = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
CLEAN = {"name": "a", "version": "1.0", "vulns": []}


@pytest.mark.parametrize(
    "packages, status, told",
    [
        ([CLEAN], audit.NONE, "no fault is known in 1 packages"),
        ([CLEAN | {"vulns": [FAULT]}], audit.FOUND, "a 1.0: PYSEC-1, mended in 2.0"),
        ([CLEAN, {"name": "b", "skip_reason": "no answer"}], audit.UNASKED, "1 of 2 packages could not be asked"),
    ],
)
def test_pip(packages: list[Any], status: int, told: str) -> None:
    """An answer of pip-audit becomes a status and words."""
    found, lines = audit.read_pip(json.dumps({"dependencies": packages}), "")
    assert (status, True) == (found, told in "\n".join(lines))


@pytest.mark.parametrize(
    "out, status, told",
    [
        ({"vulnerabilities": {}, "metadata": {"dependencies": {"total": 6}}}, audit.NONE, "no fault is known in 6"),
        ({"vulnerabilities": {"a": {"range": "<2", "severity": "high"}}}, audit.FOUND, "a <2: high"),
        ({"message": "405 Method Not Allowed"}, audit.UNASKED, "could not ask: 405 Method Not Allowed"),
    ],
)
def test_npm(out: dict[str, Any], status: int, told: str) -> None:
    """An answer of npm becomes a status and words."""
    found, lines = audit.read_npm(json.dumps(out), "")
    assert (status, True) == (found, told in "\n".join(lines))


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without network and npm that is said, and it is no success."""
    monkeypatch.setattr(audit, "python_packages", lambda: audit.read_pip("", "x\nNo route to host\n"))
    monkeypatch.setattr(audit.shutil, "which", lambda _: None)
    assert audit.UNASKED == audit.main()
    said = capsys.readouterr().out
    assert ("No route to host" in said, "npm is not installed" in said) == (True, True)
