"""From checked options to a running server, and from a signal to its end."""

from __future__ import annotations

import errno
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import celery
import pytest
from tornado.ioloop import IOLoop

from flower import launch
from flower.apikeys import hashed
from flower.launch import SWITCH_SECONDS, bind_fault, extract_settings, leave, run
from flower.options import OptionError, options
from flower.store import StoreError
from flower.urls import settings


class FakeFlower:
    """Serves nothing; `start` sends the process the signals of `send`."""

    send: tuple[int, ...] = (signal.SIGTERM,)
    fault: Exception | None = None
    made: ClassVar[list[FakeFlower]] = []

    def __init__(self, **kwargs: Any) -> None:
        if isinstance(self.fault, StoreError):
            raise self.fault
        self.kwargs, self.stops = kwargs, 0
        self.io_loop = IOLoop(make_current=False)
        self.capp = kwargs["capp"]
        cluster = SimpleNamespace(capp=self.capp, store=SimpleNamespace(description="nowhere"))
        self.watched = [SimpleNamespace(name="", cluster=cluster)]
        self.made.append(self)

    def start_http_server(self) -> int:
        if self.fault:
            raise self.fault
        return 5601

    def start(self) -> None:
        for signum in self.send:
            os.kill(os.getpid(), signum)
        self.io_loop.start()
        self.io_loop.close()

    def stop(self) -> None:
        self.stops += 1
        self.io_loop.stop()


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """The process is as it was when the test ends."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    handlers, interval, before = [signal.getsignal(n) for n in numbers], sys.getswitchinterval(), dict(settings)
    # Tests that run under nohup ignore it, and so would the server.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    sys.setswitchinterval(interval)
    settings.clear()
    settings.update(before)


@pytest.fixture
def fake() -> type[FakeFlower]:
    """A class of its own for each test."""
    return type("OwnFlower", (FakeFlower,), {"made": []})


def launched(fake: Any, quiet: bool = True) -> FakeFlower:
    """The application after it was run."""
    run(celery.Celery("launched", set_as_current=False), quiet, fake)
    app: FakeFlower = fake.made[0]
    return app


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """Paths of a certificate and its key."""
    cert, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
    ]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_stop(signum: int, fake: Any) -> None:
    """Each of the usual signals ends the server in an orderly way."""
    fake.send = (signum,)
    assert 1 == launched(fake).stops


def test_nohup(fake: Any) -> None:
    """A SIGHUP that was ignored before, as under nohup, stays ignored."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    launched(fake)
    assert signal.SIG_IGN is signal.getsignal(signal.SIGHUP)


def test_application_gets_options(fake: Any) -> None:
    """The application gets the Celery app, the options and Tornado's settings."""
    app = launched(fake)
    assert ("launched", options, False) == (app.kwargs["capp"].main, app.kwargs["options"], app.kwargs["debug"])


def test_switch_interval(fake: Any) -> None:
    """Threads hand over the interpreter faster than usual."""
    launched(fake)
    assert SWITCH_SECONDS == sys.getswitchinterval()


@pytest.mark.parametrize("quiet, expected", [(False, True), (True, False)])
def test_banner(quiet: bool, expected: bool, fake: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The banner has the port that was really bound; `celery -q` leaves it out."""
    caplog.set_level(logging.INFO)
    launched(fake, quiet)
    assert expected is ("Visit me at http://127.0.0.1:5601" in caplog.messages)


def test_store_fault(fake: Any) -> None:
    """A store that cannot be opened is told as a fault of the option that names it."""
    fake.fault = StoreError("/x is not a Flower database")
    with pytest.raises(OptionError, match=r"^db: /x is not a Flower database$"):
        launched(fake)


def test_taken_port(fake: Any) -> None:
    """A taken port is told as a fault of the option that names it."""
    fake.fault = OSError(errno.EADDRINUSE, "Address already in use")
    with pytest.raises(OptionError, match=r"^port: 5555 is taken by another program; choose another one with --port "):
        launched(fake)


def test_taken_port_stops_the_parts(fake: Any) -> None:
    """What was built before the port was found taken is ended."""
    fake.fault = OSError(errno.EADDRINUSE, "Address already in use")
    with pytest.raises(OptionError):
        launched(fake)
    assert 1 == fake.made[0].stops


@pytest.mark.parametrize(
    "values, error, expected",
    [
        ({"port": 80}, OSError(errno.EACCES, "Permission denied"), "port: 80 cannot be used: Permission denied"),
        (
            {"address": "nope"},
            socket.gaierror(-2, "Name or service not known"),
            "address: 'nope' is no address of this machine: Name or service not known",
        ),
        (
            {"address": "10.9.9.9"},
            OSError(errno.EADDRNOTAVAIL, "Cannot assign requested address"),
            "address: '10.9.9.9' is no address of this machine: Cannot assign requested address",
        ),
        (
            {"unix_socket": "/no/f.sock"},
            OSError(errno.ENOENT, "No such file or directory"),
            "unix_socket: /no/f.sock cannot be used: No such file or directory",
        ),
    ],
)
def test_bind_fault(values: dict[str, Any], error: OSError, expected: str) -> None:
    """The option that is to blame is named."""
    for name, value in values.items():
        options[name] = value
    assert expected == bind_fault(error)


def test_settings_are_those_of_urls() -> None:
    """The settings are `flower.urls.settings`, as launchers of their own expect."""
    assert settings is extract_settings()


@pytest.mark.parametrize("name, value", [("debug", True), ("cookie_secret", "x")])
def test_settings(name: str, value: Any) -> None:
    """What Tornado must know is in the settings."""
    options[name] = value
    assert value == extract_settings()[name]


def test_certificate(certificate: tuple[str, str]) -> None:
    """Certificate and key are Tornado's `ssl_options`."""
    options.certfile, options.keyfile = certificate
    assert {"certfile": certificate[0], "keyfile": certificate[1]} == extract_settings()["ssl_options"]


@pytest.mark.parametrize("given, missing", [("certfile", "keyfile"), ("keyfile", "certfile")])
def test_half_a_certificate(given: str, missing: str, certificate: tuple[str, str]) -> None:
    """A certificate without its key, and a key without its certificate, are refused."""
    options[given] = certificate[0]
    with pytest.raises(OptionError, match=rf"^{given}: needs {missing} too$"):
        extract_settings()


def test_wrong_certificate(tmp_path: Path) -> None:
    """A file that is no certificate is refused at the start."""
    (tmp_path / "x").write_text("x")
    options.certfile = options.keyfile = str(tmp_path / "x")
    with pytest.raises(OptionError, match=r"^certfile, keyfile: cannot be used: "):
        extract_settings()


@pytest.mark.parametrize("text", ["nope", "nope,neither", "", " , "])
def test_no_column(text: str) -> None:
    """A table without a column is refused."""
    options.tasks_columns = text
    with pytest.raises(OptionError, match=r"^tasks_columns: names no column; there are uuid, name, state, "):
        extract_settings()


def test_unknown_column(caplog: pytest.LogCaptureFixture) -> None:
    """An unknown column among known ones is left out with a warning."""
    options.tasks_columns = "name, kwarg"
    extract_settings()
    assert ["tasks_columns: there is no column 'kwarg', did you mean 'kwargs'?; it is left out"] == caplog.messages


def test_bad_word_for_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that neither opens nor closes the API is refused at the start."""
    monkeypatch.setenv("FLOWER_UNAUTHENTICATED_API", "maybe")
    with pytest.raises(OptionError, match=r"^FLOWER_UNAUTHENTICATED_API: "):
        extract_settings()


def test_leave_with_hanging_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that never end do not hold up the end of the process."""
    codes: list[int] = []
    monkeypatch.setattr(launch.os, "_exit", codes.append)
    monkeypatch.setattr(launch.logging, "shutdown", lambda: None)
    release = threading.Event()
    thread = threading.Thread(target=release.wait, daemon=False)
    thread.start()
    leave()
    release.set()
    thread.join()
    assert [0] == codes


def test_leave_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without hanging threads the process ends in the ordinary way."""
    codes: list[int] = []
    monkeypatch.setattr(launch.os, "_exit", codes.append)
    leave()
    assert [] == codes


@pytest.mark.parametrize(
    "values, message",
    [
        ({"api_keys": ["secret"]}, "api_keys: entry 1 must be name:key"),
        ({"api_keys": ["ci:secret:boss"]}, "api_keys: the role of the key 'ci' must be one of viewer, operator, admin"),
        ({"api_keys_file": "/nowhere/secret-keys"}, "api_keys_file: /nowhere/secret-keys cannot be read"),
        ({"api_keys": ["ci:a"], "cors_origins": ["*"]}, "cors_origins: [*] cannot be combined"),
        ({"auth": ".*@example.com"}, "auth: needs auth_provider"),
        ({"auth_provider": "no.Such", "auth": ".*@example.com"}, "auth_provider: no.Such cannot be imported"),
        ({"basic_auth": ["ann:{SHA}x"]}, "basic_auth: the password of 'ann' is hashed in a way that is too weak"),
        ({"metrics_auth": True}, "metrics_auth: needs a login"),
        ({"trusted_header": "X-User"}, "trusted_header: needs trusted_proxies too"),
        ({"roles": ["boss:ann"]}, "roles: entry 1 must be"),
    ],
)
def test_faulty_logins(values: dict[str, Any], message: str) -> None:
    """Logins that cannot be used end the start before anything runs."""
    for name, value in values.items():
        options[name] = value
    with pytest.raises(OptionError, match=message):
        extract_settings()


@pytest.mark.parametrize("secret, told", [("short", 1), ("0123456789abcdef", 0)])
def test_short_cookie_secret(secret: str, told: int, caplog: pytest.LogCaptureFixture) -> None:
    """A secret that may be guessed is told of, without the secret."""
    options.cookie_secret = secret
    extract_settings()
    assert (told, False) == (len(caplog.records), "short'" in caplog.text)


def test_short_keys(caplog: pytest.LogCaptureFixture) -> None:
    """A key that may be guessed is told of by its name; a hashed one cannot be judged."""
    options.api_keys = ["ci:short", "cd:a-long-and-random-key", f"ce:{hashed('short')}"]
    extract_settings()
    assert 1 == len(caplog.records)
    assert "'ci'" in caplog.text
    assert "short:" not in caplog.text
