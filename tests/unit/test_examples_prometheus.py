"""The alerts and the dashboard in examples/ ask for what Flower tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from flower import sampler
from flower.metrics import METRICS, Metrics
from flower.state import State
from flower.store import open_store
from tests import factories as make

EXAMPLES = Path(__file__).parents[2] / "examples"
ALERTS = yaml.safe_load((EXAMPLES / "prometheus" / "alerts.yml").read_text())
DASHBOARD = json.loads((EXAMPLES / "grafana" / "celery.json").read_text())
SCRAPED = {"instance", "job", "cluster"}
"""What every series has beside its own labels: what Prometheus adds, and its cluster where several are watched."""
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
NAME = re.compile(r"\bflower_\w+")
SELECTED = re.compile(r"\b(flower_\w+)\{([^}]*)\}")
LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
GROUPED = re.compile(r"\b(?:by|on)\s*\(([^)]*)\)")
LEGEND = re.compile(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}")
TOLD: dict[str, set[str]] = {
    f"{metric.name}{suffix}": {*metric.labels, *SCRAPED} | ({"le"} if suffix == "_bucket" else set())
    for metric in (*METRICS, *sampler.METRICS)
    for suffix in SUFFIXES[metric.kind]
}
"""Name of a sample -> its labels."""

RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """(where it stands, PromQL) of everything that is asked."""
    for rule in RULES:
        yield rule["alert"], rule["expr"]
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], variable["definition"]


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS)
def test_names(place: str, expression: str) -> None:
    """Only metrics that there are."""
    assert set() == {name for name in NAME.findall(expression) if name not in TOLD}


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS)
def test_selected_labels(place: str, expression: str) -> None:
    """Only labels that the metric has."""
    assert [] == [
        (name, label)
        for name, selection in SELECTED.findall(expression)
        for label in LABEL.findall(selection)
        if label not in TOLD[name]
    ]


@pytest.mark.parametrize(("place", "expression"), EXPRESSIONS)
def test_grouping_labels(place: str, expression: str) -> None:
    """What is grouped or joined by is a label of every metric in the expression."""
    grouped = {label.strip() for labels in GROUPED.findall(expression) for label in labels.split(",")} - {""}
    names = [name for name in NAME.findall(expression) if name in TOLD]
    assert [] == [(name, label) for name in names for label in grouped if label not in TOLD[name]]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: str(panel["title"]))
def test_legends(panel: dict[str, Any]) -> None:
    """A legend names labels that the answer has: those it is grouped by, or those of the metric."""
    for target in panel["targets"]:
        labels = next((TOLD[name] for name in NAME.findall(target["expr"])), SCRAPED)
        if grouped := GROUPED.search(target["expr"]):
            labels = set(re.findall(r"\w+", grouped[1]))
        assert set() == set(LEGEND.findall(target["legendFormat"])) - labels


@pytest.mark.parametrize(
    "expression", [target["expr"] for panel in PANELS for target in panel["targets"]], ids=lambda text: str(text)[:60]
)
def test_chosen_clusters(expression: str) -> None:
    """Whatever Flower tells of is that of the chosen servers and clusters."""
    chosen = ('instance=~"$instance"', 'cluster=~"$cluster"')
    selections = [selection for _, selection in SELECTED.findall(expression)]
    assert len(selections) == len(NAME.findall(expression))
    assert [] == [selection for selection in selections if not all(each in selection for each in chosen)]


@pytest.mark.parametrize("name", ["instance", "cluster", "task", "queue"])
def test_all_is_what_has_no_such_label_too(name: str) -> None:
    """A server with one cluster tells none: at first everything is chosen, with and without the label."""
    variable = next(each for each in DASHBOARD["templating"]["list"] if each["name"] == name)
    assert (".*", "$__all", True) == (variable["allValue"], variable["current"]["value"], variable["includeAll"])
    assert variable["definition"] == variable["query"]["query"]


def test_panels_do_not_overlap() -> None:
    """Each has a place of its own, within the 24 columns."""
    cells = [
        (x, y)
        for panel in DASHBOARD["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert (len(cells), True) == (len(set(cells)), max(x for x, _ in cells) < 24)


def test_what_has_a_panel() -> None:
    """Nothing that is told of tasks, workers and queues is missing from the dashboard."""
    shown = {name for panel in PANELS for target in panel["targets"] for name in NAME.findall(target["expr"])}
    wanted = [
        metric
        for metric in (*METRICS, *sampler.METRICS)
        if metric.name.startswith(("flower_task_", "flower_worker_", "flower_queue_", "flower_broker_"))
    ]
    assert [] == [m.name for m in wanted if not shown & {m.name + suffix for suffix in SUFFIXES[m.kind]}]


def test_every_alert_is_complete() -> None:
    """Each has a severity and a summary."""
    assert [] == [
        rule["alert"] for rule in RULES if not (rule["labels"]["severity"] and rule["annotations"]["summary"])
    ]


@pytest.mark.parametrize(
    "arguments",
    [("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")],
    ids=" ".join,
)
def test_promtool(arguments: tuple[str, ...]) -> None:
    """Prometheus' own tool agrees, where it is installed: the alerts come when they should."""
    tool = shutil.which("promtool")
    if tool is None:
        return
    done = subprocess.run([tool, *arguments], cwd=EXAMPLES / "prometheus", capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stdout * bool(done.returncode))


def test_promql_of_the_dashboard(tmp_path: Path) -> None:
    """Prometheus' own tool understands every expression of the dashboard, where it is installed."""
    tool = shutil.which("promtool")
    if tool is None:
        return
    expressions = [target["expr"] for panel in PANELS for target in panel["targets"]]
    plain = [re.sub(r"\$\w+", ".*", each.replace("$__rate_interval", "5m")) for each in expressions]
    rules = [{"record": f"panel:{number}", "expr": each} for number, each in enumerate(plain)]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    done = subprocess.run([tool, "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True)
    assert (0, "") == (done.returncode, done.stderr * bool(done.returncode))


def test_promtool_on_the_answer(tmp_path: Path) -> None:
    """And finds nothing to say of what /metrics answers, where it is installed."""
    tool = shutil.which("promtool")
    if tool is None:
        return
    state = State(open_store())
    metrics = Metrics(state, [0.1, 1.0], registry=CollectorRegistry())
    state.observers.append(metrics)
    state.apply(
        [make.sent("a"), *make.success("a"), *make.failure("b"), *make.retry_then_success("c"), make.heartbeat()]
    )
    text = metrics.render()[0]
    state.stop()
    done = subprocess.run([tool, "check", "metrics"], input=text, capture_output=True)
    assert (0, b"") == (done.returncode, done.stdout + done.stderr)
