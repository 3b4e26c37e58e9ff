"""Users with hashed passwords, proxies that log people in, roles, host names, and what every answer carries."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import requests

from flower.passwords import hashed
from tests.api.conftest import Serve, Server
from tests.api.test_gate import basic

WORD = "pässwörd ☃"
STORED = bcrypt.hashpw(WORD.encode(), bcrypt.gensalt(4)).decode()
TRUSTED = {"trusted_header": "X-Forwarded-User", "trusted_proxies": ["127.0.0.1"]}


def statuses(server: Server, path: str, *sent: dict[str, str], method: str = "GET") -> list[int]:
    return [server.request(method, path, headers=headers).status_code for headers in sent]


# -- hashed passwords


def test_hashed_users(serve: Serve, tmp_path: Path) -> None:
    """Users of the option and of the file get in with their password and nothing else."""
    file = tmp_path / "users"
    file.write_text(f"# htpasswd\nann:{STORED}\n", encoding="utf-8")
    server = serve(basic_auth=[f"bob:{hashed('word')}", "cy:clear"], basic_auth_file=str(file))
    right = [basic(f"ann:{WORD}"), basic("bob:word"), basic("cy:clear"), basic(f"ann:{WORD}")]
    wrong = [basic("ann:x"), basic("bob:x"), basic(f"ann:{STORED}"), {}]
    assert [200] * 4 == statuses(server, "/api/tasks", *right)
    assert [401] * 4 == statuses(server, "/api/tasks", *wrong)


def test_guessing_hashed_passwords_is_stopped(serve: Serve) -> None:
    """After ten wrong ones nothing is looked at."""
    server = serve(basic_auth=[f"ann:{STORED}"])
    found = statuses(server, "/tasks", *(basic(f"ann:{number}") for number in range(12)))
    assert [401] * 10 + [429] * 2 == found


def test_many_hashes_at_a_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many wait, one is told to come back; the right password is not counted as wrong."""
    monkeypatch.setattr("flower.gate.CHECKS_WAITING", 0)
    server = serve(basic_auth=[f"ann:{STORED}"])
    answer = server.request("GET", "/api/tasks", headers=basic(f"ann:{WORD}"))
    assert (429, "5") == (answer.status_code, answer.headers["Retry-After"])
    monkeypatch.setattr("flower.gate.CHECKS_WAITING", 20)
    assert [200] == statuses(server, "/api/tasks", basic(f"ann:{WORD}"))


# -- roles


@pytest.mark.parametrize("role, expected", [("viewer", [200, 403, 403]), ("operator", [200, 200, 403])])
def test_roles_of_users(serve: Serve, role: str, expected: list[int]) -> None:
    """A user has the role that is said."""
    server = serve(basic_auth=["ann:word"], roles=[f"{role}:ann"])
    paths = (("GET", "/api/tasks"), ("GET", "/api/audit"), ("POST", "/api/worker/shutdown/w"))
    assert expected == [statuses(server, path, basic("ann:word"), method=method)[0] for method, path in paths]


def test_pages_offer_what_the_role_may(serve: Serve) -> None:
    """The frame says who one is and what one may."""
    page = serve(basic_auth=["ann:word"], roles=["viewer:ann"]).request("GET", "/", headers=basic("ann:word")).text
    assert (True, True) == ("Viewer: may see everything" in page, "Actions are off" in page)


# -- a proxy in front


def test_trusted_header(serve: Serve) -> None:
    """Whom the proxy names is in, with the role of the name; nobody else is."""
    server = serve(**TRUSTED, roles=["operator:ann"])
    sent: list[dict[str, str]] = [{"X-Forwarded-User": "ann"}, {"X-Forwarded-User": "bob"}, {}]
    assert [200, 403, 401] == statuses(server, "/api/audit", *sent)
    assert [200, 200, 401] == statuses(server, "/", *sent)


def test_header_from_elsewhere(serve: Serve) -> None:
    """From other addresses the header is nothing, also if X-Forwarded-For says otherwise."""
    server = serve(trusted_header="X-Forwarded-User", trusted_proxies=["10.0.0.1"], xheaders=True)
    sent = {"X-Forwarded-User": "ann", "X-Forwarded-For": "10.0.0.1", "X-Real-Ip": "10.0.0.1"}
    assert [401] == statuses(server, "/api/tasks", sent)


def test_header_with_xheaders(serve: Serve) -> None:
    """The proxy is known by its connection, the visitor by what it says of them."""
    server = serve(**TRUSTED, xheaders=True)
    assert [200] == statuses(server, "/", {"X-Forwarded-User": "ann", "X-Forwarded-For": "198.51.100.7"})


def test_groups_of_the_proxy(serve: Serve) -> None:
    """Its groups decide roles too."""
    server = serve(**TRUSTED, trusted_groups_header="X-Groups", roles=["admin:group:ops"])
    groups = [{"X-Forwarded-User": "ann", "X-Groups": text} for text in ("dev, ops", "dev", "")]
    assert [200, 403, 403] == statuses(server, "/api/audit", *groups)


def test_two_names(serve: Serve) -> None:
    """A header that came from outside beside the proxy's own makes nobody anybody."""
    assert [401] == statuses(serve(**TRUSTED), "/", {"X-Forwarded-User": "root,ann"})


@pytest.mark.parametrize("proxies, expected", [(["unix"], b"200"), (["127.0.0.1", "0.0.0.0"], b"401")])
def test_header_over_the_socket_file(serve: Serve, tmp_path: Path, proxies: list[str], expected: bytes) -> None:
    """Who comes over the socket file is a proxy if the option says so, and has no address that could be named."""
    path = str(tmp_path / "flower.sock")
    serve(trusted_header="X-Forwarded-User", trusted_proxies=proxies, unix_socket=path)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        client.sendall(b"GET /api/tasks HTTP/1.1\r\nHost: x\r\nX-Forwarded-User: ann\r\nConnection: close\r\n\r\n")
        assert expected == client.recv(1000).split()[1]


# -- metrics


def test_metrics_auth(serve: Serve) -> None:
    """With the option /metrics needs a login, which the challenge names; the health check does not."""
    server = serve(metrics_auth=True, api_keys=["prom:a-long-and-random-key"], basic_auth=["ann:word"])
    key = {"Authorization": "Bearer a-long-and-random-key"}
    assert [401, 200, 200] == statuses(server, "/metrics", {}, key, basic("ann:word"))
    assert "Bearer" in server.get("/metrics").headers["WWW-Authenticate"]
    assert 200 == server.get("/healthcheck").status_code


# -- host names


@pytest.mark.parametrize("path", ["/", "/api/tasks", "/metrics", "/login", "/nope", "/stream", "/api/nope"])
@pytest.mark.parametrize("options", [{}, {"allowed_hosts": ["127.0.0.1"]}], ids=str)
def test_foreign_name(serve: Serve, path: str, options: dict[str, Any]) -> None:
    """A name of somebody else's that leads here is told nothing (DNS rebinding)."""
    answer = serve(**options).request("GET", path, headers={"Host": "evil.example"})
    assert answer.status_code in (403, 404)
    assert [] == [word for word in ("events heard", "tasks in", "connection", "/workers") if word in answer.text]


def test_probes_ask_by_any_name(serve: Serve) -> None:
    """Probes ask by address."""
    assert [200] == statuses(serve(allowed_hosts=["flower.example.com"]), "/healthcheck", {"Host": "10.1.2.3:5555"})


def test_allowed_name(serve: Serve) -> None:
    """The named ones are answered."""
    server = serve(allowed_hosts=["flower.example.com"])
    assert [200, 403] == statuses(server, "/", {"Host": "flower.example.com"}, {"Host": "127.0.0.1"})


# -- who can see what


def test_open_server_says_so(serve: Serve) -> None:
    """Every page says who can see what, where nobody logs in."""
    server = serve(open_api=False)
    note = "No login is set up: everybody on this machine sees all tasks"
    assert [True, True, True] == [note in server.get(path).text for path in ("/", "/tasks", "/nope")]
    assert "may run every command" not in server.get("/").text
    assert "may run every command" in serve(open_api=True).get("/").text


def test_closed_server_does_not(serve: Serve) -> None:
    """With a login there is nothing to say."""
    page = serve(basic_auth=["ann:word"]).request("GET", "/", headers=basic("ann:word")).text
    assert "No login is set up" not in page


# -- TLS


@pytest.fixture
def certificate(tmp_path: Path) -> dict[str, str]:
    files = {"certfile": str(tmp_path / "cert.pem"), "keyfile": str(tmp_path / "key.pem")}
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"]
    kind += ["-addext", "subjectAltName=DNS:localhost"]
    out = ["-keyout", files["keyfile"], "-out", files["certfile"]]
    subprocess.run(["openssl", "req", *kind, *out], check=True, capture_output=True)
    return files


@pytest.mark.parametrize("path", ["/", "/nope", "/api/tasks", "/static/nope.js", "/workers/", "/healthcheck"])
@pytest.mark.parametrize("hsts, expected", [(31_536_000, "max-age=31536000"), (0, None)])
def test_hsts(serve: Serve, certificate: dict[str, str], path: str, hsts: int, expected: str | None) -> None:
    """Who came by TLS is to stay with it, whatever was asked for."""
    server = serve(**certificate, hsts=hsts)
    url = server.url.replace("http://127.0.0.1", "https://localhost")
    with requests.Session() as session:
        session.trust_env = False
        session.verify = certificate["certfile"]
        answer = session.get(url + path, allow_redirects=False, timeout=10)
    assert expected == answer.headers.get("Strict-Transport-Security")


def test_no_hsts_without_tls(server: Server) -> None:
    """A promise that was not made over TLS counts for nothing, and is not made."""
    assert "Strict-Transport-Security" not in server.get("/").headers


@pytest.mark.parametrize("path, expected", [("/api/tasks", "private, no-cache"), ("/tasks", "no-store")])
def test_caches(server: Server, path: str, expected: str) -> None:
    """Nothing between server and browser keeps an answer for somebody else."""
    assert expected == server.get(path).headers["Cache-Control"]
