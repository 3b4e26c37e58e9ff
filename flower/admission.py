"""Whom the options let in: users, API keys, other web sites."""

from __future__ import annotations

import os
import types
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flower import apikeys
from flower.apikeys import ApiKey, KeyFault
from flower.login.proxy import TrustedProxy, trusted_proxy
from flower.login.roles import RoleFault, Roles
from flower.options import OptionError
from flower.passwords import PasswordFault, Passwords
from flower.passwords import lines as lines_of_users
from flower.utils import abs_path, strtobool
from flower.utils.hosts import Hosts, OwnHosts, is_loopback
from flower.utils.origins import Origins

PROVIDERS = ("auth_provider", "oidc_issuer", "oidc_allowed_groups")
"""The options that say that a login provider is wanted, beside `auth`."""


def passwords(options: Any) -> Passwords:
    """The users of `basic_auth` and of the lines of `basic_auth_file`. OptionError says which cannot be used."""
    given, path = list(options.basic_auth or ()), options.basic_auth_file
    more = _lines("basic_auth_file", path, "user", lines_of_users) if path else []
    for option, entries in (("basic_auth", given), ("basic_auth_file", more)):
        try:
            Passwords(entries)
        except PasswordFault as error:
            raise OptionError(f"{option}: {error}") from None
    return Passwords(given + more)


def roles(options: Any) -> Roles:
    """Who may do what. OptionError says which entry cannot be used."""
    try:
        return Roles(options.roles or ())
    except RoleFault as error:
        raise OptionError(f"roles: {error}") from None


def proxy(options: Any) -> TrustedProxy:
    """The proxies that log people in. OptionError where a header could come from anybody."""
    for given, needed in (
        ("trusted_header", "trusted_proxies"),
        ("trusted_proxies", "trusted_header"),
        ("trusted_groups_header", "trusted_header"),
    ):
        if getattr(options, given) and not getattr(options, needed):
            raise OptionError(f"{given}: needs {needed} too")
    return trusted_proxy(options.trusted_header, options.trusted_groups_header, options.trusted_proxies or ())


def login_set_up(options: Any) -> bool:
    """Whether anybody has to log in."""
    names = ("basic_auth", "basic_auth_file", "api_keys", "api_keys_file", "auth", *PROVIDERS, "trusted_header")
    return any(getattr(options, name, None) for name in names)


def metrics_auth(options: Any) -> bool:
    """Whether /metrics needs a login. OptionError where nobody could log in."""
    if options.metrics_auth and not login_set_up(options):
        raise OptionError("metrics_auth: needs a login to be set up, such as api_keys")
    return bool(options.metrics_auth)


def hosts(options: Any) -> Hosts:
    """The names under which the server may be asked.

    Where only this machine reaches it and nobody logs in, its being out of reach is all that protects it: then
    only names of this machine are allowed, unless a proxy is said to be in front.
    """
    if options.allowed_hosts:
        return Hosts(options.allowed_hosts)
    alone = is_loopback(options.address) and not options.unix_socket and not options.xheaders
    return OwnHosts() if alone and not login_set_up(options) else Hosts()


def api_keys(options: Any) -> list[ApiKey]:
    """The keys of `api_keys` and of the lines of `api_keys_file`. OptionError says which cannot be used."""
    given, path = list(options.api_keys or ()), options.api_keys_file
    keys = _read("api_keys", given)
    if path:
        keys += _read("api_keys_file", _lines("api_keys_file", path, "key", apikeys.lines))
    names = [key.name for key in keys]
    for name in names:
        if names.count(name) > 1:
            raise OptionError(f"api_keys_file: the key {name!r} is in api_keys too")
    return keys


def _read(option: str, entries: list[str]) -> list[ApiKey]:
    try:
        return apikeys.read(entries)
    except KeyFault as error:
        raise OptionError(f"{option}: {error}") from None


def _lines(option: str, path: str, noun: str, split: Callable[[str], Iterable[str]]) -> list[str]:
    """The entries of a file."""
    try:
        with open(abs_path(path), encoding="utf-8") as file:
            entries = list(split(file.read()))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"{option}: {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not entries:
        # An empty file would open what it is there to protect.
        raise OptionError(f"{option}: {path} has no {noun}")
    return entries


def cors_origins(options: Any) -> Origins:
    """The sites that may use the API. OptionError where all of them could try the logins of others."""
    origins = Origins(options.cors_origins or ())
    if origins.any and login_set_up(options):
        raise OptionError("cors_origins: * cannot be combined with a login, name the sites instead")
    return origins


def unauthenticated_api(environ: Mapping[str, str] = types.MappingProxyType(os.environ)) -> bool:
    """Whether the API is open although nobody can log in."""
    word = environ.get("FLOWER_UNAUTHENTICATED_API") or "false"
    try:
        return bool(strtobool(word))
    except ValueError:
        raise OptionError(f"FLOWER_UNAUTHENTICATED_API: must be true or false, not {word!r}") from None
