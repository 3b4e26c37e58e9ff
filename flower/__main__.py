"""`python -m flower`: Celery's command line, with `flower` as the command if none is named."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from celery.bin.celery import celery

from flower.command import flower
from flower.settings import celery_option


def with_command(arguments: Sequence[str]) -> list[str]:
    """The arguments with the word `flower` after Celery's own options, unless a command stands there."""
    before, rest = [], list(arguments)
    while rest and (found := celery_option(rest[0])):
        taken = 2 if found[1] else 1
        before += rest[:taken]
        rest = rest[taken:]
    return [*before, *rest] if rest and not rest[0].startswith("-") else [*before, "flower", *rest]


def main() -> None:
    """Run the command line."""
    celery.add_command(flower)
    celery.main(args=with_command(sys.argv[1:]), prog_name="celery", auto_envvar_prefix="CELERY")


if __name__ == "__main__":
    main()
