"""A steady stream of work for the shop: some seven tasks a second, and workflows every few seconds."""

from __future__ import annotations

import itertools
import random
import time
from datetime import datetime, timedelta, timezone

import shop
from celery import chain, chord, group

CUSTOMERS = [
    "ann@example.com",
    "björn@example.com",
    "Ольга <olga@example.com>",
    "山田 <yamada@example.jp>",
    "O'Brien & sons",
]
SUBJECTS = [
    "Thank you for your order",
    "Ihre Rechnung",
    "Ваш заказ отправлен",
    "ご注文ありがとうございます",
    "50 % off <today>",
]
WAREHOUSES = ["Hamburg", "Łódź", "Kraków", "東京"]


def buy(order: int) -> None:
    """One order: a chain of four tasks."""
    customer = random.choice(CUSTOMERS)
    chain(
        shop.place.si(order, customer, items=random.randint(1, 9), country=random.choice(["DE", "PL", "JP"])),
        shop.charge.si(order, random.randint(500, 50_000)),
        shop.invoice.s(order),
        shop.send.si(customer, random.choice(SUBJECTS)),
    ).delay()


def show(order: int) -> None:
    """A group, and a chord whose body waits for all of its pictures."""
    group(shop.resize.s(f"banner-{order}.png", width) for width in (320, 640, 1280)).delay()
    chord((shop.resize.s(f"photo-{order}-{n}.jpg", 640) for n in range(4)), shop.gallery.s()).delay()


def tidy(order: int) -> None:
    """Tasks with a countdown, an ETA, an end; and one that is revoked."""
    later = [shop.remind.apply_async((customer,), countdown=random.uniform(5, 30)) for customer in CUSTOMERS]
    random.choice(later).revoke()
    soon = datetime.now(timezone.utc) + timedelta(seconds=10)
    shop.expire.apply_async((order,), eta=soon, expires=soon + timedelta(seconds=random.choice([0.001, 60])))


def report(order: int) -> None:
    """The slow, the large, and the one with a family."""
    shop.publish.delay(random.choice(["spring", "summer", "autumn", "winter"]))
    shop.build.delay(f"2026-{order % 12 + 1:02d}", random.randint(5, 15))
    shop.newsletter.delay([f"reader{n}@example.com" for n in range(200)], "What is new in our shop? " * 200)


def main() -> None:
    """Produce until killed."""
    for order in itertools.count(1000):
        shop.send.delay(random.choice(CUSTOMERS), random.choice(SUBJECTS))
        shop.sync.delay(random.choice(WAREHOUSES))
        shop.index.delay(random.randint(1, 1000))
        if order % 3 == 0:
            buy(order)
        if order % 15 == 0:
            show(order)
        if order % 40 == 5:
            tidy(order)
        if order % 25 == 1:
            report(order)
        time.sleep(random.uniform(0.4, 1))


main()
