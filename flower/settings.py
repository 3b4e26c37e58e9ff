"""Where the values of the options come from: command line, environment, configuration file, in this order of rank.

Each source is read on its own into a dictionary of checked values; every fault is an `OptionError`.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import traceback
import types
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from flower.options import BY_NAME, DEFAULT_CONFIG_FILE, ENV_VAR_PREFIX, ENVIRONMENT_ONLY, TABLE, OptionError
from flower.utils import FALSE_WORDS, TRUE_WORDS, abs_path
from flower.utils.values import Option

logger = logging.getLogger(__name__)

CELERY_OPTIONS: dict[str, bool] = {
    "-A": True,
    "--app": True,
    "-b": True,
    "--broker": True,
    "--result-backend": True,
    "--loader": True,
    "--config": True,
    "--workdir": True,
    "-C": False,
    "--no-color": False,
    "-q": False,
    "--quiet": False,
    "--version": False,
    "--skip-checks": False,
    "-l": True,
    "--loglevel": True,
}
"""Celery's own options and whether a value follows; -l and --loglevel are the worker's, written by habit."""

CELERY_ATTACHED = re.compile(r"-(?:A\w[\w.:]*|b[\w+-]+://.*|l(?i:debug|info|warning|error|critical|fatal))")

BROKER_ARGUMENT = re.compile(r"[a-z][\w+]*://")
"""`airflow celery flower` repeats the URL of its app's broker as an argument."""

SERVICE_LINK = re.compile(r"(?:tcp|udp|sctp)://")
"""What Kubernetes puts into FLOWER_PORT when there is a service named flower."""

HELP_WORDS = ("--help", "-help", "-h")

FILE_SUFFIX = "_FILE"
"""What Docker and Kubernetes put behind the name of a variable whose value is a secret kept in a file."""


def nearest_word(name: str, words: Collection[str]) -> str:
    """A question after the word that is spelled most like the name; empty when none is."""
    found = difflib.get_close_matches(name, words, n=1)
    return f", did you mean {found[0]!r}?" if found else ""


def nearest(name: str, cutoff: float = 0.6) -> Option | None:
    """The option that is spelled most like the name."""
    found = difflib.get_close_matches(name, BY_NAME, n=1, cutoff=cutoff)
    return BY_NAME[found[0]] if found else None


def option_of(argument: str) -> Option | None:
    """The option that an argument of the command line names, if it is one of Flower's."""
    if not argument.startswith("-"):
        return None
    return BY_NAME.get(argument.lstrip("-").partition("=")[0].replace("-", "_"))


def celery_option(argument: str) -> tuple[str, bool] | None:
    """Celery's option that an argument names, and whether its value is the next argument."""
    name, equals, _ = argument.partition("=")
    if name in CELERY_OPTIONS:
        return name, CELERY_OPTIONS[name] and not equals
    return (argument[:2], False) if CELERY_ATTACHED.fullmatch(argument) else None


def celery_options(arguments: Sequence[str]) -> list[str]:
    """Names of Celery's options among the arguments."""
    return [name for name, _, kind in _words(arguments) if kind == "celery"]


def from_arguments(arguments: Sequence[str]) -> dict[str, Any]:
    """Values given on the command line; Celery's options are left out, anything else unknown is an error."""
    values = {}
    for word, text, kind in _words(arguments):
        option = option_of(word)
        if kind != "flower" or word in HELP_WORDS:
            continue
        if option is None:
            raise OptionError(_unknown(word))
        if text is None:
            raise OptionError(f"{option.flag}: a value is missing, it must be {option.allowed}")
        values[option.name] = _parse(option, text, option.flag)
    return values


def with_defaults(**given: Any) -> types.SimpleNamespace:
    """The options that are given, and the defaults of all others: for programs that embed `flower.app.Flower`.

    Command line, environment and configuration file are not looked at. Raises OptionError.
    """
    values = {option.name: [] if option.multiple and option.default is None else option.default for option in TABLE}
    for name, value in given.items():
        if name not in BY_NAME:
            raise OptionError(f"{name}: there is no such option{nearest_word(name, BY_NAME)}")
        values[name] = None if value is None else _convert(BY_NAME[name], value, "given")
    return types.SimpleNamespace(**values)


def _words(arguments: Sequence[str]) -> Iterator[tuple[str, str | None, str]]:
    """Each argument with its value (None: missing), and whose it is."""
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        option = option_of(word)
        ours_next = option and "=" not in word and _takes(option, rest)
        celerys = None if option else celery_option(word)
        if celerys:
            name, takes = celerys
            if takes and rest:
                rest.pop(0)
            yield name, None, "celery"
        elif BROKER_ARGUMENT.match(word):
            yield word, None, "broker"
        elif ours_next:
            yield word, rest.pop(0), "flower"
        elif option and "=" not in word:
            yield word, "true" if option.type is bool else None, "flower"
        else:
            yield word, word.partition("=")[2] or _empty(option), "flower"


def _takes(option: Option, rest: Sequence[str]) -> bool:
    """Whether the next argument is this option's value."""
    if not rest:
        return False
    if option.type is bool:
        return rest[0].lower() in TRUE_WORDS + FALSE_WORDS
    return not rest[0].startswith("-") or re.fullmatch(r"-[0-9.]+", rest[0]) is not None


def _empty(option: Option | None) -> str | None:
    """What `--name=` means: the empty text, where a text is wanted, or a list that may be empty."""
    if option is None or option.type is not str:
        return None
    return "" if not option.multiple or (option.rule and option.rule.holds([""])) else None


def _unknown(word: str) -> str:
    name, equals, _ = word.partition("=")
    option = nearest(name.lstrip("-").replace("-", "_")) if equals or word.startswith("-") else None
    hint = f"did you mean {option.flag}?" if option else "celery flower --help lists all options"
    if word.startswith("-"):
        return f"{name}: there is no such option; {hint}"
    # What follows a colon may be a password.
    return f"unexpected argument {name.partition(':')[0]!r}: options are written --name=value; {hint}"


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Values of the FLOWER_ variables; those of other tools are ignored, likely typing errors get a warning."""
    values = {}
    for variable in sorted(environ):
        if not variable.startswith(ENV_VAR_PREFIX):
            continue
        text, option = environ[variable], BY_NAME.get(variable[len(ENV_VAR_PREFIX) :].lower())
        secret = _secret_in_file(variable) if option is None else None
        if secret is not None:
            if environ.get(variable.removesuffix(FILE_SUFFIX)):
                raise OptionError(f"{variable}: {variable.removesuffix(FILE_SUFFIX)} is set too")
            values[secret.name] = _parse(secret, _content(variable, text), variable)
        elif option is None:
            _warn_about_name(variable, variable[len(ENV_VAR_PREFIX) :].lower(), ENV_VAR_PREFIX)
        elif option.name == "port" and SERVICE_LINK.match(text):
            logger.warning("%s=%s is a service link, not a port; it is ignored", variable, text)
        elif text or option.type is str:
            values[option.name] = _parse(option, text, variable)
    return values


def _secret_in_file(variable: str) -> Option | None:
    """The secret option whose value is in the file that the variable names."""
    if not variable.endswith(FILE_SUFFIX):
        return None
    option = BY_NAME.get(variable[len(ENV_VAR_PREFIX) : -len(FILE_SUFFIX)].lower())
    return option if option and option.secret else None


def _content(variable: str, path: str) -> str:
    """What stands in the file, without the line's end that editors add."""
    try:
        with open(abs_path(path), encoding="utf-8") as file:
            return file.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{variable}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def from_file(path: str) -> dict[str, Any]:
    """Values that the configuration file, a Python module, leaves in its names."""
    full = abs_path(path)
    try:
        with open(full, "rb") as file:
            source = file.read()
    except OSError as error:
        raise OptionError(f"conf: {path} cannot be read: {error.strerror or error}") from None
    namespace: dict[str, Any] = {"__file__": full, "__name__": "flowerconfig"}
    try:
        exec(compile(source, full, "exec"), namespace)  # noqa: S102 the operator's own configuration is a program
    except Exception as error:  # noqa: BLE001 whatever the operator's program does wrong is told with its line
        raise OptionError(_fault(path, full, error)) from None
    return {name: _convert(BY_NAME[name], value, path) for name, value in _set_names(namespace, path)}


def _set_names(namespace: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in namespace.items():
        # `import logging` in the file is not a value of the option `logging`.
        if name.startswith("__") or isinstance(value, types.ModuleType) or value is None:
            continue
        if name in BY_NAME:
            yield name, value
        elif isinstance(value, str | int | float | list | tuple):
            _warn_about_name(f"{path}: {name}", name, "")


def _fault(path: str, full: str, error: Exception) -> str:
    """The line of the file that is to blame, and why."""
    if isinstance(error, SyntaxError) and error.filename == full:
        return f"conf: {path}, line {error.lineno}: {error.msg}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == full]
    place = f"{path}, line {lines[-1]}" if lines else path
    return " ".join(f"conf: {place}: {type(error).__name__}: {error}".split())


def _warn_about_name(written: str, name: str, prefix: str) -> None:
    option = nearest(name, cutoff=0.85)
    if option and written not in ENVIRONMENT_ONLY:
        meant = prefix + option.name.upper() if prefix else option.name
        logger.warning("%s is no option and is ignored; did you mean %s?", written, meant)


def _parse(option: Option, text: str, source: str) -> Any:
    try:
        return option.parse(text)
    except ValueError as error:
        raise OptionError(f"{source}: {error}") from None


def _convert(option: Option, value: Any, path: str) -> Any:
    try:
        return option.convert(value)
    except ValueError as error:
        raise OptionError(f"{path}: {option.name}: {error}") from None


def collect(arguments: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """The values of all sources: command line before environment before file."""
    given = {**from_environment(environ), **from_arguments(arguments)}
    path = given.get("conf", DEFAULT_CONFIG_FILE)
    if "conf" not in given and not os.path.exists(path):
        return given
    return {**from_file(path), **given}
