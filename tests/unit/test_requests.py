"""What requests bring and answers take: arguments, headers, JSON, payload texts, threads."""

from __future__ import annotations

import gzip
import json
import math
import threading
import time
from datetime import datetime
from typing import Any

import pytest

from flower.utils.arguments import ArgumentError, convert, moment, one_of, within
from flower.utils.executor import DaemonExecutor
from flower.utils.headers import basic_credentials, foreign
from flower.utils.json import COMPRESS_FROM, compress, dumps
from flower.utils.readable import readable


@pytest.mark.parametrize(
    "text, kind, value",
    [
        ("YES", bool, True),
        ("t", bool, True),
        ("Off", bool, False),
        ("0", bool, False),
        ("-12", int, -12),
        ("+7", int, 7),
        ("1e3", float, 1000.0),
        ("a&b<c>", str, "a&b<c>"),
        ("x", None, "x"),
    ],
)
def test_arguments(text: str, kind: Any, value: Any) -> None:
    """A text becomes a value of the asked type, unaltered."""
    assert value == convert("n", text, kind)


@pytest.mark.parametrize(
    "text, kind",
    [
        ("perhaps", bool),
        ("", bool),
        ("1.5", int),
        ("1_000", int),
        ("", int),
        ("٣", int),
        ("1" * 19, int),
        ("nan", float),
        ("-inf", float),
        ("1e999", float),
        ("x", float),
    ],
)
def test_bad_arguments(text: str, kind: type) -> None:
    """A bad text is told with the argument's name and type."""
    with pytest.raises(ArgumentError, match=f"of type '{kind.__name__}': limit"):
        convert("limit", text, kind)


def test_times() -> None:
    """A time is the server's local time, ISO 8601, or seconds."""
    local = datetime(2026, 11, 21, 6, 25).astimezone().timestamp()
    assert [local, local, 1795242300.0, 1795242300.0, 12.5] == [
        moment("t", "2026-11-21 06:25"),
        moment("t", "2026-11-21T06:25:00"),
        moment("t", "2026-11-21T06:25:00Z"),
        moment("t", "2026-11-21T07:25:00+01:00"),
        moment("t", "12.5"),
    ]


@pytest.mark.parametrize("text", ["", "soon", "inf", "nan", "2026-13-01 00:00", "0001-01-01 00:00Z0"])
def test_bad_times(text: str) -> None:
    """Anything else is an error that says what is allowed."""
    with pytest.raises(ArgumentError, match=r"Invalid received_end .*'YYYY-MM-DD HH:MM', ISO 8601"):
        moment("received_end", text)


def test_choices() -> None:
    """A value outside the allowed ones is told with them."""
    assert ("a", 3) == (one_of("w", "a", ["a", "b"]), within("n", 3, 1, 3))
    with pytest.raises(ArgumentError, match="Invalid w 'c', expected one of a, b"):
        one_of("w", "c", ["a", "b"])
    with pytest.raises(ArgumentError, match="Invalid n 4, expected a number from 1 to 3"):
        within("n", 4, 1, 3)


@pytest.mark.parametrize(
    "header, credentials",
    [
        ("Basic YTpi", b"a:b"),
        ("basic  YTpi ", b"a:b"),
        ("Bearer YTpi", None),
        ("Basic", b""),
        ("Basic ü", None),
        ("Basic YTp", None),
        ("", None),
    ],
)
def test_basic_credentials(header: str, credentials: bytes | None) -> None:
    """Whatever stands in the header, there is an answer."""
    assert credentials == basic_credentials(header)


@pytest.mark.parametrize(
    "fetch_site, origin, is_foreign",
    [
        (None, None, False),
        ("same-origin", "http://other", False),
        ("cross-site", None, True),
        ("none", None, True),
        (None, "http://HOST:1", False),
        (None, "http://host:2", True),
        (None, "null", True),
    ],
)
def test_foreign(fetch_site: str | None, origin: str | None, is_foreign: bool) -> None:
    """A request that another site caused is known by its headers."""
    assert is_foreign == (foreign(fetch_site, origin, "host:1") is not None)


@pytest.mark.parametrize(
    "value, text",
    [
        ({"a": math.nan, 1: (1, {2})}, '{"a":null,"1":[1,"{2}"]}'),
        ([10**30, math.inf, {"x": math.nan}], '[1000000000000000000000000000000,null,{"x":null}]'),
        ("\ud800", '"\\ud800"'),
    ],
)
def test_json(value: Any, text: str) -> None:
    """Whatever is written is valid JSON."""
    assert text == dumps(value).decode()
    json.loads(text)


def test_compression() -> None:
    """Only long bodies are compressed."""
    long = b"x" * COMPRESS_FROM
    assert None is compress(long[1:])
    assert long == gzip.decompress(compress(long) or b"")


@pytest.mark.parametrize(
    "text, value",
    [
        ("(1, 'a', None)", [1, "a", None]),
        ("('only',)", ["only"]),
        ("(1, -2.5)", [1, -2.5]),
        ("(7,)", [7]),
        ("((1, 2), None)", [[1, 2], None]),
        ("1234567890123456789012345", 1234567890123456789012345),
        ("''", ""),
        ("'plain text'", "plain text"),
        ("'a' 'b'", "ab"),
        ("'", "'"),
        ('"', '"'),
        ("(", "("),
        ("[1, [2, 3]]", [1, [2, 3]]),
        ("{1: 2}", {"1": 2}),
        ("{'k': {'x': (1,)}, 2: True}", {"k": {"x": [1]}, "2": True}),
        ("'it\\'s'", "it's"),
        ("'C:\\new'", "C:\\new"),
        ("'two\nlines'", "two\nlines"),
        ("'a\\d'", "a\\d"),
        ('{"json": [true, null]}', {"json": [True, None]}),
        ("b'x'", "b'x'"),
        ("(1, ...)", "(1, ...)"),
        ("{'a': {...}}", "{'a': {...}}"),
        ("<Result 5>", "<Result 5>"),
        ("", ""),
        ("(" * 1000, "(" * 1000),
        ("1" * 70_000, "1" * 70_000),
    ],
)
def test_readable(text: str, value: Any) -> None:
    """A payload text is read as Celery wrote it; one that cannot be read, or leaves things out, stays as it is."""
    assert value == readable(text)


def test_executor_runs_calls() -> None:
    """Results and errors come back."""
    executor = DaemonExecutor(2)
    assert 3 == executor.submit(lambda: 1 + 2).result(5)
    with pytest.raises(ZeroDivisionError):
        executor.submit(lambda: 1 / 0).result(5)
    executor.shutdown()


def test_executor_is_bounded() -> None:
    """No more threads than allowed, and none that keeps the process alive."""
    executor, gate = DaemonExecutor(2, "bounded"), threading.Event()
    futures = [executor.submit(gate.wait, 5) for _ in range(5)]
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("bounded")]
    assert [True, True] == [thread.daemon for thread in threads]
    gate.set()
    assert [True] * 5 == [future.result(5) for future in futures]
    executor.shutdown()


def test_executor_leaves_hanging_calls_behind() -> None:
    """Shutting down cancels what waits and does not wait for what runs."""
    executor, gate = DaemonExecutor(1), threading.Event()
    running, waiting = executor.submit(gate.wait, 5), executor.submit(time.time)
    executor.shutdown(wait=False, cancel_futures=True)
    assert (False, True) == (running.done(), waiting.cancelled())
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(time.time)
    gate.set()
    assert True is running.result(5)
