"""`python -m flower.openapi`: the document; with `--markdown FILE` the file's generated parts made anew."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from flower.openapi.document import document
from flower.openapi.markdown import fill


def text() -> str:
    """The document as docs/openapi.json has it."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str]) -> int:
    """Write what is asked for to the standard output."""
    if arguments and (arguments[0] != "--markdown" or len(arguments) != 2):
        sys.stderr.write("usage: python -m flower.openapi [--markdown FILE]\n")
        return 2
    sys.stdout.write(fill(Path(arguments[1]).read_text(encoding="utf-8")) if arguments else text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
