"""The options of tasks that are sent, from JSON."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from celery import Celery

from flower.control import BadArgument
from flower.control.options import OPTIONS, read_options

UTC = timezone.utc


def read(**options: Any) -> dict[str, Any]:
    return read_options(Celery("tests", set_as_current=False), options)


@pytest.mark.parametrize(
    "text, moment",
    [
        ("2026-11-21T10:30:00", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
        ("2026-11-21T10:30:00Z", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
        ("2026-11-21T10:30:00+02:00", datetime(2026, 11, 21, 8, 30, tzinfo=UTC)),
        ("2026-11-21 10:30:00.000000", datetime(2026, 11, 21, 10, 30, tzinfo=UTC)),
        ("2026-11-21 10:30:00.5", datetime(2026, 11, 21, 10, 30, 0, 500_000, tzinfo=UTC)),
        (" 2026-11-21 ", datetime(2026, 11, 21, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("name", ["eta", "expires"])
def test_moments(name: str, text: str, moment: datetime) -> None:
    """Times are read as ISO 8601 and as Flower 2.x wrote them."""
    assert moment == read(**{name: text})[name]


def test_moment_without_zone() -> None:
    """A time without a zone is in that of the application."""
    app = Celery("tests", set_as_current=False)
    app.conf.timezone = "Asia/Tokyo"
    assert timedelta(hours=9) == read_options(app, {"eta": "2026-11-21T10:30:00"})["eta"].utcoffset()


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"countdown": 5}, {"countdown": 5}),
        ({"countdown": "5.5"}, {"countdown": 5.5}),
        ({"countdown": None, "eta": None, "expires": None}, {}),
        ({"expires": 60}, {"expires": 60}),
        ({"expires": "60"}, {"expires": 60.0}),
        ({"queue": "a&b<c>"}, {"queue": "a&b<c>"}),
        (
            {"priority": 0, "retry": False, "headers": {"who": [1]}},
            {"priority": 0, "retry": False, "headers": {"who": [1]}},
        ),
        ({"serializer": "pickle", "compression": "gzip"}, {"serializer": "pickle", "compression": "gzip"}),
    ],
)
def test_values(options: dict[str, Any], expected: dict[str, Any]) -> None:
    """Values are taken as they are; null is as if nothing was said."""
    assert expected == read(**options)


def test_signatures() -> None:
    """Callbacks are signatures, of which only the task is needed."""
    link = read(link={"task": "tasks.add", "args": [1]})["link"]
    assert [("tasks.add", [1], {}, {})] == [(s["task"], s["args"], s["kwargs"], s["options"]) for s in link]


WRONG: list[tuple[str, Any]] = [
    ("bogus", 1),
    ("producer", "x"),
    ("countdown", "soon"),
    ("countdown", True),
    ("countdown", [1]),
    ("countdown", 1e300),
    ("countdown", "nan"),
    ("eta", 123),
    ("eta", "tomorrow"),
    ("eta", ""),
    ("eta", "0001-01-01T00:00:00"),
    ("eta", "9999-12-31T23:59:59"),
    ("expires", {}),
    ("expires", "x"),
    ("expires", True),
    ("queue", ""),
    ("queue", 5),
    ("queue", "ü" * 200),
    ("queue", "\ud800"),
    ("priority", -1),
    ("priority", 256),
    ("priority", "1"),
    ("priority", True),
    ("task_id", ""),
    ("task_id", {}),
    ("serializer", "nope"),
    ("serializer", None.__class__.__name__),
    ("compression", "nope"),
    ("headers", []),
    ("headers", {"id": "x"}),
    ("retry", 1),
    ("retry_policy", {"max_retries": 1e9}),
    ("retry_policy", {"errback": 1}),
    ("retry_policy", 3),
    ("time_limit", 0),
    ("soft_time_limit", -1),
    ("link", "tasks.add"),
    ("link", [{"args": []}]),
    ("delivery_mode", 3),
]


@pytest.mark.parametrize("name, value", WRONG, ids=str)
def test_wrong_values(name: str, value: Any) -> None:
    """What is wrong or unknown is refused by its name."""
    with pytest.raises(BadArgument) as error:
        read(**{name: value})
    assert (name, True) == (error.value.argument, name in str(error.value))


def test_near_name() -> None:
    """A slip of the pen is guessed."""
    with pytest.raises(BadArgument, match="did you mean 'countdown'"):
        read(coutdown=3)


def test_all_options_are_celerys() -> None:
    """Every option does something in `send_task` or in the publishing of messages."""
    publishing = {"queue", "priority", "routing_key", "exchange", "headers", "serializer", "compression", "retry"}
    publishing |= {"retry_policy", "delivery_mode", "ignore_result", "correlation_id"}
    code = Celery.send_task.__code__
    names = set(code.co_varnames[: code.co_argcount])
    assert set() == OPTIONS.keys() - names - publishing
