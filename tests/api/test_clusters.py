"""Several clusters in one server: addresses, pages, API, metrics, and who may what."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics_families
from prometheus_client.parser import text_string_to_metric_families as families
from tornado.routing import URLSpec

from flower import urls
from flower.rights import methods_of
from flower.utils.exposition import OPENMETRICS, PROMETHEUS, PROTOBUF
from tests import factories as make
from tests import prometheus_proto as proto
from tests.api.conftest import Serve, Server
from tests.api.test_matrix import expected, headers_of, path_of, status

LINK = re.compile(r'(?:href|action|src|hx-get|hx-post|data-go-to)="(/[^"]*)"')
PAGES = ("", "tasks", "workers", "broker", "api/docs")


@pytest.fixture
def clusters(tmp_path: Path) -> str:
    """A file with two clusters beside that of the command line, which is called tests."""
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps({"mail": {"broker": "memory://"}, "lab": {"broker": "memory://"}}), encoding="utf-8")
    return str(path)


@pytest.fixture
def fleet(serve: Serve, clusters: str) -> Server:
    """An open server with three clusters, of which two have seen a task; the third cannot reach its broker."""
    server = serve(clusters=clusters, url_prefix="ops")
    first, mail, lab = (each.cluster for each in server.app.watched)
    for cluster, uuid in ((first, "of-first"), (mail, "of-mail")):
        cluster.state.apply([make.heartbeat(kind="worker-online", at=0), *make.success(uuid)])
        cluster.events.connected_since = 1.0
        assert cluster.state.flush()
    lab.events.failure = "connection refused"
    return server


def uuids(server: Server, path: str) -> list[str]:
    return [task["uuid"] for task in server.json(path)["tasks"]]


def test_each_has_its_own(fleet: Server) -> None:
    """Each cluster has its tasks at its address; what names none is the first one."""
    found = [uuids(fleet, f"/ops{path}/api/tasks") for path in ("/c/tests", "/c/mail", "/c/lab", "")]
    assert [["of-first"], ["of-mail"], [], ["of-first"]] == found


def test_list(fleet: Server) -> None:
    """The bare address and /clusters tell of every cluster in words, and lead there."""
    pages = [fleet.get(path).text for path in ("/ops/", "/ops/clusters", "/")]
    for page in pages:
        for name in ("tests", "mail", "lab"):
            assert f'<a class="strong break" href="/ops/c/{name}/">{name}</a>' in page
        assert "Broker unreachable" in page
        assert "connection refused" in page
        assert 2 * 2 == page.count("1 worker online")


def test_list_for_programs(fleet: Server) -> None:
    """/api/clusters tells names, paths and states in the order of the file."""
    found = fleet.json("/ops/api/clusters")["clusters"]
    assert [("tests", "/ops/c/tests"), ("mail", "/ops/c/mail"), ("lab", "/ops/c/lab")] == [
        (each["name"], each["path"]) for each in found
    ]
    assert ("unreachable", "connection refused", 0) == tuple(found[2][key] for key in ("state", "reason", "workers"))


@pytest.mark.parametrize("path", ["/clusters", "/api/clusters", "/c/tests", "/c/tests/api/tasks"])
def test_without(server: Server, path: str) -> None:
    """A server with one cluster has none of these addresses, and no label or switch."""
    assert 404 == server.get(path).status_code
    assert "cluster=" not in server.get("/metrics").text
    assert "cluster-switch" not in server.get("/tasks").text


@pytest.mark.parametrize(
    "path, target",
    [
        ("/ops/tasks?state=FAILURE&search=a%20b", "/ops/c/tests/tasks?state=FAILURE&search=a%20b"),
        ("/ops/task/a%2Fb", "/ops/c/tests/task/a%2Fb"),
        ("/worker/celery@w1", "/ops/c/tests/worker/celery@w1"),
        ("/ops/c/mail", "/ops/c/mail/"),
        ("/ops/c/mail/tasks/", "/ops/c/mail/tasks"),
    ],
)
def test_redirects(fleet: Server, path: str, target: str) -> None:
    """Bookmarks from before there were several lead to the first one; slashes are mended within a cluster."""
    answer = fleet.get(path)
    assert (302, target) == (answer.status_code, answer.headers["Location"])


@pytest.mark.parametrize("path", ["/ops/c/nope/", "/ops/c/nope/tasks", "/ops/c/", "/ops/c/mail/nope", "/ops/c/mail//"])
def test_unknown(fleet: Server, path: str) -> None:
    """An unknown cluster is not found, whatever of it is asked for."""
    with fleet.session.get(fleet.url + path, timeout=10) as answer:
        assert 404 == answer.status_code


def test_unknown_to_programs(fleet: Server) -> None:
    """The API tells of an unknown cluster in JSON, and runs nothing of another one."""
    for method in ("GET", "POST"):
        answer = fleet.request(method, "/ops/c/nope/api/task/send-task/x")
        error = {"error": "There is no /ops/c/nope/api/task/send-task/x in the API", "status": 404}
        assert (404, error) == (answer.status_code, answer.json())


@pytest.mark.parametrize("page", PAGES)
def test_links(fleet: Server, page: str) -> None:
    """Every link of a page stays in its cluster, but those of the switch, of static files and of logging out."""
    text = fleet.get(f"/ops/c/mail/{page}").text
    switch = re.search(r'<nav class="menu-list menu-clusters".*?</nav>', text, re.DOTALL)
    assert switch is not None
    links = set(LINK.findall(text.replace(switch[0], "")))
    assert len(links) > 10
    assert [] == sorted(link for link in links if not link.startswith(("/ops/c/mail/", "/ops/static/")))
    there = page if page != "api/docs" else ""
    assert [f"/ops/c/{name}/{there}" for name in ("tests", "mail", "lab")] + ["/ops/"] == LINK.findall(switch[0])
    assert 'data-prefix="/ops/c/mail" data-root="/ops"' in text


def test_switch(fleet: Server) -> None:
    """The switch marks where one is and tells of trouble elsewhere; alone it is drawn for the page that it is on."""
    page = fleet.get("/ops/c/mail/workers").text
    assert '<a href="/ops/c/mail/workers" aria-current="true">' in page
    assert "1 other cluster is in trouble" in page
    alone = fleet.request(
        "GET",
        "/ops/c/lab/clusters?tab=tasks",
        headers={"HX-Request": "true", "HX-Target": "cluster-switch"},
    ).text
    assert "<html" not in alone
    assert '<a href="/ops/c/lab/tasks" aria-current="true">' in alone


def samples(text: str, name: str, read: Any = families) -> dict[str, float]:
    """The values of a metric by cluster."""
    return {
        sample.labels["cluster"]: sample.value
        for family in read(text)
        for sample in family.samples
        if sample.name == name
    }


@pytest.mark.parametrize("accept, read", [(PROMETHEUS, families), (OPENMETRICS, openmetrics_families)])
def test_metrics(fleet: Server, accept: str, read: Any) -> None:
    """One scrape tells of all clusters, each metric once and with the label; the process is told once."""
    answer = fleet.request("GET", "/ops/metrics", headers={"Accept": accept})
    assert accept == answer.headers["Content-Type"]
    assert {"tests": 1.0, "mail": 1.0, "lab": 0.0} == samples(answer.text, "flower_broker_connected", read)
    received = [
        (sample.labels["cluster"], sample.labels["task"], sample.value)
        for family in read(answer.text)
        for sample in family.samples
        if sample.name == "flower_events_total" and sample.labels["type"] == "task-received"
    ]
    assert [("tests", "tasks.add", 1.0), ("mail", "tasks.add", 1.0)] == received
    heads = re.findall(r"^# HELP (\S+)", answer.text, re.MULTILINE)
    assert sorted(set(heads)) == sorted(heads)
    assert 1 == len(re.findall(r"^python_info\{", answer.text, re.MULTILINE))


def test_native_metrics(serve: Serve, clusters: str) -> None:
    """With native histograms the label is in Prometheus' protobuf, too."""
    server = serve(clusters=clusters, native_histograms=True)
    answer = server.request("GET", "/metrics", headers={"Accept": PROTOBUF})
    assert PROTOBUF == answer.headers["Content-Type"]
    found = proto.families(answer.content)["flower_broker_connected"].metric
    assert ["tests", "mail", "lab"] == [proto.labels(metric)["cluster"] for metric in found]


def test_metrics_of_one(fleet: Server) -> None:
    """Under its address a cluster tells of itself only."""
    assert {"mail": 1.0} == samples(fleet.get("/ops/c/mail/metrics").text, "flower_broker_connected")


def test_metrics_of_a_slow_one(fleet: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster whose metrics hang is left out; the next scrape does not wait for it at all."""
    monkeypatch.setattr("flower.views.monitor.PATIENCE_SECONDS", 3.0)
    lab = fleet.app.watched[2].cluster
    with lab.state.lock:
        for patience in (9.0, 2.5):
            answer = fleet.session.get(f"{fleet.url}/ops/metrics", timeout=10)
            assert {"tests": 1.0, "mail": 1.0} == samples(answer.text, "flower_broker_connected")
            assert answer.elapsed.total_seconds() < patience


def test_ready(fleet: Server) -> None:
    """The server is ready while one cluster is, and says which is not and why; each can be asked alone."""
    whole = fleet.get("/ops/healthcheck", ready=1)
    assert (200, "OK\nlab: broker: connection refused") == (whole.status_code, whole.text)
    assert [200, 503] == [fleet.get(f"/ops/c/{name}/healthcheck?ready=1").status_code for name in ("mail", "lab")]
    for each in fleet.app.watched:
        each.cluster.events.connected_since = None
    assert 503 == fleet.get("/ops/healthcheck", ready=1).status_code
    assert 200 == fleet.get("/ops/healthcheck").status_code


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two clusters, a key of each role and a password."""
    path = tmp_path_factory.mktemp("clusters") / "clusters.json"
    path.write_text('{"mail": {"broker": "memory://"}}', encoding="utf-8")
    keys = [f"{role}:key-of-{role}:{role}" for role in ("viewer", "operator", "admin")]
    server = Server(api_keys=keys, basic_auth=["ann:word"], clusters=str(path))
    yield server
    server.end()


@pytest.mark.parametrize("spec", urls.handlers, ids=lambda spec: spec.regex.pattern)
@pytest.mark.parametrize("who", ["nobody", "viewer", "operator", "admin", "another site"])
def test_one_gate(guarded: Server, spec: URLSpec, who: str) -> None:
    """Within a cluster every route admits whom it admits without one, and refuses the others."""
    for method in ("GET", "POST"):
        found, _ = status(guarded, method, f"/c/mail{path_of(spec)}", who)
        wanted = expected(spec, method, who)
        assert (method, found) == (method, wanted) if wanted else found not in (401, 403, 405, 500)


@pytest.mark.parametrize("spec", urls.handlers, ids=lambda spec: spec.regex.pattern)
def test_the_gate_before_redirects(guarded: Server, spec: URLSpec) -> None:
    """Who may not see a page is not sent to the cluster of it either."""
    if "GET" in methods_of(spec):
        found, _ = status(guarded, "GET", path_of(spec), "nobody")
        wanted = expected(spec, "GET", "nobody")
        assert found == wanted if wanted else found != 302 or spec.handler_class.permission == "public"


def test_audits_are_their_own(serve: Serve, clusters: str) -> None:
    """What was refused in a cluster is in its audit, and in no other."""
    path = "/api/worker/shutdown/celery@w1"
    server = serve(api_keys=["viewer:key-of-viewer:viewer", "admin:key-of-admin:admin"], clusters=clusters)
    answer = server.request("POST", f"/c/mail{path}", headers=headers_of("viewer"))
    assert 403 == answer.status_code
    targets = [
        server.request("GET", f"{where}/api/audit?outcome=refused", headers=headers_of("admin")).json()["audit"]
        for where in ("/c/mail", "/c/tests")
    ]
    assert [["celery@w1"], []] == [[entry["target"] for entry in found] for found in targets]


def test_list_tells_what_is_wrong_within(fleet: Server) -> None:
    """What is wrong within a cluster is told in its row, with the way to it; so is that a worker is gone."""
    mail = fleet.app.watched[1].cluster
    mail.state.apply([event for number in range(30) for event in make.failure(f"bad-{number}", at=4.0)])
    assert mail.state.flush()
    page = fleet.get("/ops/clusters").text
    row = re.search(r'<tr id="cluster-mail">.*?</tr>', page, re.DOTALL)
    assert row is not None
    found = re.search(r'<li class="is-(\w+)"><a href="(/ops/c/mail/tasks\?[^"]*)">([^<]*)</a>', row[0])
    assert found is not None, row[0]
    assert "tasks.add" in found[3]
    assert f'<span class="cluster-mark is-{found[1]}"' in row[0]
    assert 200 == fleet.get(found[2].replace("&amp;", "&")).status_code


def test_list_does_not_wait_for_a_store(fleet: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster whose store hangs is listed all the same, and its row says what is known."""
    lab, held = fleet.app.watched[2].cluster, threading.Event()
    monkeypatch.setattr(lab.store, "stats", lambda *_: held.wait(10))
    began = time.monotonic()
    page = fleet.get("/ops/").text
    took = time.monotonic() - began
    held.set()
    assert ("Broker unreachable" in page, took < 5) == (True, True)
