"""Where the values of the options come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from celery.bin.celery import celery

from flower.options import OptionError
from flower.settings import (
    CELERY_OPTIONS,
    celery_options,
    collect,
    from_arguments,
    from_environment,
    from_file,
    with_defaults,
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test runs in an empty directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--port=5601"], {"port": 5601}),
        (["--port", "5601"], {"port": 5601}),
        (["-port=5601"], {"port": 5601}),
        (["-port", "5601"], {"port": 5601}),
        (["--url-prefix=x"], {"url_prefix": "x"}),
        (["--url_prefix", "x"], {"url_prefix": "x"}),
        (["--url-prefix="], {"url_prefix": ""}),
        (["--debug"], {"debug": True}),
        (["--debug", "--port=1"], {"debug": True, "port": 1}),
        (["--debug=false"], {"debug": False}),
        (["--debug", "no", "--port", "1"], {"debug": False, "port": 1}),
        (["--basic-auth=a:b,c:d"], {"basic_auth": ["a:b", "c:d"]}),
        (["--basic_auth", r"a:b\,c"], {"basic_auth": ["a:b,c"]}),
        (["--basic_auth=a:b=c"], {"basic_auth": ["a:b=c"]}),
        (["--cookie-secret=-x"], {"cookie_secret": "-x"}),
        (["--port=1", "--port=2"], {"port": 2}),
        (["--basic-auth=a:b", "--basic-auth=c:d"], {"basic_auth": ["c:d"]}),
        ([], {}),
    ],
)
def test_arguments(arguments: list[str], expected: dict[str, Any]) -> None:
    """Names take - or _, one or two dashes, and their value after = or a blank; the last one counts."""
    assert expected == from_arguments(arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--prot=1"], "--prot: there is no such option; did you mean --port?"),
        (["--url-prefx", "x"], "--url-prefx: there is no such option; did you mean --url-prefix?"),
        (["--xyzzy=1"], "--xyzzy: there is no such option; celery flower --help lists all options"),
        (["worker"], "unexpected argument 'worker': options are written --name=value; celery flower --help lists "),
        (["ann:secret"], "unexpected argument 'ann': options"),
        (["port=1"], "unexpected argument 'port': options are written --name=value; did you mean --port?"),
        (["--port"], "--port: a value is missing, it must be a whole number from 0 to 65535"),
        (["--port="], "--port: a value is missing, it must be a whole number from 0 to 65535"),
        (["--port", "--debug"], "--port: a value is missing, it must be a whole number from 0 to 65535"),
        (["--port", "-1"], "--port: must be a whole number from 0 to 65535, not '-1'"),
        (["--port=x"], "--port: must be a whole number from 0 to 65535, not 'x'"),
        (["--basic-auth="], "--basic-auth: a value is missing, it must be user:password"),
        (["--debug=maybe"], "--debug: must be true or false, not 'maybe'"),
        (["--format-task=x"], "--format-task: can only be set in the configuration file, as a function"),
        (["--logging=loud"], "--logging: must be one of debug, info, warning, error, critical, none, not 'loud'"),
        (["--debug", "maybe"], "unexpected argument 'maybe'"),
    ],
)
def test_arguments_error(arguments: list[str], message: str) -> None:
    """What is wrong on the command line is told in one line that names it."""
    with pytest.raises(OptionError) as error:
        from_arguments(arguments)
    assert str(error.value).startswith(message)


def test_secret_in_unknown_option() -> None:
    """The value of a misspelt option is not repeated: it may be a password."""
    with pytest.raises(OptionError) as error:
        from_arguments(["--basic-auht=ann:secret"])
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["-A", "proj"], ["-A"]),
        (["-Aproj"], ["-A"]),
        (["--app=proj"], ["--app"]),
        (["--broker", "redis://", "-q"], ["--broker", "-q"]),
        (["-bredis://localhost"], ["-b"]),
        (["-l", "DEBUG"], ["-l"]),
        (["-linfo"], ["-l"]),
        (["--loglevel=debug"], ["--loglevel"]),
        (["--port=1"], []),
        (["--broker-api=http://localhost/"], []),
    ],
)
def test_celery_options(arguments: list[str], expected: list[str]) -> None:
    """Celery's options are known by their names."""
    assert expected == celery_options(arguments)


@pytest.mark.parametrize("argument", [["-A", "proj"], ["--broker=redis://"], ["-l", "DEBUG"], ["-linfo"], ["-q"]])
def test_celery_options_are_no_error(argument: list[str]) -> None:
    """Celery's options, with their values, do not disturb those of Flower."""
    assert {"port": 1, "debug": True} == from_arguments(["--debug", *argument, "--port=1"])


def test_celery_options_are_all_known() -> None:
    """The table has each global option of the installed Celery, and whether it takes a value; 5.2 has fewer."""
    ours = {name: takes for name, takes in CELERY_OPTIONS.items() if name not in ("-l", "--loglevel")}
    celerys = {
        name: not getattr(option, "is_flag", False)
        for option in celery.params
        for name in option.opts
        if name.startswith("-")
    }
    assert celerys == {name: takes for name, takes in ours.items() if name in celerys}


@pytest.mark.parametrize(
    "environ, expected",
    [
        ({"FLOWER_PORT": "5601"}, {"port": 5601}),
        ({"FLOWER_BASIC_AUTH": "a:b,c:d"}, {"basic_auth": ["a:b", "c:d"]}),
        ({"FLOWER_DEBUG": "on"}, {"debug": True}),
        ({"FLOWER_LOGGING": "error"}, {"logging": "error"}),
        ({"FLOWER_URL_PREFIX": ""}, {"url_prefix": ""}),
        ({"FLOWER_MAX_TASKS": ""}, {}),
        ({"PORT": "5601", "flower_port": "1", "FLOWERS_PORT": "1"}, {}),
        ({"FLOWER_SERVICE_HOST": "10.0.0.1", "FLOWER_PORT_5555_TCP_PORT": "5555"}, {}),
        ({"FLOWER_PORT": "tcp://10.0.0.1:5555"}, {}),
        ({"FLOWER_UNAUTHENTICATED_API": "true", "FLOWER_DATA_DIR": "/data"}, {}),
    ],
)
def test_environment(environ: dict[str, str], expected: dict[str, Any]) -> None:
    """FLOWER_ variables are options; those of other tools are ignored, and so are empty ones that cannot be."""
    assert expected == from_environment(environ)


@pytest.mark.parametrize(
    "environ, message",
    [
        ({"FLOWER_PORT": "x"}, "FLOWER_PORT: must be a whole number from 0 to 65535, not 'x'"),
        ({"FLOWER_DEBUG": "maybe"}, "FLOWER_DEBUG: must be true or false, not 'maybe'"),
        ({"FLOWER_BASIC_AUTH": ""}, "FLOWER_BASIC_AUTH: must be user:password"),
        ({"FLOWER_AUTH": "ann"}, "FLOWER_AUTH: must be addresses"),
        ({"FLOWER_OAUTH2_SECRET_FILE": "/no/file"}, "FLOWER_OAUTH2_SECRET_FILE: /no/file cannot be read: No such file"),
        (
            {"FLOWER_OAUTH2_SECRET_FILE": "x", "FLOWER_OAUTH2_SECRET": "y"},
            "FLOWER_OAUTH2_SECRET_FILE: FLOWER_OAUTH2_SECRET is set too",
        ),
    ],
)
def test_environment_error(environ: dict[str, str], message: str) -> None:
    """A wrong value in the environment is told with its variable."""
    with pytest.raises(OptionError) as error:
        from_environment(environ)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "environ, message",
    [
        (
            {"FLOWER_PORT": "tcp://10.0.0.1:5555"},
            "FLOWER_PORT=tcp://10.0.0.1:5555 is a service link, not a port; it is ignored",
        ),
        (
            {"FLOWER_BASIC_AUHT": "a:b"},
            "FLOWER_BASIC_AUHT is no option and is ignored; did you mean FLOWER_BASIC_AUTH?",
        ),
    ],
)
def test_environment_warning(environ: dict[str, str], message: str, caplog: pytest.LogCaptureFixture) -> None:
    """What is ignored and was perhaps meant is told."""
    from_environment(environ)
    assert [message] == caplog.messages


def test_environment_of_others_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Variables of other tools are not worth a word."""
    from_environment({"FLOWER_SERVICE_PORT": "1", "FLOWER_UNAUTHENTICATED_API": "1", "FLOWER_DATA_DIR": "/data"})
    assert [] == caplog.messages


FILE = """
import logging
from os.path import join as address

port = '5601'
basic_auth = ['a:b,c', 'd:e']
inspect_timeout = 500
unknown = 1
db = None

def format_task(task):
    return task, unknown
"""


def test_file(folder: Path) -> None:
    """Names of the file that are options are taken, with texts converted; modules and None are not values."""
    (folder / "flowerconfig.py").write_text(FILE.replace("address", "join"))
    values = from_file("flowerconfig.py")
    assert (("task", 1), {"port": 5601, "basic_auth": ["a:b,c", "d:e"], "inspect_timeout": 500.0}) == (
        values.pop("format_task")("task"),
        values,
    )


@pytest.mark.parametrize(
    "source, message",
    [
        ("port = 1\nport = = 2\n", "conf: conf.py, line 2: invalid syntax"),
        ("\nport = nope\n", "conf: conf.py, line 2: NameError: name 'nope' is not defined"),
        ("def f():\n    1 / 0\n\nf()\n", "conf: conf.py, line 2: ZeroDivisionError: division by zero"),
        ("import no_such_module_x\n", "conf: conf.py, line 1: ModuleNotFoundError: No module named 'no_such_module_x'"),
        ("port = 'x'\n", "conf.py: port: must be a whole number from 0 to 65535, not 'x'"),
        ("basic_auth = 7\n", "conf.py: basic_auth: must be user:password"),
        ("format_task = 'x'\n", "conf.py: format_task: must be a function, not 'x'"),
    ],
)
def test_file_error(source: str, message: str, folder: Path) -> None:
    """What is wrong in the file is told with file and line, or file and name."""
    (folder / "conf.py").write_text(source)
    with pytest.raises(OptionError) as error:
        from_file("conf.py")
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "path, message",
    [
        ("nope.py", "conf: nope.py cannot be read: No such file or directory"),
        (".", "conf: . cannot be read: Is a directory"),
    ],
)
def test_file_missing(path: str, message: str) -> None:
    """A file that cannot be read is named."""
    with pytest.raises(OptionError) as error:
        from_file(path)
    assert message == str(error.value)


def test_file_warning(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A name of the file that is nearly an option is told."""
    (folder / "conf.py").write_text("basic_auht = 'a:b'\nunrelated = 1\n")
    from_file("conf.py")
    assert ["conf.py: basic_auht is no option and is ignored; did you mean basic_auth?"] == caplog.messages


@pytest.mark.parametrize(
    "arguments, environ, file, expected",
    [
        (["--port=1"], {"FLOWER_PORT": "2"}, "port = 3", 1),
        (["--port=1"], {}, "port = 3", 1),
        (["--port=1"], {"FLOWER_PORT": "2"}, "", 1),
        ([], {"FLOWER_PORT": "2"}, "port = 3", 2),
        ([], {"FLOWER_PORT": "2"}, "", 2),
        ([], {}, "port = 3", 3),
        ([], {}, "", None),
    ],
)
def test_precedence(
    arguments: list[str], environ: dict[str, str], file: str, expected: int | None, folder: Path
) -> None:
    """The command line wins over the environment, the environment over the file."""
    (folder / "flowerconfig.py").write_text(file)
    assert expected == collect(arguments, environ).get("port")


def test_default_file_is_optional() -> None:
    """Without flowerconfig.py the options have their defaults."""
    assert {} == collect([], {})


@pytest.mark.parametrize(
    "arguments, environ", [(["--conf=other.py"], {}), ([], {"FLOWER_CONF": "other.py"}), (["--conf", "other.py"], {})]
)
def test_named_file(arguments: list[str], environ: dict[str, str], folder: Path) -> None:
    """The file may be named on the command line or in the environment."""
    (folder / "other.py").write_text("port = 3")
    assert 3 == collect(arguments, environ)["port"]


def test_named_file_must_exist() -> None:
    """A file that was asked for and is not there is an error, also when it has the default name."""
    with pytest.raises(OptionError, match=r"conf: flowerconfig\.py cannot be read"):
        collect(["--conf=flowerconfig.py"], {})


def test_secret_in_a_file(folder: Path) -> None:
    """A secret may be in a file that a variable names, as Docker and Kubernetes keep them; other options may not."""
    (folder / "secret").write_text("the secret\n", encoding="utf-8")
    environ = {"FLOWER_OAUTH2_SECRET_FILE": "secret", "FLOWER_COOKIE_SECRET_FILE": "secret", "FLOWER_AUTH_FILE": "x"}
    assert {"oauth2_secret": "the secret", "cookie_secret": "the secret"} == from_environment(environ)


def test_files_that_are_options(folder: Path) -> None:
    """FLOWER_API_KEYS_FILE and FLOWER_BASIC_AUTH_FILE name files with a line for each."""
    (folder / "lines").write_text("ann:word\n", encoding="utf-8")
    environ = {"FLOWER_API_KEYS_FILE": "lines", "FLOWER_BASIC_AUTH_FILE": "lines"}
    assert {"api_keys_file": "lines", "basic_auth_file": "lines"} == from_environment(environ)


def test_broker_as_argument() -> None:
    """A broker's URL among the arguments, as Airflow gives it, is the app's affair."""
    assert {"port": 5556} == from_arguments(["redis://:secret@localhost:6379/0", "--port=5556"])


def test_with_defaults() -> None:
    """A program that embeds Flower gives some options; lists, rules and texts are as in the configuration file."""
    options = with_defaults(port="5556", basic_auth=["ann:secret"])
    assert (5556, ["ann:secret"], [], False) == (
        options.port,
        options.basic_auth,
        options.cors_origins,
        options.persistent,
    )


def test_with_defaults_refuses() -> None:
    """Names and values are checked."""
    with pytest.raises(OptionError, match="prot: there is no such option, did you mean 'port'"):
        with_defaults(prot=1)
    with pytest.raises(OptionError, match="given: port: must be a whole number from 0 to 65535"):
        with_defaults(port=-1)
