"""The routes that only tell: one table."""

from __future__ import annotations

from flower.audit import OUTCOMES
from flower.openapi.route import BOOL, TEXT, TIME, Parameter, Route, Schema, whole
from flower.openapi.samples import AUDIT, CLUSTERS, DEPTHS, EVENTS, INFO, STATS, TASKS, WORKERS
from flower.store import COLUMNS, TASK_STATES

SORTABLE = sorted(column.name for column in COLUMNS if column.kind != "json")
DURATION: Schema = {"type": "string", "title": "duration", "pattern": "^[0-9]{1,9}[smhdw]?$"}
STATES = ", ".join(f"`{state}`" for state in TASK_STATES)
DIGITS = 10**18 - 1
HTML = "text/html"
PLAIN = "text/plain"
READY = "503 and the reasons while events cannot be received or stored; of several clusters, while none can be watched"

UUID = Parameter("uuid", "Id of the task", {**TEXT, "minLength": 1}, where="path", example=INFO["uuid"])

TASK_PARAMETERS = (
    Parameter("limit", "How many", whole(0, 10_000), 100, example=10),
    Parameter("offset", "How many to leave out before", whole(0, DIGITS), 0),
    Parameter(
        "sort_by",
        "Any column of a task that is no list or object; `-` before it turns the order round. "
        "Tasks without the value come last",
        {**TEXT, "pattern": f"^-?({'|'.join(SORTABLE)})$"},
        "-received",
        example="-runtime",
    ),
    Parameter("workername", "Name of the worker"),
    Parameter("taskname", "Name of the task"),
    Parameter("state", f"{STATES}, or one of your own", example="FAILURE"),
    Parameter("received_start", "When it was received, from; tasks never received are outside", TIME),
    Parameter("received_end", "When it was received, to", TIME),
    Parameter("started_start", "When it was started, from; tasks never started are outside", TIME),
    Parameter("started_end", "When it was started, to", TIME),
    Parameter("search", "Words of the search language, see docs/search.md"),
)

STATS_PARAMETERS = (
    Parameter("window", "The span that ends now: `5m`, `1h`, `24h`, `7d`, or seconds", DURATION, "1h", example="24h"),
    Parameter("from", "The start of the span, instead of a window", TIME),
    Parameter("to", "The end of the span; now unless it is given. Both are widened to whole minutes", TIME),
    Parameter("by", "What to group by", {"enum": ["name", "worker", "state"]}, "name"),
    Parameter("name", "Only tasks of this name"),
    Parameter("worker", "Only this worker"),
    Parameter("step", "Adds a point for each step of whole minutes; at most 1500 points", DURATION, example="1h"),
)

DEPTH_PARAMETERS = (
    Parameter("queue", "Only this queue", example="celery"),
    Parameter("window", "The span that ends now: `5m`, `1h`, `24h`, `30d`, or seconds", DURATION, "1h"),
    Parameter(
        "step",
        "The length of a step, a multiple of 10 seconds; at most 1500 of them for one queue, 360 for all. Unless it is "
        "given, one that makes at most 360",
        DURATION,
        example="1m",
    ),
)

EVENT_PARAMETERS = (
    Parameter(
        "type",
        "Types with commas between them, or beginnings: `task-failed,task-retried`, `worker-*`",
        example="task-failed",
    ),
    Parameter("task", "The events of the task with this id, or of tasks with this name"),
    Parameter("worker", "Events that this worker sent"),
    Parameter("search", "Events of tasks that the search finds, as they are when the event is told"),
    Parameter("last_id", "Go on after the event with this id", {**TEXT, "pattern": "^[0-9a-f]{1,16}-[0-9]{1,18}$"}),
    Parameter("Last-Event-ID", "What browsers send when they come back; goes before `last_id`", where="header"),
)

AUDIT_PARAMETERS = (
    Parameter("who", "`user:ann`, `key:ci`, `anybody` (no login is set up) or `nobody` (wrong or no login)"),
    Parameter("operation", "Such as `worker.shutdown`", example="worker.pool.grow"),
    Parameter("target", "The worker, task or queue"),
    Parameter(
        "outcome",
        "`done`, `failed` (let in, and not done) or `refused` (not let in)",
        {"enum": list(OUTCOMES)},
    ),
    Parameter("since", "When, from", TIME),
    Parameter("until", "When, to", TIME),
    Parameter("limit", "How many", whole(0, 1_000), 100),
    Parameter("offset", "How many to leave out before", whole(0, 1_000_000), 0),
)

ROUTES: tuple[Route, ...] = (
    Route(
        "/api/workers",
        "Workers",
        "Every worker that was seen in events or that answered when it was asked, by name",
        "Workers",
        (
            Parameter("refresh", "Ask the workers now, and wait for them (`--inspect_timeout`)", BOOL, False),
            Parameter("status", 'Only who is alive: `{"celery@w1": true}`', BOOL, False),
            Parameter("workername", "Only this worker", example="celery@w1"),
        ),
        (400, 404, 503),
        example=WORKERS,
    ),
    Route(
        "/api/tasks", "Tasks", "Tasks, the last received first", "TaskPage", TASK_PARAMETERS, (400, 503), example=TASKS
    ),
    Route(
        "/api/task/info/{uuid}",
        "Tasks",
        "One task with everything that is known, also while it runs",
        "TaskInfo",
        (UUID,),
        (404, 503),
        example=INFO,
    ),
    Route(
        "/api/task/types",
        "Tasks",
        "The names of all tasks that were seen",
        "TaskTypes",
        errors=(503,),
        example={"task-types": ["tasks.add", "tasks.mul"]},
    ),
    Route(
        "/api/queues/length",
        "Queues",
        "Every queue that is consumed, declared, seen on a task or found in the broker, with the number of its "
        "waiting messages",
        "QueueLengths",
        errors=(503,),
        example={"celery": 12, "video": 0},
    ),
    Route(
        "/api/queues/history",
        "Queues",
        "How deep queues were: of each step the most messages and the fewest consumers",
        "QueueHistory",
        DEPTH_PARAMETERS,
        (400, 503),
        example=DEPTHS,
    ),
    Route(
        "/api/stats",
        "Statistics",
        "What happened in a span of time, by task name, worker or state: counts, rates and percentiles",
        "Stats",
        STATS_PARAMETERS,
        (400, 503),
        example=STATS,
    ),
    Route(
        "/api/events",
        "Live events",
        "Every event of tasks and workers as it comes, until the client goes or the server stops",
        TEXT,
        EVENT_PARAMETERS,
        (400, 503),
        media=("text/event-stream",),
        example=EVENTS,
    ),
    Route(
        "/api/audit",
        "Audit",
        "Every command and every command that was refused, newest first",
        "AuditPage",
        AUDIT_PARAMETERS,
        (400, 403, 503),
        permission="audit",
        example=AUDIT,
    ),
    Route(
        "/api/clusters",
        "Clusters",
        "Every cluster of a server with `--clusters`: where it is and how it stands; 404 of a server with one",
        "Clusters",
        errors=(404,),
        example=CLUSTERS,
    ),
    Route("/api/openapi.json", "Description", "This API as an OpenAPI 3.1 document", {"type": "object"}),
    Route("/api/docs", "Description", "This API as a page to read", TEXT, media=(HTML,)),
    Route(
        "/healthcheck",
        "Machines that watch",
        "`OK` while the server lives, whatever the broker does",
        TEXT,
        (Parameter("ready", READY, BOOL, False, example=1),),
        (400, 503),
        permission="public",
        media=(PLAIN,),
        example="OK",
    ),
    Route(
        "/metrics",
        "Machines that watch",
        "Metrics for Prometheus, in its text format or in that of OpenMetrics, whichever is asked for",
        TEXT,
        permission="metrics",
        media=(PLAIN, "application/openmetrics-text"),
    ),
)
