"""Every URL, its handler and its name, in one list. The last match is whatever is left."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote, unquote

from tornado.routing import URLSpec as Url

from flower.access import PUBLIC
from flower.api import UnknownApiHandler
from flower.api.audit import ListAudit
from flower.api.clusters import ListClusters
from flower.api.control import ROUTES as OPERATION_ROUTES
from flower.api.events import StreamEvents
from flower.api.openapi import OpenApi
from flower.api.queues import GetQueueHistory, GetQueueLengths
from flower.api.stats import GetStats
from flower.api.tasks import ListTasks, ListTaskTypes, TaskInfo
from flower.api.workers import ListWorkers
from flower.assets import Assets
from flower.utils import gen_cookie_secret
from flower.views.api_docs import ApiDocs
from flower.views.auth import LoginHandler, LogoutHandler
from flower.views.broker import BrokerView
from flower.views.clusters import ClustersView
from flower.views.complete import CompleteView
from flower.views.datatable import TasksDataTable
from flower.views.error import NotFoundErrorHandler
from flower.views.export import TasksExport
from flower.views.monitor import Healthcheck, Metrics
from flower.views.overview import OverviewView
from flower.views.queue import DepthView, QueueView
from flower.views.selection import TasksSelection, TasksWords
from flower.views.stream import StreamHandler
from flower.views.tasks import TasksView, TaskView
from flower.views.workers import WorkersView, WorkerView
from flower.web import BaseHandler

HERE = os.path.dirname(os.path.abspath(__file__))

settings: dict[str, Any] = {
    "template_path": os.path.join(HERE, "templates"),
    "static_path": os.path.join(HERE, "static"),
    "static_url_prefix": "/static/",
    "static_handler_class": Assets,
    "login_url": "/login",
    "cookie_secret": gen_cookie_secret(),
    # The gate refuses foreign requests by their origin (flower.web).
    "xsrf_cookies": False,
    "compress_response": True,
    "default_handler_class": NotFoundErrorHandler,
}
"""Tornado's settings; the application adds what depends on options."""


class RemoveSlash(BaseHandler):
    """A page asked for with a slash too many."""

    permission = PUBLIC

    def get(self, _: str) -> None:
        # One slash at the front and no backslash, or a browser would take the path for a host.
        target = "/" + quote(unquote(self.request.path).strip("/"), safe="/%:@!$&'()*+,;=~")
        self.redirect(target + (f"?{self.request.query}" if self.request.query else ""))


class AddSlash(BaseHandler):
    """The URL prefix, or that of a cluster, asked for without its slash."""

    permission = PUBLIC

    def get(self) -> None:
        self.redirect(f"{self.request.path}/")


handlers: list[Url] = [
    # Pages
    Url(r"/", OverviewView, name="main"),
    Url(r"/workers", WorkersView, name="workers"),
    Url(r"/worker/(.+)", WorkerView, name="worker"),
    Url(r"/task/(.+)", TaskView, name="task"),
    Url(r"/tasks", TasksView, name="tasks"),
    Url(r"/tasks/datatable", TasksDataTable, name="datatable"),
    Url(r"/tasks/export", TasksExport, name="export"),
    Url(r"/tasks/selection", TasksSelection, name="selection"),
    Url(r"/tasks/words", TasksWords, name="words"),
    Url(r"/broker", BrokerView, name="broker"),
    Url(r"/queues", BrokerView, name="queues"),
    Url(r"/broker/depth", DepthView, name="depth"),
    Url(r"/queue/(.+)", QueueView, name="queue"),
    Url(r"/clusters", ClustersView, name="clusters"),
    Url(r"/stream", StreamHandler, name="stream"),
    Url(r"/complete", CompleteView, name="complete"),
    Url(r"/login/?", LoginHandler, name="login"),
    Url(r"/logout", LogoutHandler, name="logout"),
    # API
    Url(r"/api/workers", ListWorkers, name="api_workers"),
    Url(r"/api/tasks", ListTasks, name="api_tasks"),
    Url(r"/api/task/types", ListTaskTypes, name="api_task_types"),
    Url(r"/api/task/info/(.*)", TaskInfo, name="api_task_info"),
    Url(r"/api/audit", ListAudit, name="api_audit"),
    Url(r"/api/queues/length", GetQueueLengths, name="api_queues_length"),
    Url(r"/api/queues/history", GetQueueHistory, name="api_queues_history"),
    Url(r"/api/clusters", ListClusters, name="api_clusters"),
    Url(r"/api/stats", GetStats, name="api_stats"),
    Url(r"/api/events", StreamEvents, name="api_events"),
    Url(r"/api/openapi.json", OpenApi, name="api_openapi"),
    Url(r"/api/docs", ApiDocs, name="api_docs"),
    *(Url(pattern, handler, name=f"api_{handler.operation.name}") for pattern, handler in OPERATION_ROUTES),
    # Machines that watch
    Url(r"/metrics", Metrics, name="metrics"),
    Url(r"/healthcheck", Healthcheck, name="healthcheck"),
    # The rest
    Url(r"(/.+)/", RemoveSlash),
    Url(r"/api/.*", UnknownApiHandler),
]


def with_login(handlers: list[Any], handler: type[BaseHandler] | None) -> list[Any]:
    """The handlers with the one that logs people in, if there is one."""
    if handler is None:
        return handlers
    known = (spec for spec in handlers if isinstance(spec, Url) and spec.handler_class is LoginHandler)
    swapped = {spec: Url(spec.regex.pattern, handler, name=spec.name) for spec in known}
    return [swapped.get(spec, spec) for spec in handlers]


def rewrite_handler(handler: Any, url_prefix: str) -> Url:
    """The handler under a prefix; takes an URLSpec or a tuple of its arguments."""
    spec = handler if isinstance(handler, Url) else Url(*handler)
    prefix = url_prefix.strip("/")
    if not prefix:
        return spec
    pattern = spec.regex.pattern.removesuffix("$")
    # A group may hold the whole path, as for RemoveSlash.
    inside = pattern.startswith("(/")
    pattern = f"(/{prefix}{pattern[1:]}" if inside else f"/{prefix}{pattern}"
    return Url(pattern, spec.handler_class, spec.kwargs, spec.name)


def under_prefix(handlers: list[Any], url_prefix: str) -> list[Url]:
    """All handlers under the prefix."""
    specs = [rewrite_handler(handler, url_prefix) for handler in handlers]
    prefix = url_prefix.strip("/")
    # Without a prefix the path of a cluster alone is asked for in this way, within which nothing is left of it.
    return [*specs, Url(f"/{prefix}" if prefix else "", AddSlash)]
