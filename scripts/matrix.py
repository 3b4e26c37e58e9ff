"""Runs the unit and API tests with many versions of Python and Celery: `make matrix`.

In parts: `make matrix ARGS="3.11/5.2"`. A part is PYTHON/CELERY or PYTHON/CELERY/TORNADO; `3.11` alone stands for all
parts with that Python. Each has a virtual environment of its own in `.matrix/`. A Python that this machine does not
have is told, and counts as a failure only when it was asked for by name.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".matrix"
NEWEST = "newest"
PARTS = (
    "3.10/5.2",
    "3.10/newest",
    "3.11/5.2/6.5",
    "3.11/5.3",
    "3.11/5.4",
    "3.11/5.5",
    "3.11/5.6",
    "3.11/newest",
    "3.12/5.3",
    "3.12/newest",
    "3.13/5.4",
    "3.13/newest",
    "3.14/newest",
)
TESTS = ("tests/unit", "tests/api")


@dataclass(frozen=True)
class Part:
    """One combination of versions; the newest ones where none is named."""

    python: str
    celery: str = NEWEST
    tornado: str = NEWEST

    @classmethod
    def of(cls, text: str) -> Part:
        return cls(*text.split("/"))

    def __str__(self) -> str:
        return "/".join((self.python, self.celery, *([self.tornado] if self.tornado != NEWEST else [])))

    @property
    def requirements(self) -> list[str]:
        """What pip is asked for beside this project."""
        wanted = {"celery": self.celery, "tornado": self.tornado}
        return [f"{name}=={version}.*" for name, version in wanted.items() if version != NEWEST]

    def interpreter(self) -> str | None:
        """The path of its Python, also of one of pyenv's that is not in the PATH; None when there is none."""
        found = shutil.which(f"python{self.python}")
        if found and subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode == 0:
            return found
        root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        candidates = sorted(root.glob(f"versions/{self.python}.*/bin/python"))
        return str(candidates[-1]) if candidates else None

    def install(self, interpreter: str) -> Path:
        """The Python of its environment, made and brought up to date."""
        folder = FOLDER / str(self).replace("/", "-")
        python = folder / "bin" / "python"
        if not python.exists():
            subprocess.run([interpreter, "-m", "venv", str(folder)], check=True)
        pip = (str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        subprocess.run([*pip, "--editable", f"{ROOT}[test]", *self.requirements], check=True)
        return python


def chosen(words: Iterable[str]) -> list[Part]:
    """The parts that the words name; all without a word."""
    parts: list[Part] = []
    for word in words:
        parts += [Part.of(word)] if "/" in word else [Part.of(text) for text in PARTS if text.startswith(f"{word}/")]
    return parts or [Part.of(text) for text in PARTS]


def run(part: Part, arguments: list[str], *, required: bool) -> tuple[str, bool]:
    """What came of a part in words, and whether that is good."""
    interpreter = part.interpreter()
    if interpreter is None:
        return f"there is no Python {part.python} on this machine", not required
    began = time.monotonic()
    try:
        python = part.install(interpreter)
    except subprocess.CalledProcessError:
        return "cannot be installed", False
    done = subprocess.run([str(python), "-m", "pytest", "-q", *(arguments or TESTS)], cwd=ROOT, check=False)
    took = f"in {time.monotonic() - began:.0f} s"
    return (f"passed {took}", True) if done.returncode == 0 else (f"FAILED {took}", False)


def main() -> int:
    """Run the parts one after the other and tell what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"which; all are {', '.join(PARTS)}")
    parser.add_argument("--list", action="store_true", help="print the parts, for a CI's own matrix")
    parser.add_argument("--pytest", nargs=argparse.REMAINDER, default=[], help="what pytest runs instead")
    given = parser.parse_args()
    if given.list:
        print("\n".join(map(str, chosen(given.parts))))
        return 0
    results = {}
    for part in chosen(given.parts):
        print(f"== {part}", flush=True)
        results[part] = run(part, given.pytest, required=bool(given.parts))
    print("\n".join(f"{part}: {words}" for part, (words, _) in results.items()))
    return 0 if all(good for _, good in results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
