"""Small functions that every floor may use."""

from __future__ import annotations

import base64
import os
import re
import secrets
from importlib.metadata import PackageNotFoundError, version

import celery
import celery.app

TRUE_WORDS = ("true", "yes", "on", "1", "t", "y")
FALSE_WORDS = ("false", "no", "off", "0", "f", "n")

REPORTED_PACKAGES = ("flower", "tornado", "humanize", "orjson", "SQLAlchemy", "prometheus_client")

ALTERNATE = re.compile(r";(?=[\w+.-]+://)")
USERINFO = re.compile(r"^((?:[\w+.-]+://)?[^:@/]*):.*@", re.DOTALL)
SECRET_ARGUMENT = re.compile(r"([?&][^=&]*(?:pass|pwd|secret|token|key|cred|sig)[^=&]*=)[^&]*", re.IGNORECASE)


def gen_cookie_secret() -> bytes:
    """Random key for signed cookies: 32 bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32))


def bugreport(app: celery.Celery | None = None) -> str:
    """Versions of everything that matters in a bug report, as text."""
    names = [f"{name}:{_version(name)}" for name in REPORTED_PACKAGES]
    return f"flower -> {' '.join(names)}\n{(app or celery.app.app_or_default()).bugreport()}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def abs_path(path: str) -> str:
    """Absolute form of a path; `~` is the home directory."""
    return os.path.abspath(os.path.expanduser(path))


def prepend_url(url: str, prefix: str) -> str:
    """The URL path under a prefix: ('/login', '/a/') -> '/a/login'."""
    prefix = prefix.strip("/")
    return f"/{prefix}{url}" if prefix else url


def strtobool(val: str) -> int:
    """1 for yes, 0 for no; ValueError for any other word."""
    word = val.strip().lower()
    if word in TRUE_WORDS:
        return 1
    if word in FALSE_WORDS:
        return 0
    raise ValueError(f"invalid truth value {val!r}")


def mask_url(url: str) -> str:
    """The URL without its secrets; several URLs may be joined by `;`."""
    return ";".join(_mask_one(one) for one in ALTERNATE.split(url))


def _mask_one(url: str) -> str:
    address, mark, query = url.partition("?")
    if "@" in query and "=" not in query.partition("@")[0]:  # a question mark in the password itself
        address, mark, query = url, "", ""
    return USERINFO.sub(r"\1:**@", address) + SECRET_ARGUMENT.sub(r"\1**", mark + query)
