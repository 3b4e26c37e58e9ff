"""Which login provider the options ask for, and everything that a server with one holds. Built once, at the start."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from celery.utils.imports import import_from_cwd

from flower import admission
from flower.access import PUBLIC, Access
from flower.audit import Audit
from flower.gate import Checks, Gate
from flower.login.logins import Logins
from flower.login.people import People
from flower.login.provider import Client, Provider, ProviderFault
from flower.login.proxy import TrustedProxy
from flower.login.sessions import Sessions
from flower.options import OptionError
from flower.store import StoreError
from flower.store.audit import AuditQuery
from flower.utils.access_options import ACCESS_OPTIONS, LOGIN
from flower.utils.hosts import Hosts
from flower.utils.origins import Origins
from flower.views import BaseHandler
from flower.views.auth import LOGOUT, OAuth2LoginHandler

OIDC = "flower.views.auth.OidcLoginHandler"
ENDED_MOST = 10_000
VALUES = tuple(option.name for option in ACCESS_OPTIONS if option.group == LOGIN)


@dataclass(frozen=True, slots=True)
class Entrance:
    """Who gets in and how, as the options say; `handler` answers /login."""

    access: Access
    origins: Origins
    hosts: Hosts
    proxy: TrustedProxy
    logins: Logins | None
    handler: type[BaseHandler] | None

    def gate(self, audit: Audit, executor: Executor) -> Gate:
        """The gate of the server. Sessions that the audit says were ended are not taken over.

        Where it cannot be read, none that began before this moment are.
        """
        if self.logins is not None and self.logins.sessions.takes_over:
            since = time.time() - self.logins.sessions.lifetime
            try:
                ended, _ = audit.search(AuditQuery(operation=LOGOUT, since=since, limit=ENDED_MOST))
            except StoreError:
                self.logins.sessions.begin_anew()
            else:
                self.logins.sessions.end_before(str(entry["target"]) for entry in ended)
        return Gate(self.access, self.origins, audit, Checks(executor), self.hosts, self.proxy, self.logins)


def entrance(options: Any, environ: Mapping[str, str]) -> Entrance:
    """Everything about getting in. OptionError says what cannot be used, or would keep nobody out."""
    handler = login_handler(options)
    held, proxy = logins(options, handler), admission.proxy(options)
    access = Access(
        admission.passwords(options),
        admission.unauthenticated_api(environ),
        options.read_only,
        admission.api_keys(options),
        roles=admission.roles(options),
        people=held.people if held else None,
        proxied=bool(proxy),
        metrics_auth=admission.metrics_auth(options),
    )
    return Entrance(access, admission.cors_origins(options), admission.hosts(options), proxy, held, handler)


def login_handler(options: Any) -> type[BaseHandler] | None:
    """The class that is to answer /login; None without a provider. OptionError if there is no such class."""
    path = options.auth_provider or (OIDC if options.oidc_issuer else None)
    if path is None:
        if options.auth:
            raise OptionError("auth: needs auth_provider, the place where those addresses log in")
        if options.oidc_allowed_groups:
            raise OptionError("oidc_allowed_groups: needs oidc_issuer too")
        return None
    kind = _imported(path)
    if not isinstance(kind, type) or not issubclass(kind, BaseHandler):
        raise OptionError(f"auth_provider: {path} must be a class made from flower.views.BaseHandler")
    if kind.permission == PUBLIC:
        return kind
    # Who logs in is not yet anybody: a class of the operator's own need not know about permissions.
    return type(kind.__name__, (kind,), {"permission": PUBLIC, "__module__": kind.__module__})


def logins(options: Any, handler: type[BaseHandler] | None) -> Logins | None:
    """What the server holds for its provider; None without one. OptionError says what is missing."""
    if handler is None:
        return None
    wanted = admission.roles(options).groups
    provider = _provider(options, handler, wanted)
    allowed = provider.allowed if provider else frozenset()
    if not options.auth and not (allowed and options.oidc_issuer):
        raise OptionError("auth_provider: needs auth, the addresses that may log in")
    return Logins(
        people=People(options.auth or "", allowed),
        sessions=Sessions(options.session_hours, options.session_idle_hours, takes_over=bool(options.cookie_secret)),
        provider=provider,
        secure=(options.oauth2_redirect_uri or "").startswith("https://"),
        groups=wanted | allowed,
    )


def _provider(options: Any, handler: type[BaseHandler], groups: frozenset[str]) -> Provider | None:
    if not issubclass(handler, OAuth2LoginHandler):
        return None
    client = Client(
        key=options.oauth2_key or "",
        secret=options.oauth2_secret or "",
        redirect_uri=options.oauth2_redirect_uri or "",
        values={name: getattr(options, name) for name in VALUES},
        groups=groups,
    )
    try:
        return handler.provider_class(client)
    except ProviderFault as error:
        raise OptionError(str(error)) from None


def _imported(path: str) -> Any:
    """The class at a path, of a module that may lie in the current directory."""
    module, _, name = path.rpartition(".")
    try:
        return getattr(import_from_cwd(module), name)
    except (ImportError, AttributeError) as error:
        raise OptionError(f"auth_provider: {path} cannot be imported: {error}") from None
    except Exception as error:  # noqa: BLE001 whatever the operator's module does wrong is told
        reason = f"{type(error).__name__}: {error}"
        raise OptionError(f"auth_provider: {path} cannot be imported: {' '.join(reason.split())}") from None
