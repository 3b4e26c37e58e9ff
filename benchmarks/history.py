"""A store file with a long history, written without any broker: what a week of work leaves behind."""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path
from typing import Any

from flower.store import NAMES as NAMES_OF_COLUMNS
from flower.store import open_store
from flower.store.postgres.database import Database
from flower.store.rollup_rows import RollupRows
from flower.store.sqlite import Writer
from flower.store.tally import Tally
from flower.worker import Worker

WEEK_SECONDS = 7 * 86_400
NAMES = [f"shop.module{number % 7}.task{number}" for number in range(60)]
WORKERS = [f"worker{number}@bench" for number in range(20)]
QUEUES = ("celery", "mail", "priority", "etl")
SHARES = (
    ("SUCCESS", 900),
    ("FAILURE", 50),
    ("RETRY", 10),
    ("REVOKED", 5),
    ("RECEIVED", 20),
    ("STARTED", 5),
    ("PENDING", 10),
)
"""State -> tasks of a thousand."""
STATES = [state for state, share in SHARES for _ in range(share)]
TYPES = {"SUCCESS": "task-succeeded", "FAILURE": "task-failed", "RETRY": "task-retried", "REVOKED": "task-revoked"}
TRACE = 'Traceback (most recent call last):\n  File "shop.py", line 7, in task\n' * 4
STEP_SECONDS = 60


def task(number: int, at: float, chance: random.Random) -> dict[str, Any]:
    """A task that was sent at that time, as the store keeps it."""
    state, id_ = chance.choice(STATES), str(uuid.UUID(int=chance.getrandbits(128)))
    found: dict[str, Any] = {
        "uuid": id_,
        "name": NAMES[min(int(chance.expovariate(0.08)), len(NAMES) - 1)],
        "state": state,
        "sent": at,
        "timestamp": at + 1,
        "queue": chance.choice(QUEUES),
        "args": f"({number}, 'customer{number % 5000}@example.com')",
        "kwargs": f"{{'tenant': {number % 977}, 'currency': 'EUR', 'note': 'lorem ipsum dolor sit amet'}}",
        "root_id": id_,
        "retries": 0,
        "client": "gen1@client",
    }
    if state != "PENDING":
        found |= {"received": at + 0.2, "worker": chance.choice(WORKERS)}
        if state != "RECEIVED":
            found["started"] = at + 0.3
    runtime = chance.expovariate(2)
    if state == "SUCCESS":
        found |= {"succeeded": at + 1, "runtime": runtime, "result": f"{{'ok': True, 'order': {number}}}"}
    elif state == "FAILURE":
        found |= {
            "failed": at + 1,
            "runtime": runtime,
            "exception": f"ValueError('order {number}')",
            "traceback": TRACE,
        }
    elif state in ("REVOKED", "RETRY"):
        found["revoked" if state == "REVOKED" else "retried"] = at + 1
    return found


def tally(tasks: list[dict[str, Any]]) -> Tally:
    """What their events told, for the statistics."""
    told = Tally()
    for each in tasks:
        worker, name = each.get("worker"), each["name"]
        told.events.append((name, "task-sent", "gen1@client"))
        if worker:
            told.events += [(name, "task-received", worker), (name, "task-started", worker)]
            if each["state"] in TYPES:
                told.events.append((name, TYPES[each["state"]], worker))
                if "runtime" in each:
                    told.runs.append((worker, name, each["runtime"]))
            if "started" in each:
                told.waits.append((worker, name, 0.3, each["queue"]))
    return told


def worker(name: str, at: float) -> dict[str, Any]:
    """What is stored of a worker that was heard then."""
    heard = Worker(name)
    heard.hear("online", {"pid": 101, "freq": 2.0, "sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}, at)
    return heard.facts()


def fill_database(url: str, number: int) -> None:
    """Bring so many tasks of the week before now into an empty PostgreSQL database."""
    chance = random.Random(1)
    end = time.time()
    open_store(url).close()
    database = Database(url)
    with database.connect() as connection:
        with connection.cursor().copy(f"COPY tasks ({', '.join(NAMES_OF_COLUMNS)}) FROM STDIN") as copy:
            for each in range(number):
                made = task(each, end - WEEK_SECONDS + each * WEEK_SECONDS / number, chance)
                copy.write_row([made.get(name) for name in NAMES_OF_COLUMNS])
        connection.execute("UPDATE counts SET number = %s WHERE name = 'tasks'", (number,))
        connection.execute("VACUUM ANALYZE tasks")


def fill(path: Path, number: int) -> None:
    """Write a file in which so many tasks ran in the week before now."""
    chance = random.Random(1)
    end = time.time()
    steps = WEEK_SECONDS // STEP_SECONDS
    store = open_store(str(path), persistent=True, max_tasks=2 * number)
    try:
        done = 0
        for step in range(1, steps + 1):
            wanted, minute = number * step // steps, end - WEEK_SECONDS + (step - 1) * STEP_SECONDS
            width = max(1, wanted - done)
            tasks = [task(n, minute + STEP_SECONDS * (n - done) / width, chance) for n in range(done, wanted)]
            done = wanted
            store.write(tasks)
            told = tally(tasks)
            store.rollups.count(told, told.counts(), minute)
            store.rollups.write(minute + 2 * STEP_SECONDS, at_once=True)
        store.save_workers({name: worker(name, end) for name in WORKERS}, [])
    finally:
        store.close()
    writer = Writer(path, durable=False)
    try:
        rows = RollupRows(writer)
        while rows.pack(end):
            pass
    finally:
        writer.close()
