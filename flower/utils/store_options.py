"""The rows of the table of options that say what is kept, where, and for how long."""

from __future__ import annotations

from flower.utils import rules
from flower.utils.rules import at_least
from flower.utils.values import Option

TASKS, UPKEEP = "Stored tasks", "Upkeep of the store, instead of a server"
MAX_TASKS = 100_000
MAX_TASKS_PERSISTENT = 1_000_000

STORE_OPTIONS: tuple[Option, ...] = (
    Option("persistent", TASKS, bool, False, "Keep the tasks in the file named by db; otherwise they end with Flower"),
    Option(
        "db",
        TASKS,
        str,
        "flower",
        "File used with persistent (.sqlite3 is added to a name without a suffix), or PostgreSQL database, "
        "which is always persistent and may be shared",
        "FILE or URL",
        rule=rules.DATABASE,
        secret=True,
    ),
    Option(
        "max_tasks",
        TASKS,
        int,
        None,
        "How many tasks are stored; the oldest go first",
        "N",
        rule=at_least(1),
        shown=f"{MAX_TASKS}, or {MAX_TASKS_PERSISTENT} with persistent",
    ),
    Option(
        "task_retention",
        TASKS,
        str,
        None,
        "Forget tasks of which nothing was heard for longer than this",
        "SPAN",
        rule=rules.SPAN,
    ),
    Option(
        "failed_task_retention",
        TASKS,
        str,
        None,
        "The same for tasks that failed, which one may want to keep for longer, or not so long",
        "SPAN",
        rule=rules.SPAN,
        shown="as task_retention",
    ),
    Option(
        "state_save_interval",
        TASKS,
        int,
        0,
        "Accepted and not needed: everything is stored within a second",
        "MS",
        rule=at_least(0),
    ),
    Option("check", UPKEEP, bool, False, "Tell what db has in it and what is wrong with it, and end"),
    Option(
        "export", UPKEEP, str, None, "Write all tasks of db to this file as lines of JSON, and end; - is stdout", "FILE"
    ),
    Option(
        "import",
        UPKEEP,
        str,
        None,
        "Merge into db the tasks of this file, exported or written by Flower 2.x with --persistent, and end",
        "FILE",
    ),
)
