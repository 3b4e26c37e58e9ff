"""Where Flower lives beside its own command: Django projects, Airflow, other programs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.cluster import CELERY, ROOT
from tests.services import Process, Redis, free_port

SETTINGS = """
SECRET_KEY = "only for this test"
INSTALLED_APPS = ["shop"]
USE_TZ = True
TIME_ZONE = "Asia/Tokyo"
CELERY_BROKER_URL = "{broker}"
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_DEFAULT_QUEUE = "orders"
"""
DJANGOS_CELERY = """
import os
from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proj.settings")
app = Celery("proj")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
"""
TASKS = """
from celery import shared_task
from django.conf import settings

@shared_task
def pay(order):
    return settings.TIME_ZONE
"""
AIRFLOW = """
import sys
from celery import Celery

app = Celery("airflow.providers.celery.executors.celery_executor", broker=sys.argv[1])
sys.argv[:] = ["airflow", "celery", "flower"]
app.start(["flower", "{broker}", "--address=127.0.0.1", "--port={port}", {more}])
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Process]:
    """A program that is not started yet."""
    home = Process(tmp_path, "home")
    yield home
    home.end(signal.SIGKILL)


def reached(home: Process, port: int, path: str = "/healthcheck", **arguments: object) -> requests.Response:
    """The answer, as soon as there is one."""
    found: list[requests.Response] = []

    def answers() -> bool:
        try:
            found.append(requests.get(f"http://127.0.0.1:{port}{path}", timeout=10, **arguments))  # type: ignore[arg-type]
        except requests.ConnectionError:
            return False
        return True

    home.wait_for(answers, 30, "answers")
    return found[-1]


def write(folder: Path, **files: str) -> None:
    """Python modules by their dotted names."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text)


def test_django(home: Process, redis: Redis) -> None:
    """In a Django project it knows the tasks, the queue and the settings of the project's app."""
    write(home.folder, proj__settings=SETTINGS.format(broker=redis.url), proj__celery=DJANGOS_CELERY, shop__tasks=TASKS)
    port = free_port()
    home.spawn(*CELERY, "-A", "proj", "flower", "--address=127.0.0.1", f"--port={port}")
    assert 200 == reached(home, port, "/healthcheck").status_code
    queues = requests.get(f"http://127.0.0.1:{port}/broker", timeout=10).text
    assert (True, True) == ("shop.tasks.pay" in home.log, "orders" in queues)


def test_airflow(home: Process, redis: Redis) -> None:
    """Airflow starts it from its own process, with the broker's URL as an argument and its options after it."""
    port = free_port()
    (home.folder / "flower_conf.py").write_text("natural_time = True\nbasic_auth = ['eve:overruled']\n")
    more = '"--url-prefix=flower", "--basic-auth=ann:secret,bob:word", "--conf=flower_conf.py"'
    (home.folder / "start.py").write_text(AIRFLOW.format(broker=redis.url, port=port, more=more))
    home.spawn(sys.executable, "start.py", redis.url)
    reached(home, port)
    statuses = [
        reached(home, port, "/flower/workers", auth=user).status_code
        for user in (("ann", "secret"), ("bob", "word"), ("eve", "overruled"))
    ]
    assert [200, 200, 401] == statuses


def test_airflow_with_a_bad_option(home: Process, redis: Redis) -> None:
    """What is wrong ends Airflow's process, in one line and with a code."""
    (home.folder / "start.py").write_text(AIRFLOW.format(broker=redis.url, port=5555, more='"--conf=nowhere.py"'))
    home.spawn(sys.executable, "start.py", redis.url)
    assert home.running is not None
    code = home.running.wait(30)
    assert (2, ["Error: conf: nowhere.py cannot be read: No such file or directory"]) == (code, home.log.splitlines())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_asyncio(home: Process, redis: Redis, number: signal.Signals) -> None:
    """It lives in an asyncio program, receives events there, and ends with it."""
    port = free_port()
    script = ROOT / "examples" / "embedding" / "in_asyncio.py"
    home.spawn(sys.executable, str(script), env={"PORT": str(port), "CELERY_BROKER_URL": redis.url})
    reached(home, port)
    home.wait_for(lambda: reached(home, port, "/healthcheck?ready=1").ok, 20, "receives events")
    assert 0 == home.end(number)


def test_in_tornado(home: Process, redis: Redis) -> None:
    """It lives at a path of a Tornado application, which keeps its own pages."""
    port = free_port()
    script = ROOT / "examples" / "embedding" / "in_tornado.py"
    home.spawn(sys.executable, str(script), env={"PORT": str(port), "CELERY_BROKER_URL": redis.url})
    pages = [reached(home, port, path) for path in ("/", "/flower", "/flower/", "/flower/workers", "/workers")]
    home.wait_for(lambda: reached(home, port, "/flower/healthcheck?ready=1").ok, 20, "receives events")
    assert ([200, 200, 200, 200, 404], True, 0) == (
        [page.status_code for page in pages],
        pages[0].text.startswith("Hello"),
        home.end(),
    )
