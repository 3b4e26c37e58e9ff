"""The wiring room: builds every part once from the options, starts them, stops them.

Everything here runs on the thread of the web loop unless it says otherwise.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import cached_property
from typing import Any

import celery
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.netutil import bind_sockets

from flower import clusters, signin, urls
from flower.clusters import Plan
from flower.events import Events
from flower.options import options as default_options
from flower.options import stored_tasks
from flower.shown import Shown
from flower.site import Site
from flower.store import StoreError
from flower.urls import rewrite_handler
from flower.utils import abs_path, mask_url
from flower.utils.executor import DaemonExecutor
from flower.utils.hosts import is_loopback
from flower.utils.redaction import Redactor
from flower.utils.sockets import unix_socket
from flower.watched import Watched, end, process_export

__all__ = ["Flower", "rewrite_handler"]

logger = logging.getLogger(__name__)

HEADER_BYTES = 32_768
BODY_BYTES = 10_485_760
IDLE_SECONDS = 120.0
"""How long a client may take for its headers, or keep a connection that it does not use."""
BODY_SECONDS = 60.0


class Flower(tornado.web.Application):
    """The server. `watched` are its clusters; `cluster`, `capp`, `events` and `inspector` are of the first one.

    With the option `clusters` and without `capp` only those of the file are watched.
    """

    pool_executor_cls: Callable[..., Executor] = DaemonExecutor
    max_workers: int | None = None

    def __init__(
        self,
        options: Any = None,
        capp: celery.Celery | None = None,
        events: Events | None = None,
        io_loop: IOLoop | None = None,
        **kwargs: Any,
    ) -> None:
        self.options = default_options if options is None else options
        self.io_loop = io_loop or IOLoop.current()
        # First what may be refused: nothing is running yet that would have to be stopped.
        self._entrance = signin.entrance(self.options, os.environ)
        self.ssl_options = kwargs.pop("ssl_options", None) or _ssl_options(self.options)
        plans = clusters.plans(self.options, capp)
        self.capp = plans[0].capp
        self._shown = Shown(Redactor(self.options.redact), self.options.format_task)
        self.executor = self.pool_executor_cls(max_workers=self.max_workers)
        self.started = False
        self._export = process_export(self.options) if plans[0].name else None
        self.watched = self._watch(plans, events)
        self.cluster = self.watched[0].cluster
        self.operations = self.watched[0].operations
        self.watch = self.watched[0].watch
        self.events = self.cluster.events
        self.inspector = self.cluster.inspector
        self._server: HTTPServer | None = None
        self._port: int | None = None
        self._owns_loop = False
        self._stopped = False
        super().__init__(**self._settings(kwargs))

    # -- building

    def _watch(self, plans: Sequence[Plan], events: Events | None) -> list[Watched]:
        """Everything of each cluster. With several, each has threads of its own for its pages, too."""
        watched: list[Watched] = []
        several = bool(plans[0].name)
        for plan in plans:
            executor = self.pool_executor_cls(max_workers=self.max_workers) if several else self.executor
            try:
                each = Watched(plan, self.options, self.io_loop, self._shown, executor, None if watched else events)
            except StoreError as error:
                for begun in watched:
                    begun.save()
                raise StoreError(f"cluster {plan.name!r}: {error}" if several else str(error)) from error
            watched.append(each)
        return watched

    def _settings(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Tornado's settings: ours, those of the options, those of the caller."""
        options = self.options
        prefix = (options.url_prefix or "").strip("/")
        settings = urls.settings | {"debug": options.debug, "site": self._site(prefix)}
        if options.cookie_secret:
            settings["cookie_secret"] = options.cookie_secret
        # Where classes written for Tornado's mixins look for what the provider knows them by.
        settings["oauth"] = {name: getattr(options, f"oauth2_{name}") for name in ("key", "secret", "redirect_uri")}
        settings |= kwargs
        handlers = urls.with_login(kwargs.get("handlers") or urls.handlers, self._entrance.handler)
        settings["handlers"] = urls.under_prefix(handlers, prefix)
        if prefix:
            for name in ("static_url_prefix", "login_url"):
                if not settings[name].startswith(f"/{prefix}/"):
                    settings[name] = f"/{prefix}{settings[name]}"
        return settings

    def _site(self, prefix: str) -> Site:
        options = self.options
        site = Site(
            cluster=self.cluster,
            gate=self._entrance.gate(self.cluster.audit, self.executor),
            executor=self.executor,
            operations=self.operations,
            url_prefix=f"/{prefix}" if prefix else "",
            root=f"/{prefix}" if prefix else "",
            classic_api=options.classic_api,
            shown=self._shown,
            tasks_columns=tuple(name.strip() for name in options.tasks_columns.split(",") if name.strip()),
            natural_time=options.natural_time,
            auto_refresh=options.auto_refresh,
            max_tasks=stored_tasks(options.max_tasks, options.persistent, options.db),
            hsts=options.hsts,
            private=bool(options.unix_socket) or is_loopback(options.address),
            moves=options.xheaders,
        )
        for each in self.watched:
            if each.name:
                site.join(each.name, each.cluster, each.executor, each.operations)
                each.cluster.hub.neighbours = site.fleet.digest
        return site

    # -- starting

    def start_http_server(self) -> int | None:
        """Listen as the options say, once; the port, or None for a Unix socket."""
        if self._server is not None:
            return self._port
        sockets = self._bind()
        self._server = HTTPServer(
            self,
            xheaders=self.options.xheaders,
            ssl_options=self.ssl_options,
            max_header_size=HEADER_BYTES,
            max_body_size=BODY_BYTES,
            idle_connection_timeout=IDLE_SECONDS,
            body_timeout=BODY_SECONDS,
        )
        self._server.add_sockets(sockets)
        if not self.options.unix_socket:
            self._port = sockets[0].getsockname()[1]
        return self._port

    def _bind(self) -> Sequence[socket.socket]:
        options = self.options
        if options.unix_socket:
            mode = int(options.unix_socket_mode, 8)
            return [unix_socket(abs_path(options.unix_socket), mode, options.unix_socket_owner)]
        return bind_sockets(options.port, options.address.strip("[]") or None)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """The handler of a request; a proxy may keep the URL prefix or strip it; a cluster's name is left out."""
        whole: Site = self.settings["site"]
        site = whole.seen_by(request.headers)
        prefix = site.root
        if prefix and request.path != prefix and not request.path.startswith(f"{prefix}/"):
            request.path = prefix + request.path
            request.uri = prefix + (request.uri or "")
        path = request.path
        request.path = whole.root + site.within(path).removeprefix(prefix)
        try:
            return super().find_handler(request, **kwargs)
        finally:
            request.path = path

    def start(self, *, listen: bool = True) -> None:
        """Listen if that is not done yet, watch the cluster, and run the loop unless it runs already.

        Without `listen` requests come through a server of somebody else's.
        """
        if listen:
            self.start_http_server()
        self.started = True
        self.io_loop.add_callback(self._begin)
        if not self.io_loop.asyncio_loop.is_running():  # type: ignore[attr-defined]
            self._owns_loop = True
            self.io_loop.start()

    def _begin(self) -> None:
        if not self._stopped:
            for each in self.watched:
                each.start()
            if self._export is not None:
                self._export.start()

    def stop(self) -> None:
        """End everything within two seconds, whatever still waits; what was seen is in the store."""
        if self._stopped:
            return
        self._stopped = True
        if self._server is not None:
            self._server.stop()
            if self.options.unix_socket:
                _remove(abs_path(self.options.unix_socket))
        if self._export is not None:
            self._export.stop()
        end(self.watched)
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.started = False
        if self._owns_loop:
            self.io_loop.stop()

    # -- asking the workers

    @property
    def workers(self) -> dict[str, dict[str, Any]]:
        """What the workers answered when they were last asked, by name."""
        return self.inspector.workers

    def update_workers(self, workername: str | None = None) -> list[Any]:
        """Ask one worker, or all, for their facts; the futures of their answers."""
        return list(self.inspector.inspect(workername))

    # -- the broker

    @cached_property
    def transport(self) -> str:
        """The kind of broker, such as redis or amqp."""
        with self.capp.connection() as connection:
            return str(connection.transport.driver_type)

    @cached_property
    def broker_uri_with_password(self) -> str:
        with self.capp.connection() as connection:
            return str(connection.as_uri(include_password=True))

    @property
    def broker_uri(self) -> str:
        """The broker's URL without its password."""
        return mask_url(self.broker_uri_with_password)


def _ssl_options(options: Any) -> dict[str, str] | None:
    """TLS as the options ask for it."""
    if not options.certfile:
        return None
    files = {"certfile": options.certfile, "keyfile": options.keyfile, "ca_certs": options.ca_certs}
    return {name: abs_path(path) for name, path in files.items() if path}


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError as error:
        logger.warning("Cannot remove %s: %s", path, error)
