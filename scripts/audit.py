"""Ask whether faults are known in what Flower needs (pip-audit) and in what it ships to browsers (npm audit).

Needs the network. The exit status is 1 for known faults, 2 when something could not be asked.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("redis", "postgres", "oidc", "passwords")
NAMED = re.compile(r"([\w.-]+)\s*(?:\[([^\]]*)\])?")
NONE, FOUND, UNASKED = 0, 1, 2


def needed() -> dict[str, str]:
    """Name -> version of everything that Flower and its extras need, as it is installed here."""
    versions: dict[str, str] = {}
    seen: set[tuple[str, tuple[str, ...]]] = set()
    waiting = [("flower", EXTRAS)]
    while waiting:
        name, extras = wanted = waiting.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # for another platform or version of Python
        versions[name] = installed.version
        waiting += [named(line) for line in installed.requires or () if belongs(line, extras)]
    del versions["flower"]
    return dict(sorted(versions.items()))


def named(requirement: str) -> tuple[str, tuple[str, ...]]:
    """The name in a requirement, and the extras that it asks for."""
    found = NAMED.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} is no requirement")
    return found[1].lower().replace("_", "-"), tuple(filter(None, re.split(r"[,\s]+", found[2] or "")))


def belongs(requirement: str, extras: tuple[str, ...]) -> bool:
    """Whether it is needed always, or for one of the extras."""
    found = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
    return found is None or found[1] in extras


def python_packages() -> tuple[int, Iterator[str]]:
    """What pip-audit knows of them."""
    versions = needed()
    with tempfile.TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()))
        given = ["--requirement", str(pins), "--no-deps", "--disable-pip", "--format", "json"]
        command = [sys.executable, "-m", "pip_audit", *given, "--progress-spinner", "off"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # fixed words
    return read_pip(done.stdout, done.stderr)


def read_pip(out: str, err: str) -> tuple[int, Iterator[str]]:
    """The status and the lines for an answer of pip-audit."""
    try:
        asked = json.loads(out)["dependencies"]
    except (ValueError, KeyError):
        return UNASKED, iter([f"Python: pip-audit could not ask: {last_line(err)}"])
    skipped = [each for each in asked if "skip_reason" in each]
    faults = [
        f"Python: {each['name']} {each['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or '?'}"
        for each in asked
        for fault in each.get("vulns", ())
    ]
    if skipped:
        reason = skipped[0]["skip_reason"]
        faults.append(f"Python: {len(skipped)} of {len(asked)} packages could not be asked for, such as: {reason}")
    elif not faults:
        faults.append(f"Python: no fault is known in {len(asked)} packages")
    found = any(each.get("vulns") for each in asked)
    return FOUND if found else UNASKED if skipped else NONE, iter(faults)


def browser_packages() -> tuple[int, Iterator[str]]:
    """What npm knows of those in package-lock.json."""
    npm = shutil.which("npm")
    if npm is None:
        return UNASKED, iter(["Browser: npm is not installed, so nobody was asked"])
    command = [npm, "audit", "--package-lock-only", "--json"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603  # fixed words
    return read_npm(done.stdout, done.stderr)


def read_npm(out: str, err: str) -> tuple[int, Iterator[str]]:
    """The status and the lines for an answer of npm."""
    try:
        told = json.loads(out)
    except ValueError:
        told = {}
    if "vulnerabilities" not in told:
        return UNASKED, iter([f"Browser: npm could not ask: {told.get('message') or last_line(err)}"])
    faults = told["vulnerabilities"]
    lines = [f"Browser: {name} {fault.get('range', '')}: {fault.get('severity', '')}" for name, fault in faults.items()]
    count = told.get("metadata", {}).get("dependencies", {}).get("total", "the")
    return (FOUND, iter(lines)) if lines else (NONE, iter([f"Browser: no fault is known in {count} packages"]))


def last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and "complete log" not in line]
    return lines[-1].strip() if lines else ""


def main() -> int:
    statuses = set()
    for ask in (python_packages, browser_packages):
        status, lines = ask()
        statuses.add(status)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return FOUND if FOUND in statuses else max(statuses)


if __name__ == "__main__":
    sys.exit(main())
