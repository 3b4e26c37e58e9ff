"""Flower behind the proxies of examples/proxy: every address that a page names leads back through the proxy."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from celery import Celery

from tests.integration.cluster import ROOT, Server
from tests.services import Process, Redis, accepts, free_port, program, wait_for

EXAMPLES = ROOT / "examples" / "proxy"
PREFIX = "/flower/"
ADDRESS = re.compile(r"""(?:href|src|action|hx-get|hx-post)=["']([^"'#]+)["']""")
MOST_PAGES = 80
CONFIGURATIONS = ["nginx.conf", "nginx-stripped.conf", *(["Caddyfile"] if shutil.which("caddy") else [])]
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {server}
}}
"""


class Proxy(Process):
    """A proxy as an example describes it, on a free port."""

    def start(self, example: str, server: Server) -> None:
        """Start it and wait until it accepts connections."""
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        text = (EXAMPLES / example).read_text()
        text = text.replace("127.0.0.1:5555", urlsplit(server.address).netloc)
        path = self.folder / example
        if example == "Caddyfile":
            path.write_text("{\n\tadmin off\n}\n" + text.replace(":80 {", f"http://127.0.0.1:{self.port} {{"))
            home = {"XDG_DATA_HOME": str(self.folder), "XDG_CONFIG_HOME": str(self.folder)}
            self.spawn(program("caddy"), "run", "--adapter", "caddyfile", "--config", str(path), env=home)
        else:
            text = text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
            path.write_text(NGINX.format(folder=self.folder, server=text))
            self.spawn(program("nginx"), "-p", str(self.folder), "-c", str(path), "-e", "stderr")
        self.wait_for(lambda: accepts(self.port), 15, "accepts connections")


@dataclass
class Site:
    """What a visitor sees."""

    address: str

    def get(self, path: str, **arguments: object) -> requests.Response:
        return requests.get(self.address + path, timeout=20, allow_redirects=False, **arguments)  # type: ignore[arg-type]


def tell_of_a_task(broker: str) -> None:
    """Let a worker tell of one task, so that there are links to it."""
    with Celery(broker=broker, set_as_current=False) as app, app.events.default_dispatcher("w1@proxy") as dispatcher:
        dispatcher.send(
            "worker-heartbeat", freq=2.0, active=0, processed=1, sw_ident="py-celery", sw_ver="5", sw_sys="Linux"
        )
        dispatcher.send("task-received", uuid="task-behind", name="tests.add", args="()", kwargs="{}")
        dispatcher.send("task-started", uuid="task-behind")
        dispatcher.send("task-failed", uuid="task-behind", exception="ValueError('x')", traceback="ValueError: x")


@pytest.fixture(scope="module")
def server(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Flower as the examples tell to start it, with a worker and a task."""
    server = Server(tmp_path_factory.mktemp("flower"), "flower")
    try:
        server.start(redis.url, "--url-prefix=flower", "--xheaders")
        root = server.address
        wait_for(lambda: requests.get(f"{root}/healthcheck?ready=1", timeout=10).ok, 20, "Flower is ready")
        tell_of_a_task(redis.url)
        wait_for(lambda: requests.get(f"{root}/flower/task/task-behind", timeout=10).ok, 20, "the task is seen")
        yield server
    finally:
        server.end()


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def site(request: pytest.FixtureRequest, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The proxy before it."""
    proxy = Proxy(tmp_path_factory.mktemp("proxy"), "proxy")
    try:
        proxy.start(request.param, server)
        yield Site(proxy.address)
    finally:
        proxy.end(signal.SIGKILL)


def crawl(site: Site) -> dict[str, int]:
    """Every address of the site that its pages name, and the status of its answer."""
    found: dict[str, int] = {}
    waiting = [PREFIX]
    while waiting and len(found) < MOST_PAGES:
        path = waiting.pop(0)
        if path in found:
            continue
        answer = site.get(path, stream=True)
        found[path] = answer.status_code
        if "text/html" in answer.headers.get("Content-Type", ""):
            for name in ADDRESS.findall(answer.text):
                there = urlsplit(urljoin(site.address + path, unescape(name)))
                if there.netloc == urlsplit(site.address).netloc:
                    waiting.append(there.path + (f"?{there.query}" if there.query else ""))
        answer.close()
    return found


def test_every_address_works(site: Site) -> None:
    """Pages, styles, scripts, icons and actions are all under the prefix, and answer."""
    found = crawl(site)
    wrong = {path: status for path, status in found.items() if not path.startswith(PREFIX) or status >= 400}
    assert ({}, True) == (wrong, len(found) > 30)


def test_bare_prefix(site: Site) -> None:
    """Without its slash the prefix leads to the first page."""
    answer = site.get("/flower")
    assert "/flower/" == urlsplit(answer.headers["Location"]).path


@pytest.mark.parametrize("path", ["/flower/workers/", "/flower/tasks/?state=FAILURE"])
def test_redirects(site: Site, path: str) -> None:
    """A redirection keeps the prefix, and leads to no other port."""
    answer = site.get(path)
    assert site.address + path.replace("/?", "?").rstrip("/") == urljoin(
        site.address + path, answer.headers["Location"]
    )


def test_stream(site: Site) -> None:
    """Live pages get their first message at once: nothing on the way collects it."""
    with site.get("/flower/stream", stream=True) as answer:
        assert re.fullmatch(r"id: \d+", next(answer.iter_lines(decode_unicode=True)))


@pytest.mark.parametrize("path", ["healthcheck", "metrics", "static/favicon.svg", "api/workers", "api/openapi.json"])
def test_machines(site: Site, path: str) -> None:
    """What is not for people is there as well."""
    assert 200 == site.get(PREFIX + path).status_code


def test_commands(site: Site) -> None:
    """A command of a page of this site is not taken for one of a foreign site."""
    answer = requests.post(
        f"{site.address}/flower/api/worker/pool/grow/nobody", headers={"Origin": site.address}, timeout=20
    )
    assert 404 == answer.status_code


def test_description(site: Site) -> None:
    """The description of the API names the address that clients can reach."""
    described = site.get("/flower/api/openapi.json").json()
    assert ["/flower"] == [entry["url"] for entry in described["servers"]]
