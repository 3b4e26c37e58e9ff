"""From checked options to a running server, and from a signal to its end.

Only the `flower` command imports this: it brings the whole web application, which
`celery worker` and every other Celery command would have to carry too.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import ssl
import sys
import threading
from typing import Any, cast

from celery import Celery
from tornado.netutil import ssl_options_to_context
from tornado.platform.asyncio import BaseAsyncIOLoop

from flower import signin
from flower.admission import api_keys
from flower.app import Flower
from flower.banner import print_banner
from flower.options import OptionError, options
from flower.settings import nearest_word
from flower.store import NAMES, StoreError
from flower.urls import settings
from flower.utils import abs_path
from flower.utils.memory import settle_memory

logger = logging.getLogger(__name__)

SECRET_SHORT = 16
"""Characters below which a secret might be guessed."""
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter. With Python's 5 ms a page that reads 100 rows while events
come in waits up to 5 ms for each of them, since SQLite gives the interpreter away at every row."""


def extract_settings() -> dict[str, Any]:
    """Check how the options go together and put what Tornado needs into `flower.urls.settings`, which is returned."""
    signin.entrance(options, os.environ)
    for key in api_keys(options):
        if key.short:
            logger.warning(
                "api_keys: the key %r is so short that it may be guessed; python -m flower.apikeys new", key.name
            )
    if options.cookie_secret and len(options.cookie_secret) < SECRET_SHORT:
        logger.warning("cookie_secret: it is so short that it may be guessed, and with it every login be forged")
    _check_columns(options.tasks_columns)
    settings["debug"] = options.debug
    if options.cookie_secret:
        settings["cookie_secret"] = options.cookie_secret
    certificate = _certificate()
    if certificate:
        settings["ssl_options"] = certificate
    return settings


def _check_columns(text: str) -> None:
    columns = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in columns if name not in NAMES]
    if len(unknown) == len(columns):
        raise OptionError(f"tasks_columns: names no column; there are {', '.join(NAMES)}")
    for name in unknown:
        logger.warning("tasks_columns: there is no column %r%s; it is left out", name, nearest_word(name, NAMES))


def _certificate() -> dict[str, str]:
    """Tornado's `ssl_options`, empty without TLS."""
    names = ("certfile", "keyfile", "ca_certs")
    files = {name: abs_path(options[name]) for name in names if options[name]}
    for given, missing in (("certfile", "keyfile"), ("keyfile", "certfile")):
        if given in files and missing not in files:
            raise OptionError(f"{given}: needs {missing} too")
    if "certfile" not in files:
        return {}
    try:
        ssl_options_to_context(files, server_side=True)
    except (OSError, ssl.SSLError) as error:
        raise OptionError(f"certfile, keyfile: cannot be used: {error}") from None
    return files


def run(capp: Celery | None, quiet: bool = False, application: type[Flower] = Flower) -> None:
    """Serve until a signal comes. Without an app those of the option `clusters` are watched."""
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        app = application(capp=capp, options=options, **extract_settings())
    except StoreError as error:
        raise OptionError(f"db: {error}") from None
    settle_memory()
    stop_on_signals(app)
    try:
        port = app.start_http_server()
    except OSError as error:
        app.stop()
        raise OptionError(bind_fault(error)) from None
    if not quiet:
        print_banner(app, "ssl_options" in settings, port)
    app.start()
    leave()


def bind_fault(error: OSError) -> str:
    """Why the server cannot listen where the options say."""
    reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error.strerror or error)
    if options.unix_socket:
        return f"unix_socket: {options.unix_socket} cannot be used: {reason}"
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"address: {options.address!r} is no address of this machine: {error.strerror or error}"
    if error.errno == errno.EADDRINUSE:
        return f"port: {options.port} is taken by another program; choose another one with --port (0 takes a free one)"
    return f"port: {options.port} cannot be used: {reason}"


def stop_on_signals(app: Flower) -> None:
    """Let SIGTERM, SIGINT and SIGHUP end the server; a SIGHUP that is ignored (nohup) stays so."""

    # IOLoop.add_callback would not wake a loop that waits in this very thread.
    loop = cast(BaseAsyncIOLoop, app.io_loop).asyncio_loop

    def stop(signum: int, _: object) -> None:
        loop.call_soon_threadsafe(_stop, app, signum)

    for name in ("SIGTERM", "SIGINT", "SIGHUP"):
        signum = getattr(signal, name, None)  # Windows has no SIGHUP
        if signum is not None and not (name == "SIGHUP" and signal.getsignal(signum) is signal.SIG_IGN):
            signal.signal(signum, stop)


def _stop(app: Flower, signum: int) -> None:
    logger.info("%s detected, shutting down", signal.Signals(signum).name)
    app.stop()


def leave() -> None:
    """End the process although threads wait for replies that may never come; everything is stored by now."""
    lingering = [
        thread for thread in threading.enumerate() if not thread.daemon and thread is not threading.main_thread()
    ]
    if lingering:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
