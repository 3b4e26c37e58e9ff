"""The JSON wing: what every handler of the REST API shares."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from flower.problems import classic_problem
from flower.utils.json import dumps
from flower.utils.search import QuerySyntaxError
from flower.web import BaseHandler, NotFoundError, Problem


class BaseApiHandler(BaseHandler):
    """A request to the REST API. Errors are `{"error", "status"}`, with `--classic_api` plain text."""

    wing: ClassVar[Literal["page", "api"]] = "api"
    in_flower_2: ClassVar[bool] = True
    """Whether Flower 2.x has it: what is new has one shape only."""

    @property
    def classic(self) -> bool:
        """Whether answers have the shapes of Flower 2.x; Flower's own pages need all of them."""
        return self.site.classic_api and self.in_flower_2 and self.request.headers.get("X-Requested-With") != "Flower"

    def problem(self, error: BaseException | None, status: int = 500) -> Problem:
        problem = super().problem(error, status)
        return classic_problem(error, problem) if self.classic else problem

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        problem = self.explain(status_code, **kwargs)
        error = kwargs.get("exc_info", (None, None, None))[1]
        body: dict[str, Any] = {"error": problem.message}
        if self.classic and not isinstance(error, QuerySyntaxError):
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(problem.message)
            return
        if not self.classic:
            body = {**problem.facts, **body, "status": problem.status}
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(dumps(body))


class UnknownApiHandler(BaseApiHandler):
    """Any path under /api/ that leads nowhere."""

    permission = "public"

    def prepare(self) -> None:
        super().prepare()
        raise NotFoundError(f"There is no {self.request.path} in the API")
