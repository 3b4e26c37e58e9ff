"""Answers as examples show them."""

from __future__ import annotations

from typing import Any

TASK: dict[str, Any] = {
    "uuid": "fbbe3520-881f-4db4-a978-551dac435525",
    "name": "tasks.add",
    "state": "SUCCESS",
    "hostname": "celery@w1",
    "worker": "celery@w1",
    "timestamp": 1795242217.74,
    "sent": 1795242217.68,
    "received": 1795242217.69,
    "started": 1795242217.7,
    "succeeded": 1795242217.74,
    "failed": None,
    "retried": None,
    "revoked": None,
    "rejected": None,
    "runtime": 0.0107,
    "args": [2, 3],
    "kwargs": {},
    "result": 5,
    "retries": 0,
    "eta": None,
    "expires": None,
    "traceback": None,
    "exception": None,
    "queue": "celery",
    "exchange": "",
    "routing_key": "celery",
    "priority": None,
    "clock": 75,
    "client": "gen12288@vm",
    "root_id": "fbbe3520-881f-4db4-a978-551dac435525",
    "parent_id": None,
}
SOFTWARE = {"pid": 11977, "sw_ident": "py-celery", "sw_ver": "5.7.0", "sw_sys": "Linux"}
INFO: dict[str, Any] = {
    **TASK,
    "worker": {"hostname": "celery@w1", **SOFTWARE},
    "children": [],
    "attempts": [],
    "extra": {},
}
TASKS = {"tasks": [TASK], "total": 1000, "offset": 0, "limit": 100}
WORKERS = {
    "celery@w1": {
        "status": "online",
        "active": 2,
        "processed": 150,
        "load": [0.5, 0.4, 0.3],
        "heartbeats": [1795242259.5, 1795242261.5],
        **SOFTWARE,
        "stats": {"total": {"tasks.add": 150}, "pool": {"max-concurrency": 2}},
        "active_queues": [{"name": "celery"}],
        "registered": ["tasks.add", "tasks.mul"],
        "conf": {"task_time_limit": 300},
        "scheduled": [],
        "reserved": [],
        "revoked": [],
        "timestamp": 1795242260.0,
        "active_tasks": [{"id": "b7703116-8f27-4d4b-a3a7-1f3a8bd1a9a5", "name": "tasks.add"}],
        "lost_events": 0,
        "losses": [],
        "freshness": {"age_seconds": 1.5, "error": None},
    }
}
_RUNTIME = {"count": 120, "mean": 0.31, "p50": 0.25, "p95": 0.9, "p99": 1.4}
_FIGURES = {
    "states": {"RECEIVED": 120, "STARTED": 120, "SUCCESS": 114, "FAILURE": 6},
    "rates": {"RECEIVED": 0.0014, "STARTED": 0.0014, "SUCCESS": 0.0013, "FAILURE": 0.0001},
    "failure_share": 0.05,
    "runtime": _RUNTIME,
    "waiting": {**_RUNTIME, "mean": 0.04, "p50": 0.02, "p95": 0.1, "p99": 0.3},
}
STATS = {
    "from": 1795155780,
    "to": 1795242217.5,
    "since": 1795150000,
    "by": "name",
    "step": 3600,
    "total": _FIGURES,
    "groups": [{"name": "tasks.add", **_FIGURES}],
    "series": [{"at": 1795154400, **_FIGURES}],
    "interrupted": {"from": 1795200001.25, "to": 1795200031.5},
}
DEPTHS = {
    "from": 1795242120,
    "to": 1795242299.5,
    "step": 60,
    "at": [1795242120, 1795242180, 1795242240],
    "queues": [{"queue": "celery", "ready": [0, None, 12], "unacked": [4, None, 8], "consumers": [2, None, 2]}],
}
EVENTS = """retry: 2000

id: 1a2003a24d9-42
data: {"type": "task-failed", "uuid": "2b7a3a4e", "hostname": "celery@w1", "exception": "KeyError('x')"}

"""
AUDIT = {
    "audit": [
        {
            "at": 1795242260.123,
            "who": "key:ci",
            "address": "10.0.0.7",
            "operation": "worker.pool.grow",
            "target": "celery@w1",
            "arguments": {"n": "3"},
            "outcome": "done",
            "status": 200,
            "message": "",
            "seconds": 0.0123,
        }
    ],
    "total": 1,
    "offset": 0,
    "limit": 100,
}
CLUSTERS = {
    "clusters": [
        {
            "name": "shop",
            "path": "/c/shop",
            "state": "well",
            "since": None,
            "reason": None,
            "workers": 4,
            "online": 4,
            "running": 7,
        },
        {
            "name": "mail",
            "path": "/c/mail",
            "state": "unreachable",
            "since": 1795242217.5,
            "reason": "Error 111 connecting to mail-redis:6379. Connection refused.",
            "workers": 2,
            "online": 0,
            "running": 0,
        },
    ]
}
