"""What examples/ and the Dockerfile say of Flower is so: options, ports, paths, files, names."""

from __future__ import annotations

import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from flower.options import BY_NAME, ENV_VAR_PREFIX, ENVIRONMENT_ONLY
from flower.settings import option_of
from flower.urls import handlers

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
KUBERNETES = EXAMPLES / "kubernetes"
OBJECTS: dict[str, dict[str, Any]] = {
    name: yaml.safe_load((KUBERNETES / name).read_text())
    for name in yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
}
POD = OBJECTS["deployment.yaml"]["spec"]["template"]["spec"]
CONTAINER = POD["containers"][0]
TEXTS = [
    ROOT / "Dockerfile",
    ROOT / "docker-compose.yml",
    *sorted(path for path in EXAMPLES.rglob("*") if path.suffix in (".yml", ".yaml", ".service", ".conf")),
    EXAMPLES / "proxy" / "Caddyfile",
    EXAMPLES / "docker" / "healthcheck.py",
]
DEFAULT_PORT = BY_NAME["port"].default


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_variables(path: Path) -> None:
    """Every FLOWER_ variable is an option."""
    names = set(re.findall(rf"\b{ENV_VAR_PREFIX}[A-Z_0-9]+\b", path.read_text()))
    assert [] == sorted(
        name for name in names if name not in ENVIRONMENT_ONLY and name.removeprefix("FLOWER_").lower() not in BY_NAME
    )


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_options(path: Path) -> None:
    """Every option after the word flower is one of Flower's."""
    commands = re.findall(r"celery\b[^\n]*? flower\b([^\n]*)", path.read_text())
    options = [word for command in commands for word in shlex.split(command, comments=True) if word.startswith("--")]
    assert [] == [word for word in options if option_of(word) is None]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_ports(path: Path) -> None:
    """Who asks Flower asks at its own port."""
    asked = re.findall(r"(?:\bflower|127\.0\.0\.1):(\d+)(?=[\"/;\s])", path.read_text())
    others = {"9090", "3000", "3.0.0"}
    assert [] == [port for port in asked if port not in others and port != str(DEFAULT_PORT)]


def test_health_paths() -> None:
    """The probes ask for a path that there is."""
    probes = [CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
    script = re.findall(r'"GET", "([^"]+)"', (EXAMPLES / "docker" / "healthcheck.py").read_text())
    (health,) = (url for url in handlers if url.name == "healthcheck")
    assert [True] * 4 == [bool(health.regex.fullmatch(path)) for path in probes + script]


# The image


def copied() -> list[str]:
    """What the Dockerfile takes from the project."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return [word for line in lines for word in line.split()[:-1]]


@pytest.mark.parametrize("name", copied())
def test_copied_files(name: str) -> None:
    """What is copied exists, and .dockerignore lets it through."""
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let = [rule[1:] for rule in rules if rule.startswith("!")]
    admitted = any(fnmatch.fnmatch(name, rule) or name.startswith(f"{rule}/") for rule in let)
    assert (True, True) == ((ROOT / name).exists(), admitted)


def test_built_from_what_is_copied() -> None:
    """What setup.py reads is among it."""
    read = set(re.findall(r'ROOT / "([^"]+)"', (ROOT / "setup.py").read_text()))
    assert set() == read - {name.rstrip("/") for name in copied()}


def test_not_root() -> None:
    """The program in the image runs as a user, by number, which Kubernetes can check."""
    assert ["1000:1000"] == re.findall(r"^USER (\S+)$", DOCKERFILE.rpartition("FROM")[2], re.MULTILINE)


def test_health_of_the_image() -> None:
    """The image tells whether Flower answers."""
    assert (True, True) == ("HEALTHCHECK" in DOCKERFILE, f"EXPOSE {DEFAULT_PORT}\n" in DOCKERFILE)


# Compose


def test_mounted_files() -> None:
    """What Compose mounts from the project exists."""
    volumes = [volume for service in COMPOSE["services"].values() for volume in service.get("volumes", ())]
    assert [] == [volume for volume in volumes if volume[0] == "." and not (ROOT / volume.split(":")[0]).exists()]


def test_named_volumes() -> None:
    """And the other volumes are declared."""
    volumes = [volume for service in COMPOSE["services"].values() for volume in service.get("volumes", ())]
    assert set(COMPOSE["volumes"]) == {volume.split(":")[0] for volume in volumes if volume[0] != "."}


def test_services_that_are_waited_for() -> None:
    """Services wait for services that there are."""
    services = COMPOSE["services"]
    assert set() == {name for service in services.values() for name in service.get("depends_on", ())} - set(services)


def test_scraped_service() -> None:
    """Prometheus scrapes Compose's Flower, and Grafana asks Compose's Prometheus."""
    scraped = yaml.safe_load((EXAMPLES / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    sources = EXAMPLES / "grafana" / "provisioning" / "datasources" / "prometheus.yml"
    asked = yaml.safe_load(sources.read_text())["datasources"][0]["url"]
    assert ([f"flower:{DEFAULT_PORT}"], "http://prometheus:9090") == (scraped["static_configs"][0]["targets"], asked)
    assert {"flower", "prometheus"} <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", ["flower", "worker"])
def test_nothing_to_write_to(name: str) -> None:
    """What runs from the image has a file system that it cannot change, and no rights of root."""
    service = COMPOSE["services"][name]
    found = [service.get(key) for key in ("read_only", "tmpfs", "cap_drop", "security_opt")]
    assert [True, ["/tmp"], ["ALL"], ["no-new-privileges:true"]] == found


def test_only_for_this_machine() -> None:
    """An example without a login is not open to the network."""
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert [] == [port for port in ports if not port.startswith("127.0.0.1:")]


def test_example_app() -> None:
    """The example's schedule sends tasks that it has."""
    # In a process of its own: Celery shares the tasks of an app with every other app.
    code = "from tasks import app; print({each['task'] for each in app.conf.beat_schedule.values()} - set(app.tasks))"
    environment = {**os.environ, "CELERY_BROKER_URL": "memory://"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=EXAMPLES / "docker", env=environment, capture_output=True, text=True
    )
    assert ("set()", "") == (done.stdout.strip(), done.stderr)


# Kubernetes


def test_selectors() -> None:
    """Service and Deployment choose the pods that the Deployment makes."""
    labels = OBJECTS["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
    selectors = (
        OBJECTS["deployment.yaml"]["spec"]["selector"]["matchLabels"],
        OBJECTS["service.yaml"]["spec"]["selector"],
    )
    assert (labels, labels) == selectors


def test_port_names() -> None:
    """Probes, Service and Ingress name ports that there are."""
    named = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    service = {port["name"]: port["targetPort"] for port in OBJECTS["service.yaml"]["spec"]["ports"]}
    ingress = OBJECTS["ingress.yaml"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    asked = {CONTAINER[name]["httpGet"]["port"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert ({"http": DEFAULT_PORT}, {"http"}, True) == (
        named,
        asked | set(service.values()),
        ingress["port"]["name"] in service,
    )


def test_references() -> None:
    """The secret, the volume and the service that are referred to are made."""
    made = {(item["kind"], item["metadata"]["name"]) for item in OBJECTS.values()}
    claims = {
        volume["persistentVolumeClaim"]["claimName"] for volume in POD["volumes"] if "persistentVolumeClaim" in volume
    }
    paths = OBJECTS["ingress.yaml"]["spec"]["rules"][0]["http"]["paths"]
    wanted = {
        *(("Secret", source["secretRef"]["name"]) for source in CONTAINER["envFrom"]),
        *(("PersistentVolumeClaim", claim) for claim in claims),
        *(("Service", path["backend"]["service"]["name"]) for path in paths),
    }
    assert set() == wanted - made


def test_mounts() -> None:
    """Every volume is mounted, and the history's is where the image keeps it."""
    mounts = {mount["name"]: mount["mountPath"] for mount in CONTAINER["volumeMounts"]}
    assert ({volume["name"] for volume in POD["volumes"]}, True) == (
        set(mounts),
        f"FLOWER_DB={mounts['data']}/" in DOCKERFILE,
    )


def test_prefix_of_the_ingress() -> None:
    """The path of the Ingress is the prefix that Flower is told."""
    told = {variable["name"]: variable["value"] for variable in CONTAINER["env"]}["FLOWER_URL_PREFIX"]
    assert f"/{told}" == OBJECTS["ingress.yaml"]["spec"]["rules"][0]["http"]["paths"][0]["path"]


def test_kustomize() -> None:
    """kubectl accepts them, where it is installed."""
    tool = shutil.which("kubectl")
    if tool is None:
        return
    done = subprocess.run([tool, "kustomize", str(KUBERNETES)], capture_output=True, text=True)
    made = [item["kind"] for item in yaml.safe_load_all(done.stdout)]
    assert (0, sorted(item["kind"] for item in OBJECTS.values())) == (done.returncode, sorted(made))


# systemd, Traefik


def test_systemd() -> None:
    """systemd's own tool finds nothing wrong, where it is installed, but that there is no /srv/proj here."""
    tool = shutil.which("systemd-analyze")
    if tool is None:
        return
    unit = EXAMPLES / "systemd" / "flower.service"
    done = subprocess.run([tool, "verify", "--man=no", str(unit)], capture_output=True, text=True)
    ours = [line for line in done.stderr.splitlines() if "flower.service" in line]
    assert [] == [line for line in ours if "/srv/proj/venv/bin/celery is not executable" not in line]


def test_traefik() -> None:
    """The router leads to the service, and has the prefix of the command in the comment."""
    text = (EXAMPLES / "proxy" / "traefik.yml").read_text()
    http = yaml.safe_load(text)["http"]
    router = http["routers"]["flower"]
    assert ("Path(`/flower`) || PathPrefix(`/flower/`)", True, True) == (
        router["rule"],
        router["service"] in http["services"],
        "--url-prefix=flower " in text,
    )
