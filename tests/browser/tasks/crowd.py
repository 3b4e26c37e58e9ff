"""A cluster with many tasks of all sorts, for the list of tasks."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from celery import Celery
from playwright.sync_api import Locator, Page

from tests import factories as make
from tests.api.conftest import Shop
from tests.browser.cluster import HOSTILE, HOSTILE_WORKER
from tests.factories import Event

DONE, FAILED, HELD, RUNNING, WAITING = 130, 12, 4, 3, 2
TOTAL = DONE + FAILED + HELD + RUNNING + WAITING + 1
LONG = "a-name." + "without.any.end." * 12 + "task"


def now(*events: Event, ago: float = 0.0) -> list[Event]:
    """The events, one millisecond after the other up to `ago` seconds before now."""
    return [event | {"timestamp": time.time() - ago - 0.001 * back} for back, event in enumerate(events[::-1])][::-1]


def life(uuid: str, ago: float, name: str = "tasks.add", **fields: Any) -> list[Event]:
    """A task that succeeded `ago` seconds before now."""
    return now(*make.success(uuid, name=name, **fields), ago=ago)


def crowd() -> list[Event]:
    """Two workers and their last two hours."""
    events = now(make.heartbeat("celery@w1", kind="worker-online"), make.heartbeat(HOSTILE_WORKER))
    for number in range(DONE):
        uuid = f"d0000000-0000-4000-8000-{number:012}"
        described: dict[str, Any] = {"args": f"({number}, 2)", "kwargs": f"{{'tenant': {number % 10}}}"}
        name = ("tasks.add", "shop.add", "mail.render")[number % 3]
        lived = [make.received(uuid, name=name, **described), make.started(uuid)]
        events += now(*lived, make.succeeded(uuid, runtime=(number * 37 % DONE) / 10 + 0.05), ago=60.0 + 50 * number)
    for number in range(FAILED):
        uuid, worker = f"f0000000-0000-4000-8000-{number:012}", "celery@w2"
        described = {"name": "shop.pay", "kwargs": "{'tenant': 42}", "queue": "money", "host": worker}
        lived = [make.sent(uuid, **{**described, "host": "gen@client"}), make.received(uuid, **described)]
        events += now(*lived, make.started(uuid, host=worker), make.failed(uuid, host=worker), ago=30.0 + 600 * number)
    for number in range(HELD):
        events += now(make.received(f"c0000000-0000-4000-8000-{number:012}", name="mail.send"), ago=25.0 + number)
    for number in range(RUNNING):
        uuid = f"b0000000-0000-4000-8000-{number:012}"
        events += now(make.received(uuid, name=LONG, args="('" + "x" * 900 + "',)"), make.started(uuid), ago=20.0)
    for number in range(WAITING):
        events += now(make.sent(f"a0000000-0000-4000-8000-{number:012}", name="mail.send", queue="mail"), ago=10.0)
    hostile = [make.received("e-hostile", name=HOSTILE, host=HOSTILE_WORKER, kwargs="{'a': '</pre><script>'}")]
    return [*events, *now(*hostile, make.failed("e-hostile", host=HOSTILE_WORKER, exception="<b>'no'</b>"), ago=15.0)]


def alive(server: Shop) -> None:
    """The workers' hearts beat now."""
    server.feed(now(make.heartbeat("celery@w1"), make.heartbeat(HOSTILE_WORKER)))


def crowded(**options: Any) -> Shop:
    """A server with the crowd, where everything may be done; its workers say that all is well."""
    capp = Celery("crowd", broker="memory://", set_as_current=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWER_UNAUTHENTICATED_API", "true")
        server = Shop(capp=capp, **options)
    server.answer({"celery@w1": {"ok": "done"}, HOSTILE_WORKER: {"ok": "done"}})
    server.feed(crowd())
    server.app.events.connected_since, server.app.events.failure = time.time(), None
    # No worker is there to be asked.
    server.app.inspector.inspect = lambda *_, **__: []  # type: ignore[method-assign]
    return server


# What a page of tasks shows


def rows(page: Page) -> Locator:
    return page.locator("#list tbody tr")


def shown(page: Page) -> list[str]:
    """The uuids of the rows, from above."""
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('#list tr[data-uuid]')].map(row => row.dataset.uuid)"
    )
    return found


def heads(page: Page) -> list[str]:
    return [head.rstrip("↑↓") for head in page.locator("#list thead th[scope=col]").all_inner_texts()]


def asked(page: Page) -> dict[str, str]:
    """The arguments of the address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def settled(page: Page, **arguments: str) -> None:
    """Wait until the address has these arguments and the page is that of the address."""
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([name, value]) => "
        "new URL(location).searchParams.get(name) === value) && !document.querySelector('.htmx-request')",
        arg=arguments,
    )
