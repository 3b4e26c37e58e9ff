"""A made-up cluster: what its workers did and what they tell when asked."""

from __future__ import annotations

from typing import Any

from tests.factories import Event, failed, heartbeat, received, retried, sent, started, succeeded

HOSTILE = "<script>alert(1)</script> my/task #%&?+ü"
HOSTILE_WORKER = "w2@<b>host</b>/ #%&?+ü"
FAILED = "f0000000-0000-4000-8000-000000000001"
RETRIED = "f0000000-0000-4000-8000-000000000002"
RUNNING = "f0000000-0000-4000-8000-000000000003"
HOSTILE_TASK = "f0000000-0000-4000-8000-000000000004"


def history(now: float) -> list[Event]:
    """Forty tasks that ended, one that runs, one that failed, one that was retried, one with hostile texts."""
    events = [heartbeat("celery@w1"), heartbeat(HOSTILE_WORKER)]
    for number in range(40):
        uuid, at = f"00000000-0000-4000-8000-{number:012}", number * 10.0
        events += [sent(uuid, at), received(uuid, at + 1), started(uuid, at + 2), succeeded(uuid, at + 3)]
    events += [
        sent(FAILED, 500, "shop.pay"),
        received(FAILED, 501, "shop.pay"),
        started(FAILED, 502),
        failed(FAILED, 503),
    ]
    again = {"name": "mail.send", "retries": 1}
    events += [received(RETRIED, 510, "mail.send"), started(RETRIED, 511), retried(RETRIED, 512)]
    events += [received(RETRIED, 513, **again), started(RETRIED, 514), succeeded(RETRIED, 515)]
    texts = {"args": "('<img src=x onerror=alert(1)>',)", "kwargs": "{'a': '</pre><script>alert(2)</script>'}"}
    events += [
        received(HOSTILE_TASK, 520, HOSTILE, HOSTILE_WORKER, **texts),
        started(HOSTILE_TASK, 521, HOSTILE_WORKER),
    ]
    events += [failed(HOSTILE_TASK, 522, HOSTILE_WORKER, "ValueError('<script>alert(3)</script>')")]
    events += [received(RUNNING, 530, "video.transcode"), started(RUNNING, 531)]
    # The last event happened just now.
    shift = now - 535 - events[0]["timestamp"]
    return [event | {"timestamp": event["timestamp"] + shift} for event in events]


def facts(now: float) -> dict[str, Any]:
    """An inspected worker, as `Inspector.workers` keeps it."""
    request = {"id": RUNNING, "name": "video.transcode", "args": "(1,)", "kwargs": "{}", "time_start": now - 5}
    held = [{"id": f"a{number:07}", "name": "tasks.add", "args": [number], "kwargs": {}} for number in range(60)]
    return {
        "timestamp": now,
        "stats": {
            "pid": 4711,
            "prefetch_count": 16,
            "total": {"tasks.add": 40, HOSTILE: 1},
            "rusage": {"utime": 0.5, "maxrss": 58212},
            "uptime": 3600,
            "broker": {"transport": "redis", "hostname": "localhost"},
            "pool": {
                "implementation": "celery.concurrency.prefork:TaskPool",
                "max-concurrency": 4,
                "timeouts": [0, 300],
            },
        },
        "active_queues": [
            {"name": "celery", "exchange": {"name": "celery", "type": "direct"}, "routing_key": "celery"}
        ],
        "registered": ["tasks.add", "tasks.sleep [rate_limit=10/m]"],
        "conf": {"result_backend": "redis://:hidden-word@localhost/1", "timezone": "UTC", "nothing": None},
        "active": [request],
        "reserved": held,
        "scheduled": [{"eta": "2026-11-21T07:23:37+00:00", "priority": 6, "request": held[0]}],
        "revoked": ["8d89a616"],
    }
