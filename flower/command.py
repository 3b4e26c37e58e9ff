"""The `flower` command of Celery's command line.

Every `celery` command imports this module, so it stays light; the application is imported when it is to run.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

import click
from celery.bin.base import CeleryCommand, handle_preload_options
from tornado.log import enable_pretty_logging

from flower.banner import print_banner
from flower.manual import help_text
from flower.options import BY_NAME, ENV_VAR_PREFIX, OptionError, database_path, options, stored_tasks
from flower.settings import HELP_WORDS, celery_options, collect, from_environment, option_of
from flower.utils.lines import ONE_LINE

__all__ = [
    "ENV_VAR_PREFIX",
    "apply_env_options",
    "apply_options",
    "extract_settings",
    "flower",
    "is_flower_envvar",
    "is_flower_option",
    "print_banner",
    "setup_logging",
    "sigterm_handler",
    "warn_about_celery_args_used_in_flower_command",
]

logger = logging.getLogger(__name__)

BAD_USAGE = 2
"""Exit code when an option is to blame."""


@click.command(cls=CeleryCommand, add_help_option=False, context_settings={"ignore_unknown_options": True})
@click.argument("tornado_argv", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
@handle_preload_options  # type: ignore[untyped-decorator]  # Celery has no types
def flower(ctx: click.Context, tornado_argv: tuple[str, ...], **_: Any) -> None:
    """Web based tool for monitoring and administrating Celery clusters."""
    # The keyword arguments are options that the user's Celery app adds to every command.
    if any(argument in HELP_WORDS for argument in tornado_argv):
        click.echo(help_text())
        return
    try:
        apply_options(sys.argv[0], tornado_argv)
        setup_logging()
        warn_about_celery_args_used_in_flower_command(ctx, tornado_argv)
        if options.check or options.export or options["import"]:
            ctx.exit(_maintain())
        importlib.import_module("flower.launch").run(_app(ctx), ctx.obj.quiet)
    except OptionError as error:
        click.echo(f"Error: {error}", err=True)
        # Not click's own exit: where a program calls the command, such as Airflow, that would not end it.
        sys.exit(BAD_USAGE)


def _app(ctx: click.Context) -> Any:
    """The app of the command line; None where a file names the clusters and the command line none."""
    named = ctx.find_root().params.get("app") or os.environ.get("CELERY_BROKER_URL")
    return ctx.obj.app if named or not options.clusters else None


def _maintain() -> int:
    """Do with the store what the options ask for instead of a server; the exit code."""
    work = importlib.import_module("flower.maintenance.run")
    db = database_path(options.db)
    if options.check:
        return int(work.run(work.check, db, click.echo))
    if options.export:
        return int(work.run(work.export, db, click.echo, options.export))
    limit = stored_tasks(options.max_tasks, True)
    return int(work.run(work.import_, db, click.echo, options["import"], limit, options.redact))


def apply_env_options() -> None:
    """Take the values of the FLOWER_ variables into the options."""
    _set(from_environment(os.environ))


def apply_options(prog_name: str, argv: Sequence[str]) -> None:
    """Take the values of command line, environment and file into the options; `argv` has no program name."""
    _set(collect(argv, os.environ))


def _set(values: dict[str, Any]) -> None:
    for name, value in values.items():
        options[name] = value


def extract_settings() -> dict[str, Any]:
    """Check how the options go together and put what Tornado needs into `flower.urls.settings`, which is returned."""
    settings: dict[str, Any] = importlib.import_module("flower.launch").extract_settings()
    return settings


def setup_logging() -> None:
    """Log as the options say; requests that went well are only logged when debugging."""
    if options.debug and options.logging.lower() == "info":
        options.logging = "debug"
    try:
        enable_pretty_logging(options)
    except OSError as error:
        raise OptionError(f"log_file_prefix: {options.log_file_prefix} cannot be written: {error.strerror}") from None
    for handler in logging.getLogger().handlers:
        handler.addFilter(ONE_LINE)
    if not options.debug:
        access = logging.getLogger("tornado.access")
        access.addHandler(logging.NullHandler())
        access.propagate = False


def is_flower_option(arg: str) -> bool:
    """Whether an argument of the command line names an option of Flower."""
    return option_of(arg) is not None


def is_flower_envvar(name: str) -> bool:
    """Whether an environment variable stands for an option of Flower."""
    return name.startswith(ENV_VAR_PREFIX) and name[len(ENV_VAR_PREFIX) :].lower() in BY_NAME


def warn_about_celery_args_used_in_flower_command(ctx: click.Context, flower_args: Sequence[str]) -> None:
    """Log that Celery's own options have no effect after the word flower."""
    misplaced = list(dict.fromkeys(celery_options(flower_args)))
    if misplaced:
        logger.warning(
            "Ignored, because options of Celery come before the word flower: %s. "
            "Write: celery [celery options] flower [flower options]",
            ", ".join(misplaced),
        )


def sigterm_handler(signum: int, _: object) -> None:
    """End the process: for launchers of their own, which stop the app at exit."""
    logger.info("%s detected, shutting down", signal.Signals(signum).name)
    sys.exit(0)
