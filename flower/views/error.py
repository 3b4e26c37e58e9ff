"""What is shown where nothing is."""

from __future__ import annotations

import contextlib

from flower.access import PUBLIC, ThrottledError
from flower.views import BaseHandler
from flower.web import NotFoundError


class NotFoundErrorHandler(BaseHandler):
    """Every address that no other handler knows."""

    permission = PUBLIC

    def prepare(self) -> None:
        self.site.gate.check_address(self.request)
        self.current_user = None
        with contextlib.suppress(ThrottledError):
            self.current_user = self.get_current_user()
        raise NotFoundError(f"Nothing is found at {self.request.path}")
