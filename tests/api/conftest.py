"""A server of the tests: the real application on a free port, fed with made-up events."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from celery import Celery
from celery.backends.cache import _DUMMY_CLIENT_CACHE
from tornado.ioloop import IOLoop

from flower.app import Flower
from flower.options import TABLE
from tests import factories as make
from tests.factories import WORKER, Event

SECONDS = 10
"""After which a hanging request fails its test."""


def options_of(**given: Any) -> SimpleNamespace:
    """Every option at its default, but for the given ones."""
    return SimpleNamespace(
        **{option.name: option.default for option in TABLE} | {"port": 0, "address": "127.0.0.1"} | given
    )


class Server:
    """The application on a loop in a thread of its own; no broker is contacted."""

    def __init__(self, capp: Celery | None = None, **options: Any) -> None:
        self.url = ""
        self.session = requests.Session()
        self.session.trust_env = False
        self._ready = threading.Event()
        self._capp = capp or Celery("tests", broker="memory://")
        self._options = options_of(**options)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        assert self._ready.wait(SECONDS)
        self.app.cluster.store.names()

    def _serve(self) -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        self.loop = IOLoop.current()
        self.app = Flower(options=self._options, capp=self._capp, io_loop=self.loop)
        port = self.app.start_http_server()
        self.app.cluster.hub.start()
        self.url = f"http://127.0.0.1:{port}"
        self.loop.add_callback(self._ready.set)
        self.loop.start()
        self.loop.close(all_fds=True)

    def feed(self, *events: Event | Sequence[Event], now: float | None = None) -> None:
        """Apply events, single ones and lists of them, and wait until they are stored."""
        flat: list[Event] = []
        for item in events:
            flat += [item] if isinstance(item, dict) else list(item)
        self.app.events.state.apply(flat, now)
        assert self.app.events.state.flush()

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self.url + path, timeout=SECONDS, allow_redirects=False, **more)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.request("GET", path, params=params)

    def json(self, path: str, **params: Any) -> Any:
        answer = self.get(path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self) -> None:
        if not self._thread.is_alive():
            return
        self.session.close()
        ended = threading.Event()

        def end() -> None:
            self.app.stop()
            self.loop.stop()
            ended.set()

        self.loop.add_callback(end)
        assert ended.wait(SECONDS)
        self._thread.join(SECONDS)


Serve = Callable[..., Server]
Replies = dict[str, dict[str, Any]]
TASK = "shop.add"
_numbers = itertools.count()


class Shop(Server):
    """A server whose workers reply as the test says; `asked` is what they were asked."""

    replies: Replies
    asked: list[tuple[str, dict[str, Any], Any]]

    def post(self, path: str, body: Any = None, **arguments: Any) -> tuple[int, Any]:
        answer = self.request("POST", path, json=body, params=arguments)
        kind = answer.headers["Content-Type"]
        return answer.status_code, answer.json() if "json" in kind else answer.text

    def answer(self, replies: Replies) -> None:
        """Have the workers reply so from now on."""
        self.replies, self.asked = replies, []

        async def ask(question: str, arguments: dict[str, Any], destination: Any, *_: Any, **__: Any) -> Replies:
            self.asked.append((question, arguments, destination))
            return self.replies if question not in ("registered", "ping") else {}

        self.app.operations.ask = ask  # type: ignore[method-assign]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Starts servers with the given options; they end with the test."""
    servers: list[Server] = []

    def start(open_api: bool = True, kind: type[Server] = Server, **options: Any) -> Server:
        monkeypatch.setenv("FLOWER_UNAUTHENTICATED_API", "true" if open_api else "false")
        servers.append(kind(**options))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(serve: Serve) -> Server:
    """An open server with default options."""
    return serve()


@pytest.fixture
def classic(serve: Serve) -> Server:
    """An open server with the shapes of Flower 2.x."""
    return serve(classic_api=True)


@pytest.fixture
def capp() -> Celery:
    """An application with a task, a broker and a backend in memory."""
    # This backend is one for the whole process: no test finds what another one left.
    _DUMMY_CLIENT_CACHE.clear()
    app = Celery("tests", broker="memory://", backend="cache+memory://", set_as_current=False)
    # The memory is that of the process: no test finds what another left.
    app.conf.result_backend_transport_options = {"global_keyprefix": f"{next(_numbers)}-"}

    @app.task(name=TASK, shared=False)
    def add(x: int, y: int) -> int:
        return x + y

    return app


@pytest.fixture
def open_shop(capp: Celery, serve: Serve) -> Callable[..., Shop]:
    """Starts servers with a live worker."""

    def start(**options: Any) -> Shop:
        shop: Any = serve(**{"kind": Shop, "capp": capp, **options})
        shop.answer({WORKER: {"ok": "done"}})
        shop.feed(make.heartbeat(kind="worker-online", at=0))
        return shop  # type: ignore[no-any-return]

    return start


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """An open server with default options and a live worker."""
    return open_shop()
