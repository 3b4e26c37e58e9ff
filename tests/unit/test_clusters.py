"""The file of `--clusters`: what it may say, how its faults are told, and what follows from it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import celery
import pytest

from flower import clusters
from flower.clusters import Entry, celery_app, name_of, own_database, plans, read
from flower.options import OptionError
from flower.settings import with_defaults

Write = Callable[[Any], str]
EXAMPLES = Path(__file__).parents[2] / "examples"
REDIS = "redis://:verysecret@mail.example:6379/0"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of clusters, from JSON or as it is; its path."""

    def write(content: Any) -> str:
        path = tmp_path / "clusters.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Writes Python modules that can be imported; they are forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def write(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code, encoding="utf-8")
        names.append(name)

    yield write
    for name in names:
        sys.modules.pop(name, None)


def fault(path: str) -> str:
    """What is said of a file that cannot be used, without its folder."""
    with pytest.raises(OptionError) as told:
        read(path)
    return str(told.value).replace(path, "FILE")


def test_read(write: Write) -> None:
    """Each cluster has its fields; the order is that of the file."""
    path = write({"shop": {"app": "shop.celery:app"}, "mail": {"broker": REDIS, "queues": ["letters"]}})
    assert [Entry("shop", app="shop.celery:app"), Entry("mail", broker=REDIS, queues=("letters",))] == read(path)


FAULTS: dict[str, tuple[Any, str]] = {
    "no JSON": ('{"shop": {', "FILE: line 1, column 11: Expecting property name enclosed in double quotes"),
    "a list": ([], 'FILE: must be an object of clusters by name, such as {"shop": {"app": "shop.celery:app"}}'),
    "nothing in it": ({}, 'FILE: must be an object of clusters by name, such as {"shop": {"app": "shop.celery:app"}}'),
    "a name twice": (
        '{"shop": {"broker": "redis://"}, "shop": {"broker": "redis://"}}',
        "FILE: cluster 'shop': is there twice; names differ in more than upper and lower case",
    ),
    "names that differ in case": (
        {"shop": {"broker": "redis://"}, "Shop": {"broker": "redis://"}},
        "FILE: cluster 'shop': is there twice; names differ in more than upper and lower case",
    ),
    "no name for a URL": (
        {"my shop": {"broker": "redis://"}},
        "FILE: cluster 'my shop': the name, which is part of addresses, must be 1 to 64 letters, digits and -._~",
    ),
    "no object": (
        {"shop": REDIS},
        "FILE: cluster 'shop': must be an object with some of app, broker, result_backend, settings, queues",
    ),
    "a field misspelled": ({"shop": {"brokr": REDIS}}, "FILE: cluster 'shop': brokr: there is no such field, did you "),
    "a field unknown": (
        {"shop": {"colour": REDIS}},
        "FILE: cluster 'shop': colour: there is no such field; there are app, broker, result_backend, settings, ",
    ),
    "a field twice": ('{"shop": {"app": "a", "app": "b"}}', "FILE: cluster 'shop': app: is there twice"),
    "app and broker": (
        {"shop": {"app": "shop", "broker": REDIS}},
        "FILE: cluster 'shop': has both app and broker; an app knows its broker, so give one of them",
    ),
    "neither": (
        {"shop": {"queues": ["a"]}},
        "FILE: cluster 'shop': needs app (the place of a Celery app) or broker (its URL)",
    ),
    "settings of an app": (
        {"shop": {"app": "shop", "settings": {}}},
        "FILE: cluster 'shop': settings: goes with broker only; an app has its own",
    ),
    "an unknown setting": (
        {"shop": {"broker": REDIS, "settings": {"broker_use_sll": True}}},
        "FILE: cluster 'shop': settings: Celery has no setting 'broker_use_sll', did you mean 'broker_use_ssl'?",
    ),
    "queues as text": (
        {"shop": {"broker": REDIS, "queues": "mail"}},
        """FILE: cluster 'shop': queues: must be a list of names of queues, such as ["mail", "video"]""",
    ),
    "a wrong API": ({"shop": {"broker": REDIS, "broker_api": 15672}}, "FILE: cluster 'shop': broker_api: must be an "),
    "a wrong database": ({"shop": {"broker": REDIS, "db": "mysql://x"}}, "FILE: cluster 'shop': db: must be a file "),
    "a wrong place": ({"shop": {"app": "shop/celery.py"}}, "FILE: cluster 'shop': app: must be the place of a Celery "),
}


@pytest.mark.parametrize("content, said", FAULTS.values(), ids=FAULTS)
def test_faults(write: Write, content: Any, said: str) -> None:
    """A fault names the file, the cluster and the field, says what is allowed, and tells no password."""
    told = fault(write(content))
    assert told.startswith(f"clusters: {said}")
    assert "verysecret" not in told


@pytest.mark.parametrize(
    "url",
    ["mail.example:6379", "redsi://h/0", "redis://:verysecret#@h:6379/0", "http://h", "", 5, None, ["redis://h"]],
)
def test_bad_broker(write: Write, url: Any) -> None:
    """What is no URL of a broker is refused without being told."""
    told = fault(write({"mail": {"broker": url}}))
    assert told.startswith("clusters: FILE: cluster 'mail': broker: must be the URL of a broker that Celery knows")
    assert "verysecret" not in told


@pytest.mark.parametrize(
    "url",
    [
        REDIS,
        "amqps://user:word@[::1]:5671/vhost",
        "redis+socket:///run/redis.sock?virtual_host=2",
        "sentinel://:word@a:26379;sentinel://:word@b:26379",
        "amqp://a//;amqp://b//",
        "memory://",
        "sqs://",
    ],
)
def test_good_broker(write: Write, url: str) -> None:
    """Every form of URL that Celery takes is taken."""
    assert [Entry("mail", broker=url)] == read(write({"mail": {"broker": url}}))


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there, or no text, is told by its name."""
    assert "clusters: FILE: cannot be read: No such file or directory" == fault(str(tmp_path / "none.json"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\xfd")
    assert "clusters: FILE: must be text in UTF-8" == fault(str(tmp_path / "binary"))


def test_broker_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster keeps its broker, results and settings, whatever -b and the environment say of that of the command."""
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere:6379/9")
    monkeypatch.setenv("CELERY_RESULT_BACKEND", "redis://elsewhere:6379/8")
    entry = Entry("mail", broker="redis://mail.example:6379/0", settings={"timezone": "Europe/Riga"})
    capp = celery_app("FILE", entry)
    assert ["mail.example"] * 2 == [capp.connection_for_read().hostname, capp.connection_for_write().hostname]
    assert ("disabled", "Europe/Riga") == (capp.backend_cls, str(capp.timezone))
    kept = celery_app("FILE", Entry("mail", broker=REDIS, result_backend="redis://mail.example:6379/1"))
    assert "redis://mail.example:6379/1" == kept.backend.as_uri()


def test_app_is_its_own(module: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """So does an app; one that leaves its broker to the environment gets it from there. Nobody's app is changed."""
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://elsewhere:6379/9")
    module("clusters_shop", 'from celery import Celery\napp = Celery("shop", broker="redis://shop.example:6379/0")\n')
    module("clusters_bare", 'from celery import Celery\napp = Celery("bare")\n')
    before = celery.current_app._get_current_object()
    shop, bare = (celery_app("FILE", Entry("x", app=name)) for name in ("clusters_shop:app", "clusters_bare"))
    assert ["shop.example", "elsewhere"] == [each.connection_for_read().hostname for each in (shop, bare)]
    assert before is celery.current_app._get_current_object()


@pytest.mark.parametrize(
    "code, said",
    [
        (None, "ModuleNotFoundError: No module named 'clusters_bad'"),
        (f"raise RuntimeError('no {REDIS} here')", "RuntimeError: no redis://:********@mail.example:6379/0 here"),
        ("", "AttributeError: module 'clusters_bad' has no attribute 'celery'"),
    ],
)
def test_app_fails(module: Callable[[str, str], None], code: str | None, said: str) -> None:
    """An app that cannot be imported is told with the reason, and without a password."""
    if code is not None:
        module("clusters_bad", code)
    with pytest.raises(OptionError) as told:
        celery_app("FILE", Entry("shop", app="clusters_bad"))
    assert f"clusters: FILE: cluster 'shop': app: clusters_bad cannot be imported: {said}" == str(told.value)


@pytest.mark.parametrize("main, name", [("shop", "shop"), (None, "default"), ("my shop", "default")])
def test_name_of(main: str | None, name: str) -> None:
    """The cluster of the command line is called as its app, where that is fit for an address."""
    assert name == name_of(celery.Celery(main, set_as_current=False))


def options_of(**given: Any) -> SimpleNamespace:
    return with_defaults(**given)


def test_plans(write: Write, tmp_path: Path) -> None:
    """The cluster of the command line comes first and keeps its database; each other one has a file beside it."""
    path = write({"mail": {"broker": REDIS, "queues": ["letters"]}, "lab": {"broker": "memory://", "db": "lab.db"}})
    capp = celery.Celery("shop", broker="memory://", set_as_current=False)
    db = str(tmp_path / "flower.db")
    found = plans(options_of(clusters=path, db=db, queues="orders"), capp)
    assert [("shop", ["orders"]), ("mail", ("letters",)), ("lab", ())] == [(each.name, each.queues) for each in found]
    assert [db, str(tmp_path / "flower.mail.db"), "lab.db"] == [each.db for each in found]
    assert ["mail", "lab"] == [each.name for each in plans(options_of(clusters=path, db=db))]
    assert [("", db)] == [(each.name, each.db) for each in plans(options_of(db=db), capp)]


def test_namesake(write: Write) -> None:
    """A cluster may not have the name of that of the command line."""
    path = write({"Shop": {"broker": REDIS}})
    with pytest.raises(OptionError, match="cluster 'shop': is the name of the app on the command line, too"):
        plans(options_of(clusters=path), celery.Celery("shop", set_as_current=False))


def test_postgresql() -> None:
    """A database keeps the tasks of one cluster, so each other one names its own."""
    with pytest.raises(OptionError, match="cluster 'mail': db: is missing, as db is a PostgreSQL database") as told:
        own_database("FILE", "postgresql://flower:verysecret@db/flower", Entry("mail"))
    assert "verysecret" not in str(told.value)
    url = "postgresql://flower@db/mail"
    assert url == own_database("FILE", "postgresql://flower@db/flower", Entry("mail", db=url))


def test_shared_database(write: Write, tmp_path: Path) -> None:
    """Two clusters may not keep their tasks in one place; without persistent nothing is kept there."""
    both = {name: {"broker": "memory://", "db": str(tmp_path / "one")} for name in ("shop", "mail")}
    path = write(both)
    with pytest.raises(OptionError, match="cluster 'mail': db: is that of cluster 'shop', too"):
        plans(options_of(clusters=path, persistent=True))
    assert 2 == len(plans(options_of(clusters=path)))


def test_fields_are_told() -> None:
    """docs/clusters.md has a row for each field."""
    page = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")
    assert [] == [name for name in clusters.FIELDS if f"| `{name}` |" not in page]


def test_example() -> None:
    """The example can be read, and each of its clusters but the app is one that Celery can make."""
    entries = read(str(EXAMPLES / "clusters" / "clusters.json"))
    assert ["shop", "mail", "billing", "reports"] == [entry.name for entry in entries]
    made = [celery_app("FILE", entry) for entry in entries if entry.app is None]
    assert ["redis", "amqps", "sentinel"] == [capp.connection_for_read().transport_cls for capp in made]
    assert "reports" == made[2].conf.broker_transport_options["master_name"]
