"""The table of options."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Histogram

from flower.admission import unauthenticated_api
from flower.options import (
    BY_NAME,
    DEFAULT_CONFIG_FILE,
    TABLE,
    OptionError,
    database_path,
    default_options,
    options,
    restore_defaults,
    span,
    stored_tasks,
)
from flower.utils.values import Option

FLOWER_2 = [
    "port",
    "address",
    "unix_socket",
    "debug",
    "inspect_timeout",
    "auth",
    "basic_auth",
    "oauth2_key",
    "oauth2_secret",
    "oauth2_redirect_uri",
    "auth_provider",
    "cookie_secret",
    "max_workers",
    "max_tasks",
    "db",
    "persistent",
    "state_save_interval",
    "broker_api",
    "certfile",
    "keyfile",
    "ca_certs",
    "xheaders",
    "auto_refresh",
    "purge_offline_workers",
    "conf",
    "enable_events",
    "format_task",
    "natural_time",
    "tasks_columns",
    "url_prefix",
    "task_runtime_metric_buckets",
    "read_only",
    "logging",
    "log_to_stderr",
    "log_file_prefix",
    "log_file_max_size",
    "log_file_num_backups",
    "log_rotate_when",
    "log_rotate_interval",
    "log_rotate_mode",
]


def test_options_of_flower_2() -> None:
    """Every option of Flower 2 exists."""
    assert [] == [name for name in FLOWER_2 if name not in BY_NAME]


def test_names_are_unique() -> None:
    """No name stands twice in the table."""
    assert len(TABLE) == len(BY_NAME)


def test_options_are_tornados() -> None:
    """`options` and `default_options` are Tornado's one global object."""
    assert options is default_options


def test_default_config_file() -> None:
    """The configuration file has the name that it always had."""
    assert "flowerconfig.py" == DEFAULT_CONFIG_FILE


@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_defined(option: Option) -> None:
    """Tornado knows each option, with the default of the table."""
    assert (option.default or ([] if option.multiple else option.default)) == options[option.name]


@pytest.mark.parametrize("option", TABLE, ids=lambda option: option.name)
def test_default_is_allowed(option: Option) -> None:
    """A default, where there is one, passes the option's own checks."""
    assert option.default is None or option.default == option.convert(option.default)


def test_buckets_are_the_clients() -> None:
    """The default buckets are those of prometheus_client."""
    assert list(Histogram.DEFAULT_BUCKETS) == options.task_runtime_metric_buckets


def test_restore_defaults() -> None:
    """Values that were set can be forgotten."""
    options.port, options.basic_auth = 1, ["a:b"]
    restore_defaults()
    assert (5555, []) == (options.port, options.basic_auth)


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("port", "0", 0),
        ("port", "65535", 65535),
        ("inspect_timeout", "250.5", 250.5),
        ("debug", "yes", True),
        ("debug", "Off", False),
        ("address", "", ""),
        ("basic_auth", "a:b", ["a:b"]),
        ("basic_auth", "a:b,c:d", ["a:b", "c:d"]),
        ("basic_auth", r"a:b\,c,d:e", ["a:b,c", "d:e"]),
        ("basic_auth", "a:b:c", ["a:b:c"]),
        ("task_runtime_metric_buckets", "1,5,inf", [1.0, 5.0, math.inf]),
        ("url_prefix", "/a/b/", "/a/b/"),
        ("logging", "DEBUG", "DEBUG"),
        ("log_rotate_when", "w3", "w3"),
        ("broker_api", "http://guest:guest@localhost:15672/api/", "http://guest:guest@localhost:15672/api/"),
    ],
)
def test_parse(name: str, text: str, expected: Any) -> None:
    """A text becomes a value of the option's type."""
    assert expected == BY_NAME[name].parse(text)


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("port", "65536", "must be a whole number from 0 to 65535, not '65536'"),
        ("port", "-1", "must be a whole number from 0 to 65535, not '-1'"),
        ("port", "http", "must be a whole number from 0 to 65535, not 'http'"),
        ("debug", "maybe", "must be true or false, not 'maybe'"),
        ("inspect_timeout", "nan", "must be a number greater than 0, not 'nan'"),
        ("inspect_timeout", "inf", "must be a number greater than 0, not 'inf'"),
        ("max_tasks", "0", "must be a whole number of at least 1, not '0'"),
        ("task_runtime_metric_buckets", "2,1", "must be numbers in rising order with commas between them, not '2,1'"),
        ("log_rotate_mode", "SIZE", "must be one of size, time, not 'SIZE'"),
        ("unix_socket_mode", "0999", "must be an octal file mode such as 0660, not '0999'"),
        ("url_prefix", "a b", "must be a path such as monitor/flower, of letters, digits and -._~, not 'a b'"),
        ("certfile", "/no/such.pem", "must be an existing file, not '/no/such.pem'"),
        (
            "db",
            "mysql://me:secret@host/x",
            "must be a file name, or a URL such as postgresql://user:password@host/database",
        ),
        (
            "task_retention",
            "a month",
            "must be a span of time such as 30d, 12h, 45m or 90 (seconds), not 'a month'",
        ),
        (
            "failed_task_retention",
            "0d",
            "must be a span of time such as 30d, 12h, 45m or 90 (seconds), not '0d'",
        ),
        ("format_task", "x", "can only be set in the configuration file, as a function"),
    ],
)
def test_parse_error(name: str, text: str, message: str) -> None:
    """A text that is not allowed is refused with what is allowed."""
    with pytest.raises(ValueError) as error:
        BY_NAME[name].parse(text)
    assert message == str(error.value)


@pytest.mark.parametrize("text", ["guest", "user:", ":secret", "a:b,", ""])
def test_users(text: str) -> None:
    """An entry without a user or a password is refused: an empty list of users would let everybody in."""
    with pytest.raises(ValueError):
        BY_NAME["basic_auth"].parse(text)


@pytest.mark.parametrize("name, text", [("basic_auth", "secret"), ("broker_api", "amqp://u:secret@host/")])
def test_secrets_are_not_repeated(name: str, text: str) -> None:
    """The message about a wrong password does not contain it."""
    with pytest.raises(ValueError) as error:
        BY_NAME[name].parse(text)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("url", ["localhost:15672", "ftp://host/api", "http://", "http://host:x/", "http://[/"])
def test_broker_api_error(url: str) -> None:
    """The management API needs an http URL with a host."""
    with pytest.raises(ValueError):
        BY_NAME["broker_api"].parse(url)


@pytest.mark.parametrize(
    "name, value",
    [
        ("auth", ".*@.*"),
        ("auth", ".*@example.com|ann@example.com"),
        ("auth", "[a-z]+@example.com"),
        ("auth", ".*"),
        ("auth", "ann"),
        ("auth_provider", "GithubLoginHandler"),
        ("auth_provider", "flower views"),
        ("oauth2_redirect_uri", "/login"),
        ("oidc_issuer", "login.example.com"),
        ("oidc_scopes", "email profile"),
        ("trusted_proxies", "proxy.example.com"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_header", "X User"),
        ("allowed_hosts", "https://flower.example.com"),
        ("allowed_hosts", "flower.example.com:5555"),
        ("session_hours", "0"),
        ("hsts", "-1"),
    ],
)
def test_access_errors(name: str, value: str) -> None:
    """What would let in nobody, or more than is meant, is refused."""
    with pytest.raises(ValueError, match="must be"):
        BY_NAME[name].parse(value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("auth", "ann@example.com"),
        ("auth", "ann@example.com|bob@example.com"),
        ("auth", "ann@example.com, bob@example.com"),
        ("auth", ".*@example.com"),
        ("auth", ""),
        ("auth_provider", "flower.views.auth.GithubLoginHandler"),
        ("oidc_scopes", "email openid"),
        ("trusted_proxies", "10.0.0.0/8,::1,unix"),
        ("allowed_hosts", "flower.example.com,*.internal,10.0.0.1,[::1]"),
    ],
)
def test_access_values(name: str, value: str) -> None:
    """The usual values are taken as they are."""
    parsed = BY_NAME[name].parse(value)
    assert value == (",".join(parsed) if isinstance(parsed, list) else parsed)


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("port", 5601, 5601),
        ("port", "5601", 5601),
        ("port", 5601.0, 5601),
        ("inspect_timeout", 1000, 1000.0),
        ("debug", 1, True),
        ("debug", "no", False),
        ("basic_auth", "a:b,c:d", ["a:b", "c:d"]),
        ("basic_auth", ["a:b,c:d"], ["a:b,c:d"]),
        ("basic_auth", ("a:b",), ["a:b"]),
        ("task_runtime_metric_buckets", [1, 2.5], [1.0, 2.5]),
        ("format_task", len, len),
    ],
)
def test_convert(name: str, value: Any, expected: Any) -> None:
    """A Python value of the configuration file becomes one of the option's type."""
    assert expected == BY_NAME[name].convert(value)


@pytest.mark.parametrize(
    "name, value",
    [
        ("port", True),
        ("port", 80.5),
        ("port", [80]),
        ("port", math.nan),
        ("port", math.inf),
        ("address", 127),
        ("debug", 2),
        ("debug", []),
        ("basic_auth", 7),
        ("basic_auth", [7]),
        ("basic_auth", []),
        ("format_task", "flower"),
        ("task_runtime_metric_buckets", [1, "2"]),
    ],
)
def test_convert_error(name: str, value: Any) -> None:
    """A Python value of another type is refused."""
    with pytest.raises(ValueError, match=r"^must be "):
        BY_NAME[name].convert(value)


def test_type_of_functions() -> None:
    """A function may be any callable."""
    assert Callable is BY_NAME["format_task"].type


@pytest.mark.parametrize(
    "db, expected",
    [
        ("flower", "flower.sqlite3"),
        ("flower.db", "flower.db"),
        ("data/flower", "data/flower.sqlite3"),
        ("v1.2/flower", "v1.2/flower.sqlite3"),
    ],
)
def test_database_path(db: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database file without a suffix gets one, and is found from the current directory."""
    monkeypatch.chdir(tmp_path)
    assert str(tmp_path / expected) == database_path(db)


def test_database_url() -> None:
    """A URL stays as it is."""
    assert "postgresql://host/flower" == database_path("postgresql://host/flower")


@pytest.mark.parametrize(
    "max_tasks, persistent, expected", [(None, False, 100_000), (None, True, 1_000_000), (5, False, 5), (5, True, 5)]
)
def test_stored_tasks(max_tasks: int | None, persistent: bool, expected: int) -> None:
    """The limit is the one that was set; without one a durable store holds more."""
    assert expected == stored_tasks(max_tasks, persistent)


@pytest.mark.parametrize("word, expected", [("true", True), ("1", True), ("no", False), ("", False)])
def test_unauthenticated_api(word: str, expected: bool) -> None:
    """The API is opened by a word that means yes."""
    assert expected is unauthenticated_api({"FLOWER_UNAUTHENTICATED_API": word})


def test_unauthenticated_api_unset() -> None:
    """The API is closed unless it is opened."""
    assert unauthenticated_api({}) is False


def test_unauthenticated_api_error() -> None:
    """A word that means neither yes nor no is refused at the start."""
    with pytest.raises(OptionError, match="FLOWER_UNAUTHENTICATED_API: must be true or false, not 'maybe'"):
        unauthenticated_api({"FLOWER_UNAUTHENTICATED_API": "maybe"})


def test_what_a_server_has_is_persistent() -> None:
    """A database server keeps its tasks, whatever `persistent` says."""
    assert 1_000_000 == stored_tasks(None, False, "postgresql://host/flower")


@pytest.mark.parametrize(
    "text, seconds", [("90", 90), ("90s", 90), ("2m", 120), ("12h", 43_200), ("30 d", 2_592_000), (" 1w ", 604_800)]
)
def test_span(text: str, seconds: int) -> None:
    """Spans are written with a unit, seconds without."""
    assert seconds == span(text)


@pytest.mark.parametrize("text", [None, ""])
def test_no_span(text: str | None) -> None:
    """Nothing is no bound."""
    assert span(text) is None
