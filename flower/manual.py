"""The options told to people: `celery flower --help` and docs/configuration.md, both from the table.

`python -m flower.manual` writes the page to stdout.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import groupby

import click

from flower.options import ENVIRONMENT_ONLY, TABLE
from flower.utils.values import Option

USAGE = "celery [celery options] flower [options]"

INTRODUCTION = r"""# Configuration

This page is made from the table in `flower/options.py` by `python -m flower.manual > docs/configuration.md`.

Options come from three places. The first that has a value wins:

1. the **command line**, after the word `flower`:

       celery -A proj --broker=redis://localhost flower --port=5601 --url-prefix=flower

   `--name=value` and `--name value` are the same, and so are `_` and `-` within a name. A switch may stand alone:
   `--persistent`. Celery's own options (`-A`, `--broker`, ...) belong before the word `flower`.

2. the **environment**: `FLOWER_` and the name in capitals, for example `FLOWER_PORT=5601`. Variables that name no
   option are ignored.

3. the **configuration file**, `flowerconfig.py` in the current directory or the one named by `--conf`. It is a Python
   program; what it leaves in names of options is taken:

       port = 5601
       basic_auth = ["ann:secret", "bob:a password, with a comma"]

       def format_task(task):
           task.args = "hidden"
           return task

Where several values are possible, they are separated by commas, or are a list in the file. A switch takes `true`,
`yes`, `on`, `1` or `false`, `no`, `off`, `0`.

An unknown option or a value that is not allowed ends the start with exit code 2 and one line that says why.
"""


def _groups() -> Iterator[tuple[str, list[Option]]]:
    for name, group in groupby(TABLE, key=lambda option: option.group):
        yield name, list(group)


def _written(option: Option) -> str:
    if option.type is Callable:
        return option.name
    return f"{option.flag}={option.metavar}" if option.metavar else option.flag


def help_text(width: int = 100) -> str:
    """What `--help` prints: every option by group."""
    formatter = click.HelpFormatter(width=width)
    formatter.write_usage(USAGE, "")
    formatter.write_paragraph()
    formatter.write_text("Watch and command Celery clusters from a web page.")
    for name, group in _groups():
        with formatter.section(name):
            formatter.write_dl([(_written(option), _described(option)) for option in group], col_max=36)
    with formatter.section("Environment only"):
        formatter.write_dl(list(ENVIRONMENT_ONLY.items()), col_max=36)
    formatter.write_paragraph()
    formatter.write_text(
        "Each option is also an environment variable (FLOWER_PORT) and a name in flowerconfig.py (port). "
        "The command line wins over the environment, the environment over the file."
    )
    return formatter.getvalue()


def _described(option: Option) -> str:
    default = option.default_text
    return f"{option.help}  [default: {default}]" if default else option.help


def configuration_page() -> str:
    """docs/configuration.md."""
    lines = [INTRODUCTION]
    for name, group in _groups():
        lines += [f"## {name}", "", "| option | value | default | |", "| --- | --- | --- | --- |"]
        lines += [_row(option) for option in group]
        lines.append("")
    lines += ["## Environment only", "", "| variable | |", "| --- | --- |"]
    lines += [f"| `{name}` | {_cell(text)} |" for name, text in ENVIRONMENT_ONLY.items()]
    return "\n".join(lines) + "\n"


def _row(option: Option) -> str:
    default = f"`{option.default_text}`" if option.default_text and not option.shown else option.default_text
    return f"| `{option.name}` | {_cell(option.allowed)} | {default} | {_cell(option.help)} |"


def _cell(text: str) -> str:
    return text.replace("|", r"\|").replace("\\,", "`\\,`")


if __name__ == "__main__":
    sys.stdout.write(configuration_page())
