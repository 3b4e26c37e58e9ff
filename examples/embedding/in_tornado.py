"""Flower at /flower/ of a Tornado application, on its port: `python in_tornado.py`, ended by Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
import signal

import tornado.web
from celery import Celery
from tornado.httpserver import HTTPServer
from tornado.routing import PathMatches, Rule, RuleRouter

from flower.app import Flower
from flower.settings import with_defaults

celery = Celery("proj", broker=os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0"))


class Hello(tornado.web.RequestHandler):
    """The application's own first page."""

    def get(self) -> None:
        self.write('Hello. Tasks are at <a href="/flower/">/flower/</a>.')


async def main() -> None:
    """Serve both."""
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    own = tornado.web.Application([(r"/", Hello)])
    flower = Flower(capp=celery, options=with_defaults(url_prefix="flower"))
    server = HTTPServer(RuleRouter([Rule(PathMatches(r"/flower(/.*)?$"), flower), Rule(PathMatches(r"/.*"), own)]))
    server.listen(int(os.environ.get("PORT", "8888")), "127.0.0.1")
    flower.start(listen=False)
    try:
        await ended.wait()
    finally:
        server.stop()
        flower.stop()


asyncio.run(main())
