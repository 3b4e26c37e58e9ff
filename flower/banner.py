"""What the log says when the server is ready: where it listens, on what it looks, and who may look."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from celery import Celery

from flower.admission import api_keys, login_set_up, passwords, unauthenticated_api
from flower.options import options
from flower.utils import mask_url
from flower.utils.hosts import is_loopback

logger = logging.getLogger(__name__)

KEYS_TOLD = 5
EVERYWHERE = ("", "0.0.0.0", "::")  # noqa: S104 compared with, not bound


def print_banner(app: Any, ssl: bool, port: int | None = None) -> None:
    """Log the banner of a running `flower.app.Flower`; `port` is the one really bound."""
    for line in places(bool(ssl), options.port if port is None else port):
        logger.info("Visit me %s", line)
    for watched in app.watched:
        of = f" of {watched.name}" if watched.name else ""
        logger.info("Broker%s: %s", of, broker(watched.cluster.capp))
        logger.info("Tasks%s are stored in: %s", of, watched.cluster.store.description)
    tasks = "\n".join(f"  {name}" for name in sorted(app.capp.tasks))
    logger.info("Registered tasks:\n%s", tasks, extra={"lines": True})
    logger.log(logging.WARNING if _open() and not _private() else logging.INFO, audience())


def places(ssl: bool, port: int) -> Iterator[str]:
    """Each way to reach the server."""
    if options.unix_socket:
        yield f"via unix socket file: {options.unix_socket}"
        return
    scheme, prefix = "https" if ssl else "http", (options.url_prefix or "").strip("/")
    path = f":{port}/{prefix}/" if prefix else f":{port}"
    if options.address in EVERYWHERE:
        yield f"at {scheme}://127.0.0.1{path}"
        shown = "[::]" if options.address == "::" else "0.0.0.0"  # noqa: S104 printed
        yield f"at {scheme}://{shown}{path} (all interfaces)"
    else:
        address = options.address.strip("[]")
        yield f"at {scheme}://{f'[{address}]' if ':' in address else address}{path}"


def broker(capp: Celery) -> str:
    """The URL, or URLs, of the broker without passwords."""
    url = capp.conf.broker_read_url or capp.conf.broker_url
    if not url:
        return mask_url(str(capp.connection_for_read().as_uri()))
    return mask_url(url if isinstance(url, str) else ";".join(map(str, url)))


def audience() -> str:
    """Who can see and do what."""
    if not _open():
        always = "/healthcheck" if options.metrics_auth else "/metrics and /healthcheck"
        return f"Access: {'; '.join(_admitted())}; everybody: {always}"
    api = "and use the REST API" if unauthenticated_api() else "the REST API is closed"
    where = "on this machine" if _private() else "who can reach this address"
    return f"Access: no login is set up. Everybody {where} can see all tasks with their arguments and results, {api}"


def _admitted() -> Iterator[str]:
    """Who has to log in, and with what."""
    users, keys = len(passwords(options)), api_keys(options)
    provider = options.auth_provider or (options.oidc_issuer and f"OpenID Connect at {options.oidc_issuer}")
    if provider:
        who = options.auth or f"members of {', '.join(options.oidc_allowed_groups)}"
        yield f"{who} through {provider}"
    if options.trusted_header:
        yield f"those whom {', '.join(options.trusted_proxies)} names in {options.trusted_header}"
    if users:
        yield f"{users} user{'s' * (users > 1)} with a password"
    if keys:
        names = ", ".join(f"{key.name}: {key.role}" for key in keys[:KEYS_TOLD])
        more = f", {len(keys) - KEYS_TOLD} more" if len(keys) > KEYS_TOLD else ""
        yield f"{len(keys)} API key{'s' * (len(keys) > 1)} ({names}{more})"
    if not users and not provider and not options.trusted_header:
        yield "the pages are closed, as only basic_auth opens them"


def _open() -> bool:
    return not login_set_up(options)


def _private() -> bool:
    """Whether other machines cannot reach the server."""
    return bool(options.unix_socket) or is_loopback(options.address)
