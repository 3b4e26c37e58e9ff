"""A small web shop's Celery app: a task for everything that happens to tasks.

`run.py` starts it. It talks through kombu's filesystem transport, so no broker has to be installed; the folder is named
by DEMO_FOLDER.
"""

from __future__ import annotations

import os
import random
import time
from typing import Any

from celery import Celery, chain, chord
from celery.exceptions import Ignore, Reject

FOLDER = os.environ["DEMO_FOLDER"]

app = Celery("shop", broker="filesystem://", backend=f"file://{FOLDER}/results")
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Two folders and a courier between them (see run.py): kombu makes a message's file before it writes into it.
        "data_folder_in": f"{FOLDER}/inbox",
        "data_folder_out": f"{FOLDER}/outbox",
        "control_folder": f"{FOLDER}/exchanges",
        "polling_interval": 0.1,
    },
    result_extended=True,
    task_default_queue="orders",
    task_routes={"shop.mail.*": {"queue": "mail"}, "shop.cart.*": {"queue": "mail"}},
    task_send_sent_event=True,
    task_track_started=True,
    worker_prefetch_multiplier=2,
)


class PaymentRefused(Exception):
    """The bank said no."""


class BankAway(Exception):
    """The bank did not answer."""


@app.task(name="shop.orders.place")
def place(order: int, customer: str, *, items: int = 1, country: str = "DE") -> dict[str, Any]:
    """Fast, with arguments of every sort."""
    time.sleep(random.uniform(0.01, 0.1))
    return {"order": order, "customer": customer, "items": items, "country": country}


@app.task(name="shop.payments.charge", bind=True, max_retries=3)
def charge(self: Any, order: int, cents: int) -> int:
    """Retry while the bank is away, fail when it refuses, give up after four attempts."""
    time.sleep(random.uniform(0.05, 0.4))
    dice = random.random()
    if dice < 0.25:
        raise self.retry(exc=BankAway(f"no answer for order {order}"), countdown=random.uniform(0.5, 3))
    if dice < 0.3:
        raise PaymentRefused(f"card of order {order} refused: {cents / 100:.2f} €")
    return cents


@app.task(name="shop.orders.invoice")
def invoice(cents: int, order: int) -> str:
    """Take the result of the task before it in a chain."""
    time.sleep(random.uniform(0.1, 0.5))
    return f"invoice-{order}.pdf ({cents} cents)"


@app.task(name="shop.mail.send")
def send(to: str, subject: str) -> None:
    """Quick, returns nothing, names and subjects in many scripts."""
    time.sleep(random.uniform(0.005, 0.05))


@app.task(name="shop.mail.newsletter")
def newsletter(recipients: list[str], text: str) -> int:
    """Long arguments, which Celery cuts in its events."""
    time.sleep(random.uniform(0.2, 0.8))
    return len(recipients)


@app.task(name="shop.images.resize")
def resize(image: str, width: int) -> str:
    """Member of groups and chords; now and then a file is broken."""
    time.sleep(random.uniform(0.1, 0.9))
    if random.random() < 0.03:
        raise ValueError(f"{image}: not an image")
    return f"{image}@{width}"


@app.task(name="shop.images.gallery")
def gallery(images: list[str]) -> str:
    """Body of a chord."""
    return ", ".join(images)


@app.task(name="shop.catalog.publish")
def publish(season: str) -> str:
    """Start a family of some thirty tasks: chords, a chain, and a task with children of its own."""
    for kind in ("shoes", "coats", "lamps"):
        chord((resize.s(f"{kind}-{season}-{n}.jpg", 640) for n in range(4)), gallery.s()).delay()
    chain(recount.si("Hamburg", 7), build.si(season, 4), send.si("ann@example.com", f"Online: {season}")).delay()
    sync.delay("Hamburg")
    return season


@app.task(name="shop.reports.build", bind=True)
def build(self: Any, month: str, steps: int = 10) -> str:
    """Slow; tells how far it is in custom `task-progress` events."""
    for step in range(steps):
        time.sleep(random.uniform(0.2, 0.8))
        self.send_event("task-progress", current=step + 1, total=steps)
    return f"report of {month}"


@app.task(name="shop.stock.sync", bind=True)
def sync(self: Any, warehouse: str) -> int:
    """Fail in many ways, and start tasks of its own when it does not."""
    time.sleep(random.uniform(0.05, 0.3))
    dice = random.random()
    if dice < 0.05:
        return int({"Hamburg": 1}[warehouse])
    if dice < 0.1:
        raise ConnectionResetError(104, "Connection reset by peer")
    if dice < 0.15:
        raise RuntimeError(f"Lager „{warehouse}“ antwortet nicht – 倉庫は応答しません")
    if dice < 0.17:
        raise Reject("not for me", requeue=False)
    if dice < 0.19:
        raise Ignore
    count = random.randint(1, 3)
    for number in range(count):
        recount.delay(warehouse, number)
    return count


@app.task(name="shop.stock.recount")
def recount(warehouse: str, shelf: int) -> int:
    """Child of another task."""
    time.sleep(random.uniform(0.01, 0.2))
    return random.randint(0, 500)


@app.task(name="shop.search.index", soft_time_limit=1)
def index(documents: int) -> int:
    """Sometimes longer than its time limit (which only the prefork pool knows)."""
    time.sleep(random.choice([0.1, 0.2, 0.3, 0.4, 3]))
    return documents


@app.task(name="shop.cart.remind")
def remind(customer: str) -> str:
    """Scheduled with a countdown, and often revoked before its time."""
    return f"reminded {customer}"


@app.task(name="shop.orders.expire")
def expire(order: int) -> int:
    """Scheduled for a moment, with a latest one."""
    return order
