"""The table of options, defined into Tornado's global `options`.

From the table follow command line, environment, configuration file, `--help` and docs/configuration.md.
Values come in through `flower.settings`; they are read here, in the command and in the app only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from tornado.options import Error, define
from tornado.options import options as default_options

from flower.utils import abs_path, redaction, rules
from flower.utils.access_options import ACCESS_OPTIONS
from flower.utils.durations import seconds_in
from flower.utils.rules import at_least, one_of
from flower.utils.store_options import MAX_TASKS, MAX_TASKS_PERSISTENT, STORE_OPTIONS
from flower.utils.values import Option

DEFAULT_CONFIG_FILE = "flowerconfig.py"
ENV_VAR_PREFIX = "FLOWER_"

# prometheus_client's own defaults, without importing it for every `celery` command.
BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, math.inf]

options = default_options


class OptionError(Error):
    """An option that cannot be used; the text is one line that names it and what is allowed."""


SERVER, CLUSTER, PAGES, METRICS, LOGS = "Server", "Cluster", "Pages and API", "Metrics", "Logging"

TABLE: tuple[Option, ...] = (
    Option("port", SERVER, int, 5555, "TCP port to listen on; 0 takes a free one", "PORT", rule=rules.PORT),
    Option("address", SERVER, str, "", "Address or host name to listen on; empty means all interfaces", "HOST"),
    Option("unix_socket", SERVER, str, "", "Listen on this socket file instead of a port", "PATH"),
    Option("unix_socket_mode", SERVER, str, "0660", "File mode of the socket file", "MODE", rule=rules.MODE),
    Option(
        "unix_socket_owner",
        SERVER,
        str,
        None,
        "Whom the socket file is given to; takes the right to do so",
        "USER:GROUP",
        rule=rules.OWNER,
    ),
    Option("url_prefix", SERVER, str, None, "Serve everything under this path", "PATH", rule=rules.PREFIX),
    Option("certfile", SERVER, str, None, "TLS certificate; needs keyfile too", "FILE", rule=rules.FILE),
    Option("keyfile", SERVER, str, None, "TLS private key; needs certfile too", "FILE", rule=rules.FILE),
    Option("ca_certs", SERVER, str, None, "Certificates of the authorities that are trusted", "FILE", rule=rules.FILE),
    Option(
        "xheaders",
        SERVER,
        bool,
        False,
        "Believe X-Real-Ip, X-Forwarded-For, X-Scheme, X-Forwarded-Proto and, without url_prefix, X-Forwarded-Prefix; "
        "only behind a proxy that sets them",
    ),
    Option(
        "conf",
        SERVER,
        str,
        DEFAULT_CONFIG_FILE,
        "Configuration file, in Python; the default one need not exist",
        "FILE",
    ),
    Option("debug", SERVER, bool, False, "Log more, show tracebacks on error pages, restart when the code changes"),
    *ACCESS_OPTIONS,
    Option(
        "clusters",
        CLUSTER,
        str,
        None,
        "Watch the clusters of this file, too, which is described in docs/clusters.md",
        "FILE",
        rule=rules.FILE,
    ),
    Option("enable_events", CLUSTER, bool, True, "Ask the workers to send events"),
    Option(
        "inspect_timeout",
        CLUSTER,
        float,
        1000.0,
        "Milliseconds that workers have to answer questions",
        "MS",
        rule=rules.POSITIVE,
    ),
    Option(
        "broker_api",
        CLUSTER,
        str,
        None,
        "RabbitMQ's management API, from which queue lengths are read",
        "URL",
        rule=rules.HTTP_URL,
        secret=True,
    ),
    Option(
        "queues",
        CLUSTER,
        str,
        None,
        "Queues that are shown and sampled though nothing else tells of them",
        "NAME,...",
        multiple=True,
    ),
    Option(
        "events_backlog",
        CLUSTER,
        int,
        512,
        "Megabytes of events that may wait in a burst, beside us or in RabbitMQ; 0: only what the broker allows",
        "MB",
        rule=at_least(0),
    ),
    Option("max_workers", CLUSTER, int, 5000, "How many workers are remembered", "N", rule=at_least(1)),
    Option(
        "purge_offline_workers",
        CLUSTER,
        int,
        None,
        "Forget workers that are offline for longer than this",
        "SECONDS",
        rule=at_least(0),
    ),
    *STORE_OPTIONS,
    Option("auto_refresh", PAGES, bool, True, "Let the pages follow what happens"),
    Option("natural_time", PAGES, bool, False, "Show times as in '2 minutes ago'"),
    Option(
        "tasks_columns",
        PAGES,
        str,
        "name,uuid,state,received,runtime,worker",
        "Columns of the tasks table, in this order",
        "NAMES",
    ),
    Option(
        "format_task",
        PAGES,
        Callable,
        None,
        "Function that gets a copy of each task and returns it as it is to be shown; only in the file",
    ),
    Option(
        "redact",
        PAGES,
        str,
        list(redaction.NAMES),
        "Names under which values in arguments, results and errors of tasks are hidden; empty hides nothing",
        "NAMES",
        multiple=True,
        shown=",".join(redaction.NAMES),
        rule=rules.WORDS,
    ),
    Option("classic_api", PAGES, bool, False, "Answer the REST API in the shapes of Flower 2"),
    Option(
        "task_runtime_metric_buckets",
        METRICS,
        float,
        BUCKETS,
        "Buckets of the histogram of task runtimes, in seconds",
        "SECONDS,...",
        multiple=True,
        rule=rules.RISING,
        shown="0.005 to 10 in 14 steps, and inf",
    ),
    Option(
        "native_histograms",
        METRICS,
        bool,
        False,
        "Tell run times and waiting times as native histograms, too, to a Prometheus that asks for them",
    ),
    Option(
        "otlp_endpoint",
        METRICS,
        str,
        None,
        "Send the metrics to this collector of OpenTelemetry, too, by OTLP over HTTP; needs the extra otel",
        "URL",
        rule=rules.COLLECTOR,
        secret=True,
    ),
    Option("logging", LOGS, str, "info", "What is logged; none leaves logging alone", "LEVEL", rule=rules.LEVEL),
    Option("log_to_stderr", LOGS, bool, None, "Log to stderr", shown="true unless log_file_prefix is set"),
    Option("log_file_prefix", LOGS, str, None, "Log to this file", "PATH"),
    Option("log_file_max_size", LOGS, int, 100_000_000, "Bytes before a log file is rotated", "N", rule=at_least(0)),
    Option("log_file_num_backups", LOGS, int, 10, "How many rotated log files are kept", "N", rule=at_least(0)),
    Option("log_rotate_mode", LOGS, str, "size", "Rotate by size or by time", "MODE", rule=one_of(("size", "time"))),
    Option(
        "log_rotate_when",
        LOGS,
        str,
        "midnight",
        "Unit of log_rotate_interval: seconds, minutes, hours, days, weekdays",
        "UNIT",
        rule=rules.WHEN,
    ),
    Option("log_rotate_interval", LOGS, int, 1, "How many units pass between rotations", "N", rule=at_least(1)),
)

BY_NAME: dict[str, Option] = {option.name: option for option in TABLE}

ENVIRONMENT_ONLY: dict[str, str] = {
    "FLOWER_..._FILE": "the file that holds the value of a secret: FLOWER_OAUTH2_SECRET_FILE=/run/secrets/oauth2",
    "FLOWER_UNAUTHENTICATED_API": "true opens the API to everybody when no login is configured; otherwise it is closed",
}


def define_options() -> None:
    """Define those options that Tornado does not know yet."""
    for option in TABLE:
        if option.name not in default_options:
            define(
                option.name,
                default=list(option.default) if isinstance(option.default, list) else option.default,
                type=option.type,
                help=option.help,
                metavar=option.metavar or None,
                multiple=option.multiple,
                group=option.group,
            )


def restore_defaults() -> None:
    """Forget every value that was set."""
    for option in TABLE:
        default = [] if option.multiple and option.default is None else option.default
        default_options[option.name] = list(default) if option.multiple else default


def database_path(db: str) -> str:
    """The file, or the URL, that the `db` option names."""
    if "://" in db:
        return db
    path = Path(abs_path(db))
    return str(path if path.suffix else path.with_name(path.name + ".sqlite3"))


def stored_tasks(max_tasks: int | None, persistent: bool, db: str = "") -> int:
    """How many tasks the store may hold. What a server keeps is always persistent."""
    return max_tasks or (MAX_TASKS_PERSISTENT if persistent or "://" in db else MAX_TASKS)


def span(text: str | None) -> int | None:
    """Seconds, None for no bound."""
    return seconds_in(text) if text else None


define_options()
