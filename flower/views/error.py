"""What is shown where nothing is."""

from __future__ import annotations

from flower.access import PUBLIC
from flower.views import BaseHandler
from flower.web import NotFoundError


class NotFoundErrorHandler(BaseHandler):
    """Every address that no other handler knows."""

    permission = PUBLIC

    def prepare(self) -> None:
        raise NotFoundError(f"Nothing is found at {self.request.path}")
