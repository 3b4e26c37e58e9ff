"""Fuzz one target guided by coverage: `python -m tests.fuzz.guided NAME [options of libFuzzer]`. Needs atheris."""

from __future__ import annotations

import sys

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: pip install atheris (it has wheels for Linux and CPython up to 3.13)")

with atheris.instrument_imports(include=["flower"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    target = TARGETS[sys.argv.pop(1)]
    make = target.of_bytes
    assert make is not None, "this target takes no bytes"
    atheris.Setup(sys.argv, lambda data: target.run(make(data)))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
