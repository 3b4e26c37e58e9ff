"""Starts the demonstration: an example app, two workers, a producer, and Flower that watches them.

    python examples/demo/run.py [--port=N] [any other option of flower]

Everything lives in one temporary folder and in processes of their own groups; SIGINT (Ctrl-C) and SIGTERM end it all.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "shop")
EXCHANGES = ("celeryev", "celery.pidbox", "reply.celery.pidbox", "orders", "mail")


class Courier(threading.Thread):
    """Carries whole messages from the outbox to the inbox.

    kombu's filesystem transport makes a message's file first and writes it under a lock afterwards; a reader that is
    quick enough finds it empty and breaks off. What has a size while we hold the lock is whole.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(name="courier", daemon=True)
        self.outbox, self.inbox = folder / "outbox", folder / "inbox"

    def run(self) -> None:
        """Move what is ready, a hundred times a second."""
        while True:
            with contextlib.suppress(FileNotFoundError):  # the folder goes before this thread does
                self.deliver()
            time.sleep(0.01)

    def deliver(self) -> None:
        """Move every whole message, oldest first."""
        for name in sorted(os.listdir(self.outbox)):
            with (self.outbox / name).open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH)
                whole = os.fstat(file.fileno()).st_size > 0
            if whole:
                (self.outbox / name).rename(self.inbox / name)


class Demo:
    """The folder and the processes of one demonstration."""

    def __init__(self, port: int, options: list[str]) -> None:
        self.port = port
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="flower-demo-"))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Lay out the folder and start everything."""
        for name in ("inbox", "outbox", "exchanges", "results", "logs"):
            (self.folder / name).mkdir()
        for name in EXCHANGES:  # two processes that make the same exchange at the same time would disturb each other
            (self.folder / "exchanges" / f"{name}.exchange").write_text("[]")
        Courier(self.folder).start()
        self.spawn("flower", *CELERY, "flower", "--address=127.0.0.1", f"--port={self.port}", *self.options)
        worker = (*CELERY, "worker", "-l", "info", "--without-gossip", "--without-mingle")
        self.spawn("orders", *worker, "-n", "orders@shop", "-Q", "orders", "-P", "prefork", "-c", "4", "-E")
        self.spawn("mail", *worker, "-n", "mail@shop", "-Q", "mail", "-P", "threads", "-c", "4")
        self.spawn("producer", sys.executable, str(HERE / "producer.py"))

    def spawn(self, name: str, *command: str) -> None:
        """Start a program in a process group of its own, its output in a log file."""
        environment = {
            "PYTHONPATH": str(HERE),
            "DEMO_FOLDER": str(self.folder),
            "FLOWER_UNAUTHENTICATED_API": "true",  # it listens on the loopback only
        }
        with (self.folder / "logs" / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def serving(self) -> bool:
        """Whether the server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthcheck", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def fallen(self) -> str | None:
        """The name of a process that ended by itself."""
        return next((name for name, process in self.processes.items() if process.poll() is not None), None)

    def log(self, name: str) -> str:
        """The end of what a process said."""
        return (self.folder / "logs" / f"{name}.log").read_text(errors="replace")[-3000:]

    def watch(self) -> int:
        """Say where to look, and stay until a signal comes or a part falls."""
        told = False
        while not (name := self.fallen()):
            if not told and self.serving():
                print(f"\n  Flower watches the demo shop: open http://localhost:{self.port}")
                print(f"  (logs in {self.folder}/logs; Ctrl-C ends everything)\n", flush=True)
                told = True
            time.sleep(0.2)
        print(f"{name} ended by itself; the end of its log:\n{self.log(name)}", file=sys.stderr)
        return 1

    def stop(self) -> None:
        """End every process group: politely, then not; and leave nothing behind."""
        for number, seconds in ((signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0)):
            for process in self.processes.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            deadline = time.monotonic() + seconds
            for process in self.processes.values():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port(first: int) -> int:
    """Return `first`, or the next port that nobody listens on."""
    for port in range(first, first + 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("", port))
                return port
    raise SystemExit(f"no free port between {first} and {first + 99}")


def main(arguments: list[str]) -> int:
    """Run the demonstration until a signal ends it."""
    asked = [argument for argument in arguments if argument.startswith("--port=")]
    port = int(asked[-1].partition("=")[2]) if asked else free_port(5555)
    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background job is born deaf to it
        signal.signal(number, signal.default_int_handler)
    demo = Demo(port, [argument for argument in arguments if argument not in asked])
    try:
        demo.start()
        return demo.watch()
    except KeyboardInterrupt:
        print("\nending the demo")
        return 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        demo.stop()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
