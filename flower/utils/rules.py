"""Which values options allow."""

from __future__ import annotations

import ipaddress
import math
import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from flower.utils import abs_path
from flower.utils.authentication import validate_auth_option
from flower.utils.durations import seconds_in
from flower.utils.origins import is_origin
from flower.utils.owners import is_owner
from flower.utils.redaction import words_of


@dataclass(frozen=True, slots=True)
class Rule:
    """Which values are allowed, in words that follow "must be", and as a test."""

    allowed: str
    holds: Callable[[Any], bool]


def between(low: int, high: int) -> Rule:
    """Both ends are allowed."""
    return Rule(f"a whole number from {low} to {high}", lambda value: low <= value <= high)


def at_least(low: int) -> Rule:
    """A lower bound, itself allowed."""
    return Rule(f"a whole number of at least {low}", lambda value: bool(low <= value))


def one_of(words: Collection[str], *, any_case: bool = False) -> Rule:
    """A word of a list."""
    folded = {word.lower() for word in words}
    holds = folded.__contains__ if any_case else set(words).__contains__
    return Rule(f"one of {', '.join(words)}", lambda value: holds(value.lower() if any_case else value))


def matching(allowed: str, pattern: str) -> Rule:
    """A text that the regular expression matches as a whole."""
    return Rule(allowed, lambda value: re.fullmatch(pattern, value) is not None)


def rising(values: Iterable[float]) -> bool:
    """Whether there is a value, and each is greater than the one before."""
    numbers = list(values)
    return bool(numbers) and all(low < high for low, high in pairwise(numbers))


def is_http_url(url: str) -> bool:
    """Whether it is an http or https URL with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_network(text: str) -> bool:
    """Whether it is an address, a network, or the word for the socket file."""
    try:
        return text == UNIX or ipaddress.ip_network(text) is not None
    except ValueError:
        return False


UNIX = "unix"
"""Who comes over the socket file, among addresses."""
PORT = between(0, 65535)
FILE = Rule("an existing file", lambda path: os.path.isfile(abs_path(path)))
DATABASE = Rule(
    "a file name, or a URL such as postgresql://user:password@host/database",
    lambda db: db and ("://" not in db or db.startswith(("postgresql://", "postgres://"))),
)
SPAN = Rule(
    "a span of time such as 30d, 12h, 45m or 90 (seconds)", lambda text: not text or seconds_in(text) is not None
)
HTTP_URL = Rule("an http or https URL such as http://user:password@host:15672/api/", is_http_url)
COLLECTOR = Rule("an http or https URL such as http://localhost:4318", is_http_url)
POSITIVE = Rule("a number greater than 0", lambda value: 0 < value < math.inf)
RISING = Rule("numbers in rising order with commas between them", rising)
MODE = matching("an octal file mode such as 0660", r"0?[0-7]{3}")
OWNER = Rule("USER, USER:GROUP or :GROUP, which this machine knows", is_owner)
PREFIX = matching("a path such as monitor/flower, of letters, digits and -._~", r"[A-Za-z0-9._~/-]*")
LEVEL = one_of(("debug", "info", "warning", "error", "critical", "none"), any_case=True)
WHEN = one_of(("S", "M", "H", "D", "midnight", *(f"W{day}" for day in range(7))), any_case=True)
USERS = Rule(
    "user:password, or several with commas between them (a comma within a password is written \\,)",
    lambda entries: bool(entries) and all(entry.partition(":")[0] and entry.partition(":")[2] for entry in entries),
)
KEYS = Rule("name:key or name:key:role, or several with commas between them", bool)
ORIGINS = Rule(
    "an origin such as https://status.example:8443, without a path, or several with commas between them",
    lambda entries: bool(entries) and all(map(is_origin, entries)),
)
WORDS = Rule(
    "names with letters in them such as password,api_key, with commas between them, or empty",
    lambda names: names == [""] or all(map(words_of, names)),
)
EMAILS = Rule(
    "addresses, or patterns such as .*@example.com, with commas between them (between addresses also |)",
    lambda pattern: not pattern or validate_auth_option(pattern),
)
ROLES = Rule("role:address, role:name or role:group:name, or several with commas between them", bool)
CLASS_PATH = matching("the path of a class, such as flower.views.auth.GithubLoginHandler", r"[^\W\d]\w*(\.[^\W\d]\w*)+")
LINK = Rule("an http or https URL", is_http_url)
SCOPES = matching(
    "words with blanks between them, openid among them", r"(?=(.* )?openid( |$))[!#-\[\]-~]+( [!#-\[\]-~]+)*"
)
HEADER = matching("the name of a header, such as X-Forwarded-User", r"[A-Za-z0-9-]{1,64}")
NETWORKS = Rule(
    "addresses or networks such as 10.0.0.0/8, or unix, with commas between them",
    lambda entries: bool(entries) and all(map(is_network, entries)),
)
HOSTS = Rule(
    "host names without a port, such as flower.example.com or *.example.com, with commas between them",
    lambda entries: (
        bool(entries) and all(re.fullmatch(r"(\*\.)?[\w.-]+|\[?[0-9a-fA-F:.]+\]?", entry) for entry in entries)
    ),
)
