"""Which clusters a server watches: that of the command line, and those of the file of `--clusters`.

The file is JSON: every Python reads it, settings of Celery may be nested in it, and what is there twice can be told.
A fault is an `OptionError` that names file, cluster and field; no value is told, as there may be a password in it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import celery
from celery.app.defaults import DEFAULTS
from celery.app.utils import find_app
from kombu.transport import TRANSPORT_ALIASES

from flower.options import OptionError, database_path
from flower.settings import nearest_word
from flower.utils import abs_path, rules
from flower.utils.masking import mask_text
from flower.utils.rules import Rule

NAME = rules.matching("1 to 64 letters, digits and -._~, beginning with a letter or digit", r"[A-Za-z0-9][\w.~-]{0,63}")
APP = r"[^\W\d]\w*(\.[^\W\d]\w*)*(:[^\W\d]\w*)?"


@dataclass(frozen=True, slots=True)
class Entry:
    """One cluster as the file describes it: either `app` or `broker` is given."""

    name: str
    app: str | None = None
    broker: str | None = None
    result_backend: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    queues: tuple[str, ...] = ()
    broker_api: str | None = None
    db: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be watched, and where its tasks are kept. `name` is empty where a server watches only one."""

    capp: celery.Celery
    db: str
    name: str = ""
    queues: Sequence[str] = ()
    broker_api: str | None = None


def plans(options: Any, capp: celery.Celery | None = None) -> list[Plan]:
    """What the options ask for: the cluster of the command line first, if there is one. Raises OptionError."""
    path, found = options.clusters, []
    entries = read(path) if path else []
    if capp is not None or not entries:
        capp = capp or celery.Celery()
        capp.loader.import_default_modules()
        name = name_of(capp) if entries else ""
        refuse_namesakes(path, name, entries)
        found.append(Plan(capp, options.db, name, options.queues or (), options.broker_api))
    for entry in entries:
        db = own_database(path, database_path(options.db), entry)
        found.append(Plan(celery_app(path, entry), db, entry.name, entry.queues, entry.broker_api))
    kept = {plan.name: database_path(plan.db) for plan in found if options.persistent or "://" in plan.db}
    refuse_shared(path, kept)
    return found


def _text(allowed: str, holds: Callable[[str], object]) -> Rule:
    """A rule for texts."""
    return Rule(allowed, lambda value: isinstance(value, str) and bool(holds(value)))


def is_broker(url: str) -> bool:
    """Whether a transport of kombu stands behind it, and its port is a number."""
    for each in url.split(";"):
        scheme, found, _ = each.partition("://")
        if found and scheme.partition("+")[0] not in TRANSPORT_ALIASES:
            return False
    try:
        return "://" in url and (";" in url or "," in url or urlsplit(url).port != 0)
    except ValueError:
        return False


def _are_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) and name for name in value)


FIELDS: dict[str, Rule] = {
    "app": _text("the place of a Celery app, such as shop.celery:app", lambda path: re.fullmatch(APP, path)),
    "broker": _text(
        "the URL of a broker that Celery knows, such as redis://:password@host:6379/0 or "
        "amqp://user:password@host:5672/vhost, in which a password has # / ? @ as %23 %2F %3F %40",
        is_broker,
    ),
    "result_backend": _text("the URL of a result backend, such as redis://:password@host:6379/1", str.strip),
    "settings": Rule(
        'an object with settings of Celery, such as {"broker_transport_options": {"global_keyprefix": "shop-"}}',
        lambda value: isinstance(value, dict),
    ),
    "queues": Rule('a list of names of queues, such as ["mail", "video"]', _are_names),
    "broker_api": _text(rules.HTTP_URL.allowed, rules.HTTP_URL.holds),
    "db": _text(rules.DATABASE.allowed, rules.DATABASE.holds),
}
"""What may be said of a cluster."""

WITH_BROKER = ("result_backend", "settings")
"""An app has these itself."""


class _Object(dict[str, Any]):
    """A JSON object that knows which of its names was there twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(name for name, _ in pairs)
        self.twice = next((name for name, number in counts.items() if number > 1), None)


def read(path: str) -> list[Entry]:
    """The clusters of the file, in its order. Raises OptionError."""
    try:
        found = json.loads(Path(abs_path(path)).read_text(encoding="utf-8-sig"), object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        raise _fault(path, f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except UnicodeDecodeError:
        raise _fault(path, "must be text in UTF-8") from None
    except OSError as error:
        raise _fault(path, f"cannot be read: {error.strerror}") from None
    if not isinstance(found, _Object) or not found:
        raise _fault(path, 'must be an object of clusters by name, such as {"shop": {"app": "shop.celery:app"}}')
    _refuse_doubles(path, found)
    return [_entry(path, name, fields) for name, fields in found.items()]


def _fault(path: str, problem: str, cluster: str = "", name: str = "") -> OptionError:
    """What is wrong with the file, a cluster of it, or one of its fields."""
    where = "".join(f"{part}: " for part in (f"cluster {cluster!r}" if cluster else "", name) if part)
    return OptionError(f"clusters: {path}: {where}{problem}")


def _refuse_doubles(path: str, found: _Object) -> None:
    # On some disks the files of Shop and shop would be one.
    lowered = Counter(name.lower() for name in found)
    twice = found.twice or next((name for name in found if lowered[name.lower()] > 1), None)
    if twice is not None:
        raise _fault(path, "is there twice; names differ in more than upper and lower case", twice)


def _entry(path: str, name: str, fields: Any) -> Entry:
    if not NAME.holds(name) or not name.isascii():
        raise _fault(path, f"the name, which is part of addresses, must be {NAME.allowed}", name)
    if not isinstance(fields, _Object):
        raise _fault(path, f"must be an object with some of {', '.join(FIELDS)}", name)
    if fields.twice is not None:
        raise _fault(path, "is there twice", name, fields.twice)
    for key, value in fields.items():
        if key not in FIELDS:
            known = nearest_word(key, FIELDS) or f"; there are {', '.join(FIELDS)}"
            raise _fault(path, f"there is no such field{known}", name, key)
        if not FIELDS[key].holds(value):
            raise _fault(path, f"must be {FIELDS[key].allowed}", name, key)
    _refuse_conflicts(path, name, fields)
    return Entry(name, **{**fields, "queues": tuple(fields.get("queues", ()))})


def _refuse_conflicts(path: str, name: str, fields: _Object) -> None:
    if "app" in fields and "broker" in fields:
        raise _fault(path, "has both app and broker; an app knows its broker, so give one of them", name)
    if "app" not in fields and "broker" not in fields:
        raise _fault(path, "needs app (the place of a Celery app) or broker (its URL)", name)
    for key in WITH_BROKER:
        if key in fields and "app" in fields:
            raise _fault(path, "goes with broker only; an app has its own", name, key)
    for key in fields.get("settings", ()):
        if key not in DEFAULTS:
            raise _fault(path, f"Celery has no setting {key!r}{nearest_word(key, DEFAULTS)}", name, "settings")


def name_of(capp: celery.Celery) -> str:
    """What the cluster of the command line is called in addresses: as its app, where that fits."""
    main = str(capp.main or "")
    return main if NAME.holds(main) and main.isascii() else "default"


def refuse_namesakes(path: str, first: str, entries: Sequence[Entry]) -> None:
    """Raise OptionError where the file has a cluster with the name of that of the command line."""
    if first.lower() in {entry.name.lower() for entry in entries}:
        raise _fault(
            path, "is the name of the app on the command line, too; rename it here, or start without -A and -b", first
        )


def celery_app(path: str, entry: Entry) -> celery.Celery:
    """The app of a cluster: the one at its place, or one made from its broker. Raises OptionError."""
    if entry.app is None:
        capp = celery.Celery(entry.name, broker=entry.broker, set_as_current=False)
        capp.conf.update(entry.settings)
        _pin(capp, str(entry.broker), entry.result_backend or "disabled")
        return capp
    current = celery.current_app._get_current_object()
    try:
        capp = find_app(entry.app)
        capp.loader.import_default_modules()
        conf = capp.conf
        _pin(capp, conf.first("broker_url", "broker_host"), conf.first("result_backend", "CELERY_RESULT_BACKEND"))
    except Exception as error:  # noqa: BLE001 whatever somebody's module does wrong is told
        reason = mask_text(" ".join(f"{type(error).__name__}: {error}".split()))
        raise _fault(path, f"{entry.app} cannot be imported: {reason}", entry.name, "app") from None
    finally:
        # The app that was imported last would be the one of whoever names none.
        current.set_current()
    return capp


def _pin(capp: celery.Celery, broker: Any, result_backend: Any) -> None:
    """Let an app keep what is its own: -b and CELERY_BROKER_URL mean the cluster of the command line."""
    for name in ("broker_read_url", "broker_write_url"):
        if broker and not capp.conf.get(name):
            capp.conf[name] = broker
    if result_backend and capp.backend_cls is None:
        capp.backend_cls = result_backend


def own_database(path: str, db: str, entry: Entry) -> str:
    """Where the tasks of a cluster are kept: beside those of `db`, its name before the suffix. Raises OptionError."""
    if entry.db is not None:
        return entry.db
    if "://" in db:
        raise _fault(
            path,
            "is missing, as db is a PostgreSQL database, which keeps the tasks of one cluster: "
            "give the URL of another database, or a file",
            entry.name,
            "db",
        )
    file = Path(db)
    return str(file.with_name(f"{file.stem}.{entry.name}{file.suffix or '.sqlite3'}"))


def refuse_shared(path: str, databases: Mapping[str, str]) -> None:
    """Raise OptionError where two clusters keep their tasks in one place; `databases` are those of each by name."""
    seen: dict[str, str] = {}
    for name, db in databases.items():
        if db in seen:
            raise _fault(path, f"is that of cluster {seen[db]!r}, too; each keeps its own tasks", name, "db")
        seen[db] = name
