"""The pages: HTML from templates, whole without script; htmx swaps named regions of them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from datetime import tzinfo
from functools import cache, cached_property
from typing import Any, ClassVar, NamedTuple
from urllib.parse import quote, urlencode

import pytz

from flower import __version__
from flower.access import METRICS, VIEW
from flower.site import Site
from flower.utils import mask_url, template
from flower.utils.broker import BrokerBase
from flower.utils.figures import format_short
from flower.utils.texts import Html, element, for_scripts, say, say_html
from flower.utils.zones import server_zone
from flower.views.actions import Actions
from flower.views.drawings import DrawnHandler
from flower.views.moments import time_element

logger = logging.getLogger(__name__)

ZONE_COOKIE = "flower_zone"
"""The time zone to show, set by static/js/time.js; without it pages show the Celery app's."""

TIMES_COOKIE = "flower_times"
"""`relative` or `absolute`, for every time that can be told in both ways; without it each page has its own way."""


class PageLink(NamedTuple):
    """An entry of the navigation; `key` goes there after `g`."""

    tab: str
    path: str
    label: str
    key: str


PAGES = (
    PageLink("overview", "", say("frame.overview"), "o"),
    PageLink("tasks", "tasks", say("frame.tasks"), "t"),
    PageLink("workers", "workers", say("frame.workers"), "w"),
    PageLink("broker", "broker", say("frame.queues"), "q"),
)

FUNCTIONS = {
    name: getattr(template, name)
    for name in (
        "humanize",
        "format_time",
        "format_duration",
        "format_count",
        "format_value",
        "format_age",
        "natural_time",
        "task_link",
        "without_passwords",
    )
} | {
    "format_short": format_short,
    "say": say,
    "say_html": say_html,
    "element": element,
    "Html": Html,
    "script_texts": cache(for_scripts),
}

DOCUMENTATION_URL = "https://flower.readthedocs.io"


class BaseHandler(DrawnHandler):
    """A page. `tab` is the entry of the navigation that it belongs to."""

    wing = "page"
    permission = VIEW
    tab: ClassVar[str] = ""
    of_cluster = True

    def initialize(self) -> None:
        # Before anything is read: what changes meanwhile is then seen as newer than the page.
        self._revisions = self.cluster.hub.revisions()

    # -- addresses

    def path(self, *segments: str, **arguments: Any) -> str:
        """The address of a page below the prefix; every segment and argument is quoted, empty arguments left out."""
        return address(self.site.url_prefix, *segments, **arguments)

    def worker_path(self, name: str) -> str:
        return self.path("worker", name)

    def task_path(self, uuid: str) -> str:
        return self.path("task", uuid)

    def tasks_path(self, **arguments: Any) -> str:
        return self.path("tasks", **arguments)

    # -- time

    @cached_property
    def zone(self) -> tzinfo:
        """The visitor's time zone, as far as it is known."""
        name = self.get_cookie(ZONE_COOKIE) or ""
        return pytz.timezone(name) if name in pytz.all_timezones_set else self.app_zone

    @property
    def app_zone(self) -> tzinfo:
        """The time zone of the Celery application."""
        with contextlib.suppress(Exception):  # whatever the app's configuration holds
            zone = self.capp.timezone
            if isinstance(zone, tzinfo):
                return pytz.timezone(str(zone)) if str(zone) in pytz.all_timezones_set else zone
        return pytz.utc

    def moment(self, seconds: float | None, style: str = "full") -> Html:
        """A time in the visitor's zone and way, as HTML for `{% raw %}`; see `flower.views.moments`."""
        wish = self.get_cookie(TIMES_COOKIE)
        if wish == "relative" and style != "short":
            style = "relative"
        elif wish == "absolute" and style == "relative":
            style = "clock"
        return time_element(seconds, self.zone, style)

    # -- what 2.x offers to handlers of its users

    def get_broker(self) -> BrokerBase:
        """A reader of the broker's queues."""
        return self.cluster.queues.broker()

    def get_active_queue_names(self) -> list[str]:
        """The queues that workers consume, else those that the app declares; sorted."""
        return self.cluster.queues.active_names()

    def broker_url(self) -> str:
        """Where the broker is, without its password."""
        return mask_url(self.capp.connection().as_uri(include_password=True))

    # -- drawing

    @property
    def actions(self) -> Actions:
        """The buttons that the visitor is offered."""
        return Actions(self.site.access, self.current_user, self.site.url_prefix)

    @property
    def may_view(self) -> bool:
        """Whether the frame may tell anything about the cluster."""
        return self.site.gate.hosts.allows(self.request.host) and self.site.access.may(VIEW, self.current_user)

    def get_template_namespace(self) -> dict[str, Any]:
        """What every template can use."""
        actions = self.actions
        return {
            **super().get_template_namespace(),
            **FUNCTIONS,
            "path": self.path,
            "worker_path": self.worker_path,
            "task_path": self.task_path,
            "tasks_path": self.tasks_path,
            "moment": self.moment,
            "broker_url": self.broker_url,
            "zone_name": str(self.zone),
            "zones": {"app": str(self.app_zone), "server": server_zone()},
            "times": self.get_cookie(TIMES_COOKIE) or "",
            "pages": PAGES,
            "version": __version__,
            "documentation_url": DOCUMENTATION_URL,
            "tab": self.tab,
            "site": self.site,
            "prefix": self.site.url_prefix,
            "same_page": same_page,
            "of_one": bool(self.site.name) or not self.site.fleet.sites,
            "may_view": self.may_view,
            "may": actions.may,
            "operation_button": actions.button,
            "operation_form": actions.form,
            "actions_off": actions.off,
            "here": self.request.uri,
        }

    def frame(self) -> dict[str, Any]:
        """What the frame of every page tells: connection, age of the data, losses, the store."""
        cluster, state = self.cluster, self.cluster.state
        now = state.clock()
        with state.lock:
            totals, heard = dict(state.totals), len(state.workers)
        return {
            "now": now,
            "condition": cluster.hub.condition(now),
            "revisions": self._revisions,
            "last_event_at": state.last_event_at,
            "started_at": state.started_at,
            "totals": totals,
            "workers_heard": heard,
            "store": cluster.store,
        }

    def show(self, page: str, regions: Mapping[str, str] | None = None, /, **context: Any) -> None:
        """Answer with a page, or with the one region of it that htmx asks for.

        `regions` maps ids of elements to the templates that draw them.
        """
        self.set_header("Cache-Control", "no-store")
        self.set_header("Vary", "HX-Request, HX-Target, Cookie")
        wanted = self.request.headers.get("HX-Target", "") if self.request.headers.get("HX-Request") else ""
        restoring = self.request.headers.get("HX-History-Restore-Request")
        known = {"notices": "notices.html", "cluster-switch": "cluster_switch.html", **(regions or {})}
        self.render(known[wanted] if wanted in known and not restoring else page, **context)

    def render(self, template_name: str, **kwargs: Any) -> Any:
        """Draw a template with the frame's facts in reach."""
        context = self.frame() if self.may_view else {}
        return super().render(template_name, **{**context, **kwargs})

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell the error on a page with a way back."""
        problem = self.explain(status_code, **kwargs)
        if problem.status == 401 and self.site.gate.asks_for_session(self.request) and self._sent_to_login():
            return
        try:
            self.show("error.html", problem=problem, title=problem.message)
        except Exception:  # an error page that fails must still tell the first error
            logger.exception("The error page failed")
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(problem.message)

    def _sent_to_login(self) -> bool:
        """Whether a browser that wants a page was sent to log in; what scripts ask for stays a 401."""
        headers = self.request.headers
        if headers.get("HX-Request"):
            # The page is loaded again, and that request is sent to log in.
            self.set_header("HX-Refresh", "true")
        asks_for_page = headers.get("Sec-Fetch-Mode", "navigate") == "navigate" and not headers.get("HX-Request")
        if self.request.method not in ("GET", "HEAD") or not asks_for_page or self.permission == METRICS:
            return False
        if any(kind in headers.get("Accept", "") for kind in ("text/event-stream", "application/json")):
            return False
        self.redirect(f"{self.site.root}/login?{urlencode({'next': self.request.uri}, errors='replace')}")
        return True


def same_page(site: Site, tab: str) -> str:
    """The address of a kind of page in a cluster."""
    path = next((link.path for link in PAGES if link.tab == tab), "")
    return f"{site.url_prefix}/{path}"


def address(prefix: str, /, *segments: str, **arguments: Any) -> str:
    """The address of a page below a prefix; every segment and argument is quoted, empty arguments left out."""
    parts = "/".join([quote(str(segment), safe="@:", errors="replace") for segment in segments])
    given = {name: value for name, value in arguments.items() if value not in (None, "")} if arguments else None
    return f"{prefix}/{parts}?{urlencode(given, errors='replace')}" if given else f"{prefix}/{parts}"
