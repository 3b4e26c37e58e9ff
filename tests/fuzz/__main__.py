"""Fuzz for as long as there is time: `python -m tests.fuzz [--minutes 10] [--atheris] [name ...]`.

What breaks something is printed and ends the run with an error; made small, it belongs into tests/fuzz/found.py.
`--atheris` has the inputs follow the ways that the code takes, for the targets that take bytes; it needs that package.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.http import HTTP
from tests.fuzz.targets import TARGETS, Target

ROUND = 500
"""Inputs between two looks at the clock."""
ALL: dict[str, Target] = {**TARGETS, "http": HTTP}


def fuzz(target: Target, number: int) -> None:
    """A round of random inputs, other ones for each number. Raises what the smallest input that breaks it raises."""

    @seed(number)
    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(target.inputs)
    def attempt(data: Any) -> None:
        target.run(data)

    attempt()


def with_hypothesis(names: Sequence[str], minutes: float) -> None:
    """Rounds of each target in turn."""
    end, number, began = time.monotonic() + 60 * minutes, int(time.time()), dict.fromkeys(names, 0)
    while time.monotonic() < end:
        for name in names:
            number += 1
            fuzz(ALL[name], number)
            began[name] += ROUND
    told = ", ".join(f"{count} inputs for {name}" for name, count in began.items())
    sys.stdout.write(f"no fault in {told}\n")


def with_atheris(names: Sequence[str], minutes: float) -> int:
    """A process for each target, as its fuzzer never returns; the exit status of the first that fails."""
    chosen = [name for name in names if ALL[name].of_bytes is not None]
    for name in chosen:
        seconds = max(1, int(60 * minutes / len(chosen)))
        command = [sys.executable, "-m", "tests.fuzz.guided", name, f"-max_total_time={seconds}", "-timeout=10"]
        status = subprocess.run(command).returncode
        if status:
            return status
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(ALL)}; all of them without one")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--atheris", action="store_true", help="guided by coverage")
    given = parser.parse_args()
    unknown = set(given.names) - ALL.keys()
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; the names are {', '.join(ALL)}")
    names = given.names or list(ALL)
    if given.atheris:
        return with_atheris(names, given.minutes)
    with_hypothesis(names, given.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
