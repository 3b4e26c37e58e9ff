"""Redis, RabbitMQ and PostgreSQL for the tests: started from the installed programs on free ports, ended by their ids.

Nothing of the machine's own servers is used or touched: folders, ports, node names and cookies are private.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POSTGRESQL = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
"""Where Debian puts its programs."""
PATHS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *POSTGRESQL])


def program(*names: str) -> str:
    """Return the path of the first installed one; a missing service fails the run."""
    for name in names:
        if path := shutil.which(name, path=PATHS):
            return path
    raise RuntimeError(f"the tests need {' or '.join(names)}, which is not installed: run tests/services.sh")


def free_port() -> int:
    """Return a TCP port that nobody listens on, and that the system gives to no outgoing connection meanwhile."""
    while True:
        port = random.randrange(15_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(claim: Callable[[], object], seconds: float, what: str, found: Callable[[], object] | None = None) -> None:
    """Return when `claim()` is true; fail, saying `what` and what was `found`, when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not claim():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}" + (f"; found {found()}" if found else ""))
        time.sleep(0.05)


def last(read: Callable[[], T], expected: T, seconds: float) -> T:
    """What `read()` gives when it is as expected, or when the seconds have passed: for a test to compare."""
    deadline = time.monotonic() + seconds
    while (found := read()) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


class Process:
    """A program in a process group of its own, its output in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self.running: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        """All that the program said so far."""
        path = self.folder / f"{self.name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def spawn(
        self, *command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None, user: str | None = None
    ) -> None:
        """Start it; `env` is added to the environment; for another user if one is named."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.running = subprocess.Popen(
                command,
                user=user,
                extra_groups=[] if user else None,
                cwd=cwd or self.folder,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for(self, claim: Callable[[], object], seconds: float, what: str) -> None:
        """Wait for a claim about this program; fail at once when it ends, and show what it said."""

        def alive_and_claim() -> object:
            assert self.running is not None
            if self.running.poll() is not None:
                raise AssertionError(f"{self.name} ended with {self.running.returncode}")
            return claim()

        try:
            wait_for(alive_and_claim, seconds, f"{self.name}: {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the end of its log:\n{self.log[-4000:]}") from None

    def pause(self) -> None:
        """Stop it in its tracks: it neither answers nor closes its connections."""
        assert self.running is not None
        self.running.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        assert self.running is not None
        self.running.send_signal(signal.SIGCONT)

    def end(self, number: int = signal.SIGTERM, seconds: float = 15) -> int:
        """Send a signal to the process, kill what is left of its group, return its exit code."""
        if self.running is None:
            return 0
        process, self.running = self.running, None
        process.send_signal(number)
        try:
            return process.wait(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def accepts(port: int) -> bool:
    """Whether somebody listens on a port of the loopback."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


class Redis(Process):
    """A private redis-server without files."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "redis")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it and wait until it accepts connections."""
        options = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
        self.spawn(program("redis-server"), *options)
        self.wait_for(lambda: accepts(self.port), 15, "accepts connections")


class RabbitMQ(Process):
    """A private rabbitmq-server with its management API."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "rabbitmq")
        self.epmd = Process(folder, "epmd")
        self.port, self.api_port, self.epmd_port, self.distribution_port = (free_port() for _ in range(4))
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self.api_url = f"http://guest:guest@127.0.0.1:{self.api_port}/api/"

    def start(self) -> None:
        """Start it and wait until AMQP and the management API answer: some ten seconds."""
        self.start_epmd()
        (self.folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"management.tcp.port = {self.api_port}\nmanagement.tcp.ip = 127.0.0.1\n"
            "collect_statistics_interval = 1000\nlog.console = true\nlog.file = false\n"
        )
        # Debian's own rabbitmq-server refuses or changes users; the plain script does not.
        plain = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
        self.spawn(str(plain) if plain.exists() else program("rabbitmq-server"), env=self.environment())
        self.wait_for(lambda: accepts(self.port) and self.managed(), 90, "answers")

    def start_epmd(self) -> None:
        """Start the port mapper ourselves: Erlang would leave a daemon of its own behind."""
        if self.epmd.running is None:
            self.epmd.spawn(program("epmd"), "-port", str(self.epmd_port), "-address", "127.0.0.1")
            self.epmd.wait_for(lambda: accepts(self.epmd_port), 10, "accepts connections")

    def environment(self) -> dict[str, str]:
        """Every path and port that RabbitMQ would otherwise share with the machine's own."""
        folder = str(self.folder)
        return {
            "HOME": folder,  # the Erlang cookie
            "ERL_EPMD_PORT": str(self.epmd_port),
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/no-rabbitmq-env.conf",
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_NODENAME": f"flower{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_PID_FILE": f"{folder}/rabbitmq.pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none",
        }

    def managed(self) -> bool:
        """Whether the management API answers."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.api_port}/api/overview")
        request.add_header("Authorization", "Basic " + b64encode(b"guest:guest").decode())
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def end(self, number: int = signal.SIGKILL, seconds: float = 15) -> int:
        """End the server and its port mapper; by default at once, for nobody needs what it holds."""
        try:
            return super().end(number, seconds)
        finally:
            self.epmd.end()


class PostgreSQL(Process):
    """A private PostgreSQL server on the loopback; root's runs as another user, for it refuses to run as root."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "postgresql")
        self.port = free_port()
        self.user = "nobody" if os.getuid() == 0 else None
        # Not below pytest's own folder, which is closed to other users.
        self.data = Path(tempfile.mkdtemp(prefix="flower-test-postgresql-"))
        self.url = f"postgresql://flower@127.0.0.1:{self.port}/postgres"
        if self.user:
            os.chown(self.data, pwd.getpwnam(self.user).pw_uid, -1)

    def create(self) -> None:
        """Make the files of a new server."""
        options = ("-U", "flower", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.spawn(program("initdb"), "-D", str(self.data), *options, cwd=self.data, user=self.user)
        assert self.running is not None
        assert self.running.wait(60) == 0, self.log

    def start(self) -> None:
        """Start it, for the first time or again, and wait until it answers."""
        if not (self.data / "PG_VERSION").exists():
            self.create()
        said = len(self.log)
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "off",
            "max_connections": 60,
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self.spawn(program("postgres"), "-D", str(self.data), *options, cwd=self.data, user=self.user)
        self.wait_for(lambda: "ready to accept connections" in self.log[said:], 60, "accepts connections")

    def end(self, number: int = signal.SIGINT, seconds: float = 30) -> int:
        """End it, by default in order; it can be started again."""
        if self.running is None:
            return 0
        # What serves connections is in groups of its own, and outlives a killed server for a moment.
        children = self.children()
        try:
            return super().end(number, seconds)
        finally:
            wait_for(
                lambda: not any(Path("/proc", str(child)).exists() for child in children), 15, "PostgreSQL is gone"
            )

    def children(self) -> list[int]:
        """The ids of the processes that serve connections, and of those that keep house."""
        assert self.running is not None
        pid = self.running.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def pause(self) -> None:
        """Let nobody have an answer; new connections are taken by the system, and wait."""
        for child in self.children():
            os.kill(child, signal.SIGSTOP)
        super().pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        for child in self.children():
            os.kill(child, signal.SIGCONT)
        super().resume()

    def remove(self) -> None:
        """End it for good."""
        try:
            self.end()
        finally:
            shutil.rmtree(self.data, ignore_errors=True)
