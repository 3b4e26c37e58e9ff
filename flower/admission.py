"""Whom the options let in: users, API keys, other web sites."""

from __future__ import annotations

import os
import types
from collections.abc import Mapping
from typing import Any

from flower import apikeys
from flower.apikeys import ApiKey, KeyFault
from flower.options import OptionError
from flower.utils import abs_path, rules, strtobool
from flower.utils.origins import Origins


def credentials(options: Any) -> list[str]:
    """The `user:password` texts that let somebody in; OptionError if they would not keep out who should be kept out."""
    for name in ("auth", "auth_provider"):
        if getattr(options, name, None):
            raise OptionError(f"{name}: must be {rules.NOT_YET.allowed}")
    return list(options.basic_auth or ())


def api_keys(options: Any) -> list[ApiKey]:
    """The keys of `api_keys` and of the lines of `api_keys_file`. OptionError says which cannot be used."""
    given, path = list(options.api_keys or ()), options.api_keys_file
    keys = _read("api_keys", given)
    if path:
        keys += _read("api_keys_file", _lines(path))
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


def _lines(path: str) -> list[str]:
    try:
        with open(abs_path(path), encoding="utf-8") as file:
            entries = list(apikeys.lines(file.read()))
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(
            f"api_keys_file: {path} cannot be read: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not entries:
        # An empty file would open what it is there to protect.
        raise OptionError(f"api_keys_file: {path} has no key")
    return entries


def cors_origins(options: Any) -> Origins:
    """The sites that may use the API. OptionError where all of them could try the logins of others."""
    origins = Origins(options.cors_origins or ())
    if origins.any and (options.basic_auth or options.api_keys or options.api_keys_file):
        raise OptionError("cors_origins: * cannot be combined with basic_auth or API keys, name the sites instead")
    return origins


def unauthenticated_api(environ: Mapping[str, str] = types.MappingProxyType(os.environ)) -> bool:
    """Whether the API is open although nobody can log in."""
    word = environ.get("FLOWER_UNAUTHENTICATED_API") or "false"
    try:
        return bool(strtobool(word))
    except ValueError:
        raise OptionError(f"FLOWER_UNAUTHENTICATED_API: must be true or false, not {word!r}") from None
