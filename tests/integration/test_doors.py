"""The ways to listen: TLS, IPv6 and a Unix socket, as one starts them."""

from __future__ import annotations

import grp
import http.client
import os
import pwd
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import CELERY, ROOT
from tests.services import Process, Redis, free_port, program


class Door(Process):
    """`celery flower` with options of its own."""

    def start(self, broker: str, *options: str) -> None:
        """Start it and wait until the banner is out."""
        self.spawn(*CELERY, "-b", broker, "flower", *options)
        self.wait_for(lambda: "Visit me" in self.log or "Access:" in self.log, 30, "says where it listens")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    """A server that is not started yet."""
    door = Door(tmp_path, "flower")
    yield door
    door.end()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a certificate for localhost, and of its key."""
    folder = tmp_path_factory.mktemp("certificate")
    names = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    command = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    files = ("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"))
    subprocess.run([program("openssl"), *command, *files, *names], check=True, capture_output=True)
    return folder


def test_tls(door: Door, redis: Redis, certificate: Path) -> None:
    """With a certificate and a key it speaks HTTPS, which a client that knows the certificate accepts."""
    port = free_port()
    files = (f"--certfile={certificate / 'cert.pem'}", f"--keyfile={certificate / 'key.pem'}")
    door.start(redis.url, f"--port={port}", "--address=127.0.0.1", *files)
    answer = requests.get(f"https://localhost:{port}/healthcheck", verify=str(certificate / "cert.pem"), timeout=10)
    assert ("OK", True) == (answer.text, f"https://127.0.0.1:{port}" in door.log)


def test_tls_only(door: Door, redis: Redis, certificate: Path) -> None:
    """Plain HTTP is not answered then."""
    port = free_port()
    files = (f"--certfile={certificate / 'cert.pem'}", f"--keyfile={certificate / 'key.pem'}")
    door.start(redis.url, f"--port={port}", "--address=127.0.0.1", *files)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/healthcheck", timeout=10)


def test_container(tmp_path: Path, redis: Redis) -> None:
    """As the image runs it: variables and nothing else, and the image's own check finds it healthy, then gone."""
    port = free_port()
    variables = {
        "CELERY_BROKER_URL": redis.url,
        "FLOWER_ADDRESS": "127.0.0.1",
        "FLOWER_PORT": str(port),
        "FLOWER_DB": str(tmp_path / "flower"),
        "FLOWER_PERSISTENT": "true",
    }
    server = Process(tmp_path, "flower")
    try:
        server.spawn(*CELERY, "flower", env=variables)
        server.wait_for(lambda: checked(variables) == 0, 30, "is healthy")
        stored = (tmp_path / "flower.sqlite3").exists()
    finally:
        server.end()
    assert (True, 1) == (stored, checked(variables))


def checked(variables: dict[str, str]) -> int:
    """Exit code of the check in the image."""
    script = ROOT / "examples" / "docker" / "healthcheck.py"
    return subprocess.run(
        [sys.executable, str(script)], env={**os.environ, **variables}, capture_output=True
    ).returncode


def has_ipv6() -> bool:
    """Whether this machine has IPv6's loopback."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.parametrize("address", ["::1", "[::1]"] if has_ipv6() else [])
def test_ipv6(door: Door, redis: Redis, address: str) -> None:
    """An address of IPv6, with brackets or without; the banner's URL has them."""
    port = free_port()
    door.start(redis.url, f"--port={port}", f"--address={address}")
    answer = requests.get(f"http://[::1]:{port}/healthcheck", timeout=10)
    assert ("OK", True) == (answer.text, f"http://[::1]:{port}" in door.log)


def test_unix_socket(door: Door, redis: Redis, tmp_path: Path) -> None:
    """A socket file with the mode and the owner that were asked for, gone at the end."""
    path = tmp_path / "flower.sock"
    user, group = pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name
    door.start(redis.url, f"--unix-socket={path}", "--unix-socket-mode=0640", f"--unix-socket-owner={user}:{group}")
    status = path.stat()
    connection = http.client.HTTPConnection("localhost")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(str(path))
    connection.request("GET", "/healthcheck")
    answer = connection.getresponse().read()
    connection.close()
    found = stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, answer
    assert ((0o640, os.getuid(), os.getgid(), b"OK"), 0, False) == (found, door.end(), path.exists())
