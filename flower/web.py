"""The door: who asks, may they, what for, and how an error is told.

Every handler of the pages and of the API is a `BaseHandler`. It states the permission it
needs; `prepare` refuses a request that lacks it, and a handler that states none.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from types import TracebackType
from typing import Any, ClassVar, Literal, TypeVar

import tornado.web
from celery import Celery
from tornado.httputil import HTTPServerRequest

from flower.access import METRICS, PERMISSIONS, PUBLIC, ForbiddenError, ThrottledError, UnauthenticatedError, User
from flower.cluster import Cluster
from flower.problems import NotFoundError, Problem, problem_of
from flower.site import Site
from flower.store import Task
from flower.utils import headers
from flower.utils.arguments import ArgumentError, convert
from flower.utils.json import compress, dumps
from flower.utils.repeats import Answer, Repeats
from flower.visitor import Visitor

__all__ = ("BaseHandler", "NotFoundError", "Problem", "Site", "StaticFiles", "default_headers")

logger = logging.getLogger(__name__)
T = TypeVar("T")

ANSWERED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")


class BaseHandler(Visitor):
    """One request. Subclasses set `permission` to a key of `flower.access.PERMISSIONS`."""

    permission: ClassVar[str] = ""
    wing: ClassVar[Literal["page", "api"]] = "page"
    any_host: ClassVar[bool] = False
    """Whether it answers under any name: probes ask by address."""
    of_cluster: ClassVar[bool] = False
    """Whether a browser that names no cluster is sent to the first one, where the server watches several."""

    # -- what a handler works with

    @property
    def cluster(self) -> Cluster:
        return self.site.cluster

    @property
    def capp(self) -> Celery:
        """The Celery application that is watched."""
        return self.site.cluster.capp

    async def run(self, func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """The result of a call that may block, made in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self.site.executor, partial(func, *args, **kwargs))

    async def reply(self, build: Callable[..., Any], *args: Any) -> None:
        """Answer with the JSON of what `build` returns; it runs, and is written out, in a thread."""
        self._finish_json(*await self._written(build, *args))

    async def reply_again(self, key: Hashable, build: Callable[..., Any], *args: Any) -> None:
        """As `reply`, where the answer depends on the stored tasks and the `key` alone: it may be made already."""
        repeats: Repeats = self.site.kept.setdefault("repeats", Repeats())
        revision = None if self.site.shown.formats else self.cluster.store.revision.number
        asked = (key, self._takes_gzip)
        self._finish_json(*await repeats.answer(asked, revision, lambda: self._written(build, *args)))

    async def _written(self, build: Callable[..., Any], *args: Any) -> Answer:
        return await self.run(_packed_json, build, args, self._takes_gzip)

    @property
    def _takes_gzip(self) -> bool:
        return "gzip" in self.request.headers.get("Accept-Encoding", "")

    def _finish_json(self, body: bytes, packed: bool) -> None:
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        if packed:
            self.set_header("Content-Encoding", "gzip")
            self.add_header("Vary", "Accept-Encoding")
        self.finish(body)

    def get_argument(
        self,
        name: str,
        default: Any = None,
        strip: bool = True,
        type: Any = None,
        required: bool = False,
        escape: bool = False,
    ) -> Any:
        """The last value of an argument as `type`; ArgumentError if it is wrong, or missing and required.

        Values are never altered: `escape` is accepted for callers written for Flower 2.x and ignored.
        """
        text = super().get_argument(name, None, strip)
        if text is None or (required and text == ""):
            if required:
                raise ArgumentError(f"Missing argument {name}", name)
            return default
        return convert(name, text, type)

    def format_task(self, task: Task) -> Task:
        """The task as it may be shown (`flower.shown`)."""
        return self.site.shown.task(task)

    # -- the gate

    def set_default_headers(self) -> None:
        for name, value in default_headers(self.site, self.request, self.wing == "api").items():
            self.set_header(name, value)

    def prepare(self) -> Awaitable[None] | None:
        """Refuse what is not allowed."""
        gate, target = self.site.gate, self.path_args[0] if self.path_args else None
        gate.check_address(self.request, self.any_host)
        self.check_size()
        if self.permission not in PERMISSIONS:
            logger.error("%s states no permission and is refused", type(self).__name__)
            raise ForbiddenError(f"{type(self).__name__} states no permission")
        try:
            user: User | None = self.current_user
        except ThrottledError as error:
            # The page that tells of it must not ask again.
            user = self.current_user = None
            if not self.site.access.open_to_all(self.permission) and self.request.method != "OPTIONS":
                gate.refused(self.request, user, self.permission, target, error)
                raise
        gate.admit(self.request, user, self.permission, self.wing == "api", target)
        if self.of_cluster and self.permission != PUBLIC:
            self._name_cluster()
        return None

    def _name_cluster(self) -> None:
        """Send a browser with an address from before there were several clusters to the first of them."""
        site, request = self.site, self.request
        if site.fleet.sites and not site.name and request.method in ("GET", "HEAD"):
            first = next(iter(site.fleet.sites.values()))
            query = f"?{request.query}" if request.query else ""
            self.redirect(first.url_prefix + request.path.removeprefix(site.root) + query)

    def audit(
        self, operation: str, target: str | None, given: dict[str, Any], outcome: str, problem: Problem, seconds: float
    ) -> None:
        """Keep a line of what this request did; `problem` has the status and why it was not done."""
        address = self.request.remote_ip or ""
        self.cluster.audit.record(
            self.current_user, operation, target, given, outcome, problem.status, seconds, problem.message, address
        )

    def get_login_url(self) -> str:
        """For `tornado.web.authenticated`: only a login provider has a page to go to."""
        if self.site.gate.asks_for_session(self.request):
            return f"{self.site.root}/login"
        raise UnauthenticatedError("Access denied")

    def check_xsrf_cookie(self) -> None:
        """The gate refuses foreign requests by their origin, so no token is needed."""

    # -- methods

    def head(self, *args: Any, **kwargs: Any) -> Awaitable[None] | None:
        """As GET; Tornado leaves the body out."""
        return self.get(*args, **kwargs)

    def options(self, *args: str, **kwargs: str) -> None:
        """Say what is allowed."""
        self.set_header("Allow", self.allowed_methods())
        self.set_status(204)

    def allowed_methods(self) -> str:
        """The methods this handler answers, as the Allow header lists them."""
        missing = tornado.web.RequestHandler._unimplemented_method
        have = {name for name in ANSWERED_METHODS if getattr(type(self), name.lower()) is not missing}
        if "GET" not in have:
            have.discard("HEAD")
        return ", ".join(name for name in ANSWERED_METHODS if name in have | {"OPTIONS"})

    # -- errors

    def problem(self, error: BaseException | None, status: int = 500) -> Problem:
        """What to tell a visitor about an error; never its inner workings."""
        return problem_of(error, status)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        error = kwargs.get("exc_info", (None, None, None))[1]
        super().send_error(self.problem(error, status_code).status, **kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Tell the error in plain text; the wings tell it in their own way."""
        problem = self.explain(status_code, **kwargs)
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(problem.message)

    def explain(self, status_code: int, **kwargs: Any) -> Problem:
        """The problem behind `write_error`; sets the headers that go with its status."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        problem = self.problem(error, status_code)
        if problem.status == 405:
            self.set_header("Allow", self.allowed_methods())
            problem = Problem(405, f"Method {self.request.method} is not allowed here, use {self.allowed_methods()}")
        if problem.status == 401:
            keys_too = self.wing == "api" or self.permission == METRICS
            for challenge in self.site.gate.challenges(self.request, keys_too):
                self.add_header("WWW-Authenticate", challenge)
        if isinstance(error, ThrottledError):
            self.set_header("Retry-After", str(error.seconds))
        return problem

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """One line for what a visitor did wrong, a traceback for what we did."""
        problem = self.problem(value)
        if problem.status in (503, 504, *range(400, 500)):
            told = self.site.shown.redactor.text(problem.message)
            logger.warning("%d %s: %s", problem.status, self._request_summary(), told)
        else:
            super().log_exception(typ, value, tb)


class StaticFiles(tornado.web.StaticFileHandler):
    """Files that everybody may read; they need no permission."""

    def set_default_headers(self) -> None:
        for name, value in default_headers(self.application.settings["site"], self.request).items():
            self.set_header(name, value)


def default_headers(site: Site, request: HTTPServerRequest, api: bool = False) -> dict[str, str]:
    """Security headers for every answer; for those of the API also which other sites may use it."""
    found = dict(headers.SECURITY)
    if request.protocol == "https" and site.hsts:
        found["Strict-Transport-Security"] = f"max-age={site.hsts}"
    if not api:
        return found
    # What one user may read must not be kept for another.
    found["Cache-Control"] = "private, no-cache"
    return found | site.gate.origins.headers(request.headers.get("Origin"))


def _packed_json(build: Callable[..., Any], args: tuple[Any, ...], may_compress: bool) -> Answer:
    """JSON bytes, and whether they are compressed; `build` may have written them already."""
    told = build(*args)
    body = told if isinstance(told, bytes) else dumps(told)
    packed = compress(body) if may_compress else None
    return packed or body, packed is not None
