"""The `flower` command of Celery's command line."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery
import click
import pytest
from celery.bin.base import CeleryCommand
from click.testing import CliRunner

from flower.__main__ import with_command
from flower.command import (
    ENV_VAR_PREFIX,
    apply_env_options,
    apply_options,
    flower,
    is_flower_envvar,
    is_flower_option,
    setup_logging,
    sigterm_handler,
    warn_about_celery_args_used_in_flower_command,
)
from flower.options import OptionError, options


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Logging is as it was when the test ends."""
    root, access = logging.getLogger(), logging.getLogger("tornado.access")
    before = root.level, list(root.handlers), access.propagate, list(access.handlers)
    yield
    for handler in root.handlers:
        if handler not in before[1]:
            handler.close()
    root.level, root.handlers, access.propagate, access.handlers = before


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the application was started with, in its place."""
    calls: list[tuple[Any, ...]] = []
    launch = SimpleNamespace(run=lambda *args: calls.append(args))
    monkeypatch.setitem(sys.modules, "flower.launch", launch)
    return calls


def invoke(*arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    celerys = SimpleNamespace(app=celery.Celery("invoked", set_as_current=False), quiet=False)
    result = CliRunner().invoke(flower, list(arguments), obj=celerys)
    return result.exit_code, result.stdout, result.stderr


def test_is_a_celery_command() -> None:
    """The command is one of Celery's kind."""
    assert isinstance(flower, CeleryCommand)


def test_short_help() -> None:
    """`celery --help` says what it is."""
    assert "Web based tool for monitoring and administrating Celery clusters." == flower.get_short_help_str(100)


def test_prefix() -> None:
    """Environment variables begin with FLOWER_."""
    assert "FLOWER_" == ENV_VAR_PREFIX


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help(word: str) -> None:
    """--help lists the options and ends well."""
    code, out, _ = invoke("--port=x", word)
    assert (0, True) == (code, "--basic-auth=USER:PASSWORD" in out)


def test_start(launched: list[tuple[Any, ...]]) -> None:
    """Good options start the application with the Celery app and Celery's --quiet."""
    code, _, _ = invoke("--port=5601")
    assert (0, [("invoked", False)]) == (code, [(capp.main, quiet) for capp, quiet in launched])


@pytest.mark.parametrize(
    "before, environment, first",
    [
        ([], {}, None),
        (["-A", "proj"], {}, "invoked"),
        ([], {"CELERY_BROKER_URL": "memory://"}, "invoked"),
    ],
)
def test_clusters_without_an_app(
    before: list[str],
    environment: dict[str, str],
    first: str | None,
    tmp_path: Path,
    launched: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a file of clusters that of the command line is watched only where it names an app or a broker."""
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "clusters.json"
    path.write_text('{"mail": {"broker": "memory://"}}')
    group = click.Group(params=[click.Option(["-A", "--app"])], commands={"flower": flower})
    group.callback = lambda **_: None
    celerys = SimpleNamespace(app=celery.Celery("invoked", set_as_current=False), quiet=False)
    result = CliRunner().invoke(group, [*before, "flower", f"--clusters={path}"], obj=celerys)
    assert (0, "") == (result.exit_code, result.stderr)
    ((capp, _),) = launched
    assert first == (None if capp is None else capp.main)


def test_options_are_set(launched: list[tuple[Any, ...]]) -> None:
    """The values of the command line are in the options when the application starts."""
    invoke("--port", "5601", "--url_prefix=x", "-read-only")
    assert (5601, "x", True) == (options.port, options.url_prefix, options.read_only)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--prot=1"], "Error: --prot: there is no such option; did you mean --port?\n"),
        (["--port=99999"], "Error: --port: must be a whole number from 0 to 65535, not '99999'\n"),
        (["--conf=nope.py"], "Error: conf: nope.py cannot be read: No such file or directory\n"),
        (
            ["--auth=.*@.*"],
            (
                "Error: --auth: must be addresses, or patterns such as .*@example.com, "
                "with commas between them (between addresses also |), not '.*@.*'\n"
            ),
        ),
        (
            ["--log-file-prefix=/no/such/folder/log"],
            "Error: log_file_prefix: /no/such/folder/log cannot be written: No such file or directory\n",
        ),
    ],
)
def test_bad_usage(arguments: list[str], message: str, launched: list[tuple[Any, ...]]) -> None:
    """A bad option ends with exit code 2 and one line on stderr."""
    assert (2, "", message) == invoke(*arguments)


def test_fault_of_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the application finds wrong with the options ends in the same way."""

    def run(*_: Any) -> None:
        raise OptionError("port: 5555 is taken")

    monkeypatch.setitem(sys.modules, "flower.launch", SimpleNamespace(run=run))
    assert (2, "", "Error: port: 5555 is taken\n") == invoke()


def test_user_preload_options(launched: list[tuple[Any, ...]]) -> None:
    """Options that the user's Celery app adds to every command do not disturb."""
    celerys = SimpleNamespace(app=celery.Celery("invoked", set_as_current=False), quiet=False)
    option = click.Option(["-Z", "--zone"])
    celerys.app.user_options["preload"].add(option)
    with_option = CeleryCommand("flower", params=[*flower.params, option], callback=flower.callback)
    assert 0 == CliRunner().invoke(with_option, ["--zone=x"], obj=celerys).exit_code


def test_apply_env_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environment variables become options."""
    monkeypatch.setenv("FLOWER_PORT", "5601")
    apply_env_options()
    assert 5601 == options.port


def test_apply_options(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line wins over the environment, whoever calls."""
    monkeypatch.setenv("FLOWER_PORT", "5601")
    monkeypatch.setenv("FLOWER_ADDRESS", "localhost")
    apply_env_options()
    apply_options("celery", ["--port=5602"])
    assert (5602, "localhost") == (options.port, options.address)


@pytest.mark.parametrize(
    "argument, expected",
    [
        ("--port=1", True),
        ("--port", True),
        ("-port", True),
        ("--url-prefix=x", True),
        ("--log-file-prefix=x", True),
        ("--broker=x", False),
        ("port", False),
        ("-A", False),
    ],
)
def test_is_flower_option(argument: str, expected: bool) -> None:
    """An option of Flower is known by its name."""
    assert expected is is_flower_option(argument)


@pytest.mark.parametrize(
    "name, expected",
    [("FLOWER_PORT", True), ("FLOWER_LOGGING", True), ("FLOWER_SERVICE_HOST", False), ("PORT", False)],
)
def test_is_flower_envvar(name: str, expected: bool) -> None:
    """A variable is ours if it names an option."""
    assert expected is is_flower_envvar(name)


def test_celery_arguments_warning(caplog: pytest.LogCaptureFixture) -> None:
    """Celery's options after the word flower are named, without their values, with the right order."""
    context = click.Context(flower)
    warn_about_celery_args_used_in_flower_command(context, ["--port=1", "-A", "p", "--broker=redis://:pw@h", "-l", "x"])
    assert [
        (
            "Ignored, because options of Celery come before the word flower: -A, --broker, -l. "
            "Write: celery [celery options] flower [flower options]"
        )
    ] == caplog.messages


def test_no_celery_arguments(caplog: pytest.LogCaptureFixture) -> None:
    """Without Celery's options there is nothing to warn of."""
    warn_about_celery_args_used_in_flower_command(click.Context(flower), ["--port=1"])
    assert [] == caplog.messages


@pytest.mark.parametrize("debug, level", [(False, logging.INFO), (True, logging.DEBUG)])
def test_setup_logging(debug: bool, level: int) -> None:
    """Debugging logs more."""
    options.debug = debug
    setup_logging()
    assert level == logging.getLogger().level


@pytest.mark.parametrize("debug", [False, True])
def test_access_log(debug: bool) -> None:
    """Requests are logged when debugging only."""
    options.debug = debug
    setup_logging()
    assert debug is logging.getLogger("tornado.access").propagate


def test_sigterm_handler() -> None:
    """A launcher's own signal handler ends the process well."""
    with pytest.raises(SystemExit) as end:
        sigterm_handler(15, None)
    assert 0 == end.value.code


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ([], ["flower"]),
        (["--port=1"], ["flower", "--port=1"]),
        (["-A", "proj"], ["-A", "proj", "flower"]),
        (["-A", "proj", "--port", "1"], ["-A", "proj", "flower", "--port", "1"]),
        (["-Aproj", "-q", "--help"], ["-Aproj", "-q", "flower", "--help"]),
        (["--broker=redis://", "flower", "--port=1"], ["--broker=redis://", "flower", "--port=1"]),
        (["-A", "proj", "worker", "-l", "info"], ["-A", "proj", "worker", "-l", "info"]),
    ],
)
def test_python_m_flower(arguments: list[str], expected: list[str]) -> None:
    """`python -m flower` is Celery's command line with `flower` as the command if none is named."""
    assert expected == with_command(arguments)


def test_celery_stays_light() -> None:
    """Celery imports the command without the web application and its database library."""
    code = "import sys, flower.command; print(sorted({'tornado.web', 'sqlalchemy', 'flower.app'} & set(sys.modules)))"
    assert "[]\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
